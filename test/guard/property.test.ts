import { expect, test } from 'vitest';
import { messageOf } from '../../src/base/outcome.ts';
import { risks } from '../../src/config/schema.ts';
import { freshGuard, request } from './support.ts';

/** A small generator of numbers in [0, 1) that repeats itself for a seed (Lehmer, modulus 2^31 - 1). */
function generator(seed: number) {
  let state = seed;
  const next = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const pick = <Value>(values: readonly Value[]): Value => {
    const value = values[Math.floor(next() * values.length)];
    if (value === undefined) throw new Error('nothing to pick from');
    return value;
  };
  return { next, pick };
}

test.each([1, 2, 3, 4])('whatever is asked for, in whatever order, the rules hold (seed %i)', async (seed) => {
  const { guard, store, clock, current } = freshGuard({ newApprovalTtlMs: 600_000 });
  const { next, pick } = generator(seed * 7919);
  const services = ['api', 'cache', 'cache', 'machine'];
  const running = new Set<string>();
  const begun: { service: string; at: number }[] = [];
  const approved = new Set<number>();
  let ran = 0;
  const violations: string[] = [];
  const pending: Promise<unknown>[] = [];

  for (let step = 0; step < 300; step += 1) {
    clock.advance(Math.floor(next() * 240_000));
    current.mode = pick(['act', 'act', 'act', 'act', 'act', 'act', 'propose', 'observe']);
    const asked = request({
      incident: pick([1, 2]),
      service: pick(services),
      tool: pick(['restart_service', 'rotate_log']),
      arguments: { n: pick([1, 2]) },
      risk: pick([...risks, 'reversible', 'reversible'] as const),
      undo: pick(['none needed', 'none', 'restore']),
      failingChecks: pick([['x/y'], ['x/y'], ['x/y'], []]),
    });
    for (const waiting of store.approvals.list({ state: 'waiting' })) {
      if (next() < 0.3 && store.approvals.decide(waiting.id, pick(['approved', 'denied']), null)?.state === 'approved')
        approved.add(waiting.id);
    }
    const picked = next() < 0.5 ? pick([0, ...approved]) : 0;
    const approval = picked === 0 ? undefined : picked;
    const yes = approval === undefined ? null : store.approvals.get(approval);
    const work = guard.perform(
      asked,
      async () => {
        ran += 1;
        // The guard takes whatever is thrown here for a failed action: broken rules are gathered.
        try {
          // Written before done: exactly one unfinished intent, and it is this one.
          expect(store.actions.unfinished()).toMatchObject([
            { tool: asked.tool, service: asked.service, arguments: asked.arguments },
          ]);
          expect(running.size).toBe(0);
          running.add(asked.service);
          begun.push({ service: asked.service, at: clock.now() });
          const free = asked.risk === 'reversible' && asked.undo !== 'none';
          if (!free)
            expect(yes).toMatchObject({
              state: 'approved',
              incident: asked.incident,
              service: asked.service,
              action: { tool: asked.tool, arguments: asked.arguments },
            });
          expect(asked.risk === 'destructive' || asked.risk === 'read').toBe(false);
          expect(asked.failingChecks).not.toEqual([]);
        } catch (error) {
          violations.push(messageOf(error));
        }
        await Promise.resolve();
        running.delete(asked.service);
        if (next() < 0.2) throw new Error('broke off');
        return { ok: next() < 0.8, summary: 'done' };
      },
      approval,
    );
    pending.push(work);
    if (next() < 0.7) await work;
  }
  await Promise.all(pending);

  expect(violations).toEqual([]);
  expect(ran).toBeGreaterThan(15);
  expect(store.actions.recent({ since: 0 })).toHaveLength(ran);
  expect(store.actions.unfinished()).toEqual([]);
  for (const each of begun) {
    const within = begun.filter(
      (other) => other.service === each.service && other.at <= each.at && other.at > each.at - 3_600_000,
    );
    expect(within.length).toBeLessThanOrEqual(3);
  }
  // No yes was used for more than one action.
  const used = store.approvals.list({ state: 'used' }).length;
  expect(
    store.actions.recent({ since: 0 }).filter((action) => action.risk === 'disruptive').length,
  ).toBeLessThanOrEqual(used);
});
