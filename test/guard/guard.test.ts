import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ActionRequest } from '../../src/guard/decision.ts';
import { createGuard } from '../../src/guard/guard.ts';
import { openStore } from '../../src/store/open.ts';
import { manualClock, mustOpen, temporaryFolder } from '../store/support.ts';
import { freshGuard, policy, request } from './support.ts';

const disruptive = (change: Partial<ActionRequest> = {}) => request({ risk: 'disruptive', undo: 'none', ...change });

/** A promise with its resolver outside. */
const gate = () => Promise.withResolvers<void>();

test('what is allowed has its intent on disk before it starts, and its outcome after', async () => {
  const { guard, store, folder, clock } = freshGuard();
  const performed = await guard.perform(request(), async () => {
    const other = mustOpen(folder, clock);
    expect(other.actions.unfinished()).toMatchObject([
      { id: 1, tool: 'restart_service', service: 'cache', state: 'intended' },
    ]);
    other.close();
    clock.advance(700);
    return { ok: true, summary: 'restarted, pid 812' };
  });
  expect(performed).toMatchObject({ outcome: 'done', decision: { decision: 'allow', rule: 'reversible' } });
  expect(store.actions.get(1)).toMatchObject({
    state: 'succeeded',
    outcome: 'restarted, pid 812',
    endedAt: clock.now(),
    risk: 'reversible',
  });
});

test('an action that fails, throws or answers nonsense has an end', async () => {
  const { guard, store } = freshGuard();
  expect(await guard.perform(request(), async () => ({ ok: false, summary: 'exit code 1' }))).toMatchObject({
    outcome: 'failed',
  });
  expect(
    await guard.perform(request(), () => {
      throw new Error('socket\nclosed');
    }),
  ).toMatchObject({ outcome: 'failed' });
  expect(await guard.perform(request(), async () => JSON.parse('null'))).toMatchObject({ outcome: 'failed' });
  expect(store.actions.of(1).map((action) => action.state)).toEqual(['failed', 'failed', 'failed']);
  expect(store.actions.get(2)?.outcome).toBe('restart_service broke off: socket closed');
  expect(store.actions.unfinished()).toEqual([]);
});

test('a denied request runs nothing and leaves no action', async () => {
  const { guard, store, folder, ran, execute } = freshGuard();
  writeFileSync(join(folder, 'STOP'), '');
  expect(await guard.perform(request(), execute())).toMatchObject({ outcome: 'denied', decision: { rule: 'stop' } });
  expect(ran).toEqual([]);
  expect(store.actions.recent({ since: 0 })).toEqual([]);
});

test('what cannot be written down is not done', async () => {
  const folder = temporaryFolder();
  const opened = openStore(folder, { clock: manualClock(), maxPages: 1 });
  if (!opened.ok) throw new Error(opened.error);
  const store = opened.value;
  const guard = createGuard({ store, clock: manualClock(), policy, redact: (text) => text });
  let ran = 0;
  const execute = async () => {
    ran += 1;
    return { ok: true, summary: 'x' };
  };
  let denied = 0;
  for (let round = 0; round < 40; round += 1) {
    const performed = await guard.perform(request({ service: `s${round}`, reason: 'x'.repeat(2000) }), execute);
    if (performed.outcome === 'denied') {
      denied += 1;
      expect(performed.decision).toMatchObject({
        rule: 'written-before-done',
        reason: expect.stringContaining('is full'),
      });
    }
  }
  expect(denied).toBeGreaterThan(0);
  expect(store.actions.recent({ since: 0 })).toHaveLength(ran);
  store.close();
});

test('actions run one at a time, over all services, and a second one on the same service is refused', async () => {
  const { guard, ran, execute } = freshGuard();
  const [first, running] = [gate(), gate()];
  const slow = guard.perform(request(), async () => {
    running.resolve();
    await first.promise;
    ran.push('cache');
    return { ok: true, summary: '' };
  });
  await running.promise;
  const other = guard.perform(request({ service: 'api', arguments: { service: 'api' } }), execute('api'));
  expect(await guard.perform(request(), execute('cache again'))).toMatchObject({
    outcome: 'denied',
    decision: { rule: 'one-at-a-time' },
  });
  expect(await guard.perform(disruptive({ service: 'db' }), execute('db'))).toMatchObject({ outcome: 'asked' });
  expect(ran).toEqual([]);
  first.resolve();
  expect([(await slow).outcome, (await other).outcome]).toEqual(['done', 'done']);
  expect(ran).toEqual(['cache', 'api']);
});

test('what waits in line is decided anew when its turn comes', async () => {
  const { guard, current, ran, execute } = freshGuard();
  const [first, running] = [gate(), gate()];
  const slow = guard.perform(request(), async () => {
    running.resolve();
    await first.promise;
    return { ok: true, summary: '' };
  });
  await running.promise;
  const other = guard.perform(request({ service: 'api' }), execute('api'));
  current.mode = 'observe';
  first.resolve();
  expect([(await slow).outcome, (await other).outcome]).toEqual(['done', 'denied']);
  expect(ran).toEqual([]);
});

test('a question is put once, and its yes covers exactly what was shown, once', async () => {
  const { guard, store, ran, execute } = freshGuard();
  const asked = await guard.perform(disruptive(), execute());
  expect(asked).toMatchObject({
    outcome: 'asked',
    approval: { id: 1, state: 'waiting', title: 'restart cache', risk: 'disruptive', incident: 1 },
  });
  expect((await guard.perform(disruptive({ reason: 'said otherwise' }), execute())).approval?.id).toBe(1);
  expect(await guard.perform(disruptive(), execute(), 1)).toMatchObject({
    outcome: 'denied',
    decision: { rule: 'approval' },
  });
  store.approvals.decide(1, 'approved', null);

  const changed = disruptive({ arguments: { service: 'cache', force: true } });
  expect(await guard.perform(changed, execute(), 1)).toMatchObject({
    outcome: 'denied',
    decision: { rule: 'approval', reason: expect.stringContaining('other arguments') },
  });
  expect(await guard.perform(disruptive({ incident: 2 }), execute(), 1)).toMatchObject({
    outcome: 'denied',
    decision: { rule: 'approval' },
  });
  expect(ran).toEqual([]);
  expect(await guard.perform(disruptive(), execute(), 1)).toMatchObject({
    outcome: 'done',
    decision: { rule: 'approved' },
    action: { risk: 'disruptive' },
  });
  expect(await guard.perform(disruptive(), execute(), 1)).toMatchObject({
    outcome: 'denied',
    decision: { reason: expect.stringContaining('used') },
  });
  expect(ran).toEqual(['ran']);
});

test('a yes to one step says nothing about another, which is asked for itself', async () => {
  const { guard, store, execute } = freshGuard();
  await guard.perform(disruptive(), execute());
  store.approvals.decide(1, 'approved', null);
  const other = disruptive({ service: 'api', arguments: { service: 'api' } });
  expect(await guard.perform(other, execute(), 1)).toMatchObject({ outcome: 'asked', approval: { id: 2 } });
  expect(store.approvals.get(1)?.state).toBe('approved');
});

test('an expired yes is none, a no is not asked again, and a yes never opens what is denied', async () => {
  const { guard, store, clock, current, ran, execute } = freshGuard({ newApprovalTtlMs: 60_000 });
  await guard.perform(disruptive(), execute());
  store.approvals.decide(1, 'approved', null);
  clock.advance(120_000);
  expect(await guard.perform(disruptive(), execute(), 1)).toMatchObject({
    outcome: 'denied',
    decision: { rule: 'approval' },
  });
  store.approvals.expire();
  expect(await guard.perform(disruptive(), execute())).toMatchObject({ outcome: 'asked', approval: { id: 2 } });
  store.approvals.decide(2, 'denied', 'not at noon');
  expect(await guard.perform(disruptive(), execute())).toMatchObject({
    outcome: 'denied',
    decision: { rule: 'said-no', reason: expect.stringContaining('not at noon') },
  });
  await guard.perform(disruptive({ incident: 3 }), execute());
  store.approvals.decide(3, 'approved', null);
  current.mode = 'observe';
  expect(await guard.perform(disruptive({ incident: 3 }), execute(), 3)).toMatchObject({
    outcome: 'denied',
    decision: { rule: 'observe' },
  });
  expect(store.approvals.get(3)?.state).toBe('used');
  expect(ran).toEqual([]);
});

test('a yes is used up when the action is allowed without it by then', async () => {
  const { guard, store, current, execute } = freshGuard();
  current.mode = 'propose';
  expect(await guard.perform(request(), execute())).toMatchObject({ outcome: 'asked', approval: { id: 1 } });
  store.approvals.decide(1, 'approved', null);
  current.mode = 'act';
  expect(await guard.perform(request(), execute(), 1)).toMatchObject({ outcome: 'done' });
  expect(store.approvals.get(1)?.state).toBe('used');
});

test('nothing is stored unredacted, and what would be approved must be what was shown', async () => {
  const { guard, store, execute } = freshGuard();
  const secret = `sk-ant-${'q7'.repeat(20)}`;
  await guard.perform(
    request({ reason: `the key ${secret} is refused`, arguments: { service: 'cache', list: [{ note: secret }] } }),
    async () => ({ ok: true, summary: `token=${secret}` }),
  );
  expect(JSON.stringify(store.actions.get(1))).not.toContain(secret);
  expect(store.actions.get(1)?.outcome).toContain('<secret:');
  expect(await guard.perform(disruptive({ arguments: { note: secret } }), execute())).toMatchObject({
    outcome: 'denied',
    decision: { rule: 'secret-arguments' },
  });
  expect(store.approvals.list()).toEqual([]);
});

test('what a killed process began is measured, not run again', async () => {
  const { guard, store, ran, execute } = freshGuard();
  store.actions.intend({
    incident: 4,
    tool: 'restart_service',
    arguments: {},
    service: 'cache',
    risk: 'reversible',
    undo: 'none needed',
    reason: '',
    by: 'x',
  });
  expect(guard.recover()).toMatchObject([
    { id: 1, incident: 4, state: 'unknown', outcome: expect.stringContaining('not run again') },
  ]);
  expect(guard.recover()).toEqual([]);
  expect(ran).toEqual([]);
  // It counts towards the limit all the same.
  for (const expected of ['done', 'done', 'denied'])
    expect((await guard.perform(request(), execute())).outcome).toBe(expected);
});

test('an action of this process that is under way is not taken for one left behind', async () => {
  const { guard } = freshGuard();
  const performed = await guard.perform(request(), async () => ({
    ok: true,
    summary: `left: ${guard.recover().length}`,
  }));
  expect(performed).toMatchObject({ outcome: 'done', action: { outcome: 'left: 0', state: 'succeeded' } });
});

test('two processes never both slip under the limit', async () => {
  const { guard, store, folder, clock, execute } = freshGuard();
  const other = mustOpen(folder, clock);
  const second = createGuard({ store: other, clock, policy, redact: (text) => text });
  const outcomes = await Promise.all(
    [guard, second, guard, second, guard, second].map((each, index) =>
      each.perform(request({ incident: index }), execute()),
    ),
  );
  expect(outcomes.filter((each) => each.outcome === 'done').length).toBeLessThanOrEqual(3);
  expect(store.actions.recent({ since: 0 }).length).toBeLessThanOrEqual(3);
  other.close();
});
