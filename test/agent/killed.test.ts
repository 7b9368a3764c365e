import { describe, expect, test } from 'vitest';
import { watch } from '../../src/agent/watch.ts';
import { doing, runbook, World } from '../support/simulated-world.ts';

const SERVICES = `
  cache: { manager: systemd, hold: 5s, starts_within: 5s, checks: [{ tcp: "127.0.0.1:6379" }] }
  api: { manager: systemd, hold: 5s, starts_within: 5s, depends_on: [cache], checks: [{ tcp: "127.0.0.1:8080" }] }
`;

const over = (world: World) => () =>
  world.incidents().length > 0 && world.incidents().every(({ state }) => state === 'resolved' || state === 'escalated');

test('killed right after any of its writes, it repeats no action, loses no incident, and tells once', async () => {
  let writes = 1;
  for (let diesAt = 1; diesAt <= writes; diesAt += 2) {
    const world = new World({ services: SERVICES });
    await world.start();
    await world.pass(3000);
    world.life.diesAt = world.life.writes + diesAt;
    const before = world.life.writes;
    world.things.break('cache', { reason: 'stuck' });
    await world.until(() => world.life.dead || over(world)(), 60_000);
    if (!world.life.dead) {
      writes = world.life.writes - before;
      break;
    }
    writes = diesAt + 2;
    world.kill();
    await world.start();
    await world.until(over(world), 120_000);
    expect(world.done(), `killed after write ${diesAt}\n${world.story()}`).toEqual(['restart cache']);
    expect(world.incidents().map(({ service, state }) => `${service} ${state}`)).toEqual(['cache resolved']);
    expect(world.store.actions.unfinished()).toEqual([]);
    expect(world.sent).toEqual([]);
    await world.end();
  }
  expect(writes).toBeGreaterThan(15);
});

test('killed right after any of its writes, what nobody can mend still reaches a person, once', async () => {
  for (let diesAt = 1; ; diesAt += 2) {
    const world = new World({ services: SERVICES, runbooks: [] });
    await world.start();
    await world.pass(3000);
    world.things.break('cache', { reason: 'unheard-of' });
    world.life.diesAt = world.life.writes + diesAt;
    await world.until(() => world.life.dead || world.sent.length > 0, 60_000);
    const died = world.life.dead;
    if (died) {
      world.kill();
      await world.start();
      await world.until(() => world.sent.length > 0, 60_000);
    }
    await world.pass(30_000);
    // A message that was taken may be sent again after a kill, under the same idempotency key.
    expect(new Set(world.sent.map((message) => JSON.stringify(message))).size, world.story()).toBe(1);
    expect(world.entries(1, 'escalated')).toHaveLength(1);
    await world.end();
    if (!died) break;
  }
});

describe('what a killed process left', () => {
  test('an action that was begun is measured; whether it ran nobody knows, so nothing is learned', async () => {
    const world = new World({ services: SERVICES, run: () => new Promise(() => undefined) });
    await world.start();
    await world.pass(3000);
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('acting');
    world.things.mend('cache');
    world.kill();
    await world.start();
    await world.untilState('resolved');
    expect(world.entries(1, 'interrupted')).toHaveLength(1);
    expect(world.store.actions.of(1)).toMatchObject([{ state: 'unknown', held: true }]);
    expect(world.store.memory.list()).toEqual([]);
    expect(world.done()).toEqual([]);
  });

  test('an action that takes its time to show is not run a second time', async () => {
    const world: World = new World({
      services: SERVICES,
      run: (_tool, service, act) => {
        act();
        world.things.break(service, { reason: 'stuck', endsAt: world.clock.now() + 4000 });
        return new Promise(() => undefined);
      },
    });
    await world.start();
    await world.pass(3000);
    world.things.break('cache', { reason: 'stuck' });
    await world.until(() => world.done().length === 1);
    world.kill();
    await world.start();
    await world.untilState('resolved');
    expect(world.done()).toEqual(['restart cache']);
    expect(world.incident(1).resolvedBy).toBe('nightshift');
  });

  test('a question that had expired while nothing ran goes to a person', async () => {
    const world = new World({ services: SERVICES, mode: 'propose' });
    await world.start();
    await world.pass(3000);
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('awaiting');
    world.kill();
    await world.pass(7_200_000);
    // Marked by another verb, say, which then was killed as well.
    world.store.approvals.expire();
    await world.start();
    await world.untilState('escalated');
    expect(world.sent).toHaveLength(1);
  });

  test('a yes that was given while nothing ran, and is past its time, is not carried out', async () => {
    const world = new World({ services: SERVICES, mode: 'propose' });
    await world.start();
    await world.pass(3000);
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('awaiting');
    world.kill();
    world.store.approvals.decide(1, 'approved', null);
    await world.pass(7_200_000);
    await world.start();
    await world.untilState('escalated');
    expect(world.done()).toEqual([]);
  });

  test('a claim of a process that is gone, or too old, holds nobody up', async () => {
    const world = new World({ services: SERVICES });
    await world.start();
    await world.pass(3000);
    // Process 1 lives, and is not ours: a pid that was used again.
    world.store.settings.set('claim.1', { pid: 1, at: world.clock.now() - 3_500_000 });
    world.things.break('cache', { reason: 'stuck' });
    await world.pass(60_000);
    expect(world.incident(1).state).toBe('open');
    await world.untilState('resolved', 1, 200_000);
  });
});

describe('Ctrl-C', () => {
  test('during an action: it is let finish, and proved after the next start', async () => {
    let finish: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const world = new World({
      services: SERVICES,
      run: async (_tool, _service, act) => {
        await slow;
        act();
        return true;
      },
    });
    await world.start();
    await world.pass(3000);
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('acting');
    world.life.stop.abort();
    await world.pass(1000);
    finish();
    await world.stop();
    expect(world.store.actions.of(1)).toMatchObject([{ state: 'succeeded', held: null }]);
    expect(world.incident(1).state).toBe('acting');
    await world.start();
    await world.untilState('resolved');
    expect(world.done()).toEqual(['restart cache']);
    expect(world.incident(1).resolvedBy).toBe('nightshift');
  });

  test('while a plan waits between two steps: the second is not begun', async () => {
    const steps = [
      doing('restart_service'),
      { kind: 'wait' as const, milliseconds: 60_000 },
      doing('restart_service', 'api'),
    ];
    const world = new World({ services: SERVICES, runbooks: [runbook('stuck', steps)] });
    await world.start();
    await world.pass(3000);
    world.things.break('cache', { reason: 'stuck', endsBy: 'nothing' });
    await world.until(() => world.done().length === 1);
    await world.pass(5000);
    await world.stop();
    expect(world.done()).toEqual(['restart cache']);
    expect(world.entries(1, 'escalated')).toEqual([]);
  });

  test('while it holds: it holds anew after the next start', async () => {
    const world = new World({ services: SERVICES });
    await world.start();
    await world.pass(3000);
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('holding');
    await world.stop();
    expect(world.incident(1).state).toBe('holding');
    await world.start();
    await world.untilState('resolved');
    expect(world.incident(1).resolvedBy).toBe('nightshift');
    expect(world.done()).toEqual(['restart cache']);
  });
});

describe('once', () => {
  test('ends by itself, with what was broken mended or handed over', async () => {
    const world = new World({ services: SERVICES });
    world.things.break('cache', { reason: 'stuck' });
    await world.start({ once: true });
    await world.stopped();
    expect(world.incidents().map(({ service, state }) => `${service} ${state}`)).toEqual(['cache resolved']);
    world.things.break('api', { reason: 'unheard-of' });
    await world.start({ once: true });
    await world.stopped();
    expect(world.incident(2)).toMatchObject({ service: 'api', state: 'escalated' });
    await world.start({ once: true });
    await world.stopped();
    expect(world.sent).toHaveLength(1);
  });

  test('ends with a question that waits, and the next one carries out the answer', async () => {
    const world = new World({ services: SERVICES, mode: 'propose' });
    world.things.break('cache', { reason: 'stuck' });
    await world.start({ once: true });
    await world.stopped();
    expect(world.incident(1).state).toBe('awaiting');
    world.store.approvals.decide(1, 'approved', null);
    await world.start({ once: true });
    await world.stopped();
    expect(world.incident(1)).toMatchObject({ state: 'resolved', resolvedBy: 'nightshift' });
  });

  test('ends also when the store fails it', async () => {
    const world = new World({ services: SERVICES });
    world.things.break('cache', { reason: 'stuck' });
    await world.start({ once: true });
    world.life.parts.ingest = () => {
      throw new Error('the disk is full');
    };
    await world.stopped();
    expect(world.told).toContainEqual(
      expect.objectContaining({ type: 'warning', text: expect.stringContaining('the disk is full') }),
    );
  });
});

test('a store that fails for a while ends nothing: what broke meanwhile is mended afterwards', async () => {
  const world = new World({ services: SERVICES });
  await world.start();
  await world.pass(3000);
  const { ingest, takeSignals } = world.life.parts;
  const full = () => {
    throw new Error('the disk is full');
  };
  Object.assign(world.life.parts, { ingest: full, takeSignals: full });
  world.things.break('cache', { reason: 'stuck' });
  await world.pass(60_000);
  expect(world.incidents()).toEqual([]);
  Object.assign(world.life.parts, { ingest, takeSignals });
  await world.untilState('resolved');
});

test('a reader that leaves early leaves nothing running', async () => {
  const world = new World({ services: SERVICES });
  const parts = await world.partsFor({ dead: false, writes: 0, diesAt: Number.POSITIVE_INFINITY });
  const events = watch(parts, new AbortController().signal);
  await events.next();
  let left = false;
  void events.return(undefined).then(() => {
    left = true;
  });
  expect(await world.clock.pass(5000, () => left)).toBe(true);
  const measured = world.things.log.length;
  await world.pass(20_000);
  expect(world.things.log).toHaveLength(measured);
});
