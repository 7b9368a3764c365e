import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { openStore, STORE_FILE } from '../../src/store/open.ts';
import { freshStore, intent } from './support.ts';

test('an action is written before and after, and found when it was never ended', () => {
  const { store, clock } = freshStore();
  const first = store.actions.intend(intent());
  expect(first).toMatchObject({
    id: 1,
    state: 'intended',
    intendedAt: clock.now(),
    endedAt: null,
    outcome: null,
    held: null,
  });
  clock.advance(2000);
  expect(store.actions.end(1, 'succeeded', 'restarted')).toMatchObject({
    state: 'succeeded',
    endedAt: clock.now(),
    outcome: 'restarted',
  });
  store.actions.setHeld(1, true);
  expect(store.actions.get(1)?.held).toBe(true);
  const second = store.actions.intend(intent({ incident: null, arguments: { nested: { list: [1, 'two', null] } } }));
  expect(store.actions.unfinished()).toEqual([second]);
  expect(store.actions.of(1).map((each) => each.id)).toEqual([1]);
  expect(() => store.actions.end(9, 'failed', '')).toThrow('no action 9');
});

test('recent actions are those begun since then on a service, without refused ones', () => {
  const { store, clock } = freshStore();
  store.actions.intend(intent());
  clock.advance(1000);
  const since = clock.now();
  store.actions.intend(intent());
  store.actions.end(store.actions.intend(intent()).id, 'refused', 'no');
  store.actions.intend(intent({ service: 'api' }));
  expect(store.actions.recent({ service: 'cache', since }).map((each) => each.id)).toEqual([2]);
  expect(store.actions.recent({ since: 0 }).map((each) => each.id)).toEqual([4, 2, 1]);
});

test('an unfinished action is abandoned once its process is gone or an hour has passed', () => {
  const { store, folder, clock } = freshStore();
  store.actions.intend(intent());
  store.actions.intend(intent());
  const raw = new Database(join(folder, STORE_FILE));
  raw.exec('UPDATE actions SET pid = 1 WHERE id = 2');
  raw.close();
  const abandoned = (lives: boolean) => {
    const opened = openStore(folder, { clock, processLives: () => lives });
    if (!opened.ok) throw new Error(opened.error);
    const ids = opened.value.actions.abandoned?.().map((action) => action.id);
    opened.value.close();
    return ids;
  };
  // The first is of this process, which asks before it does anything: so it is from before its pid was used again.
  expect(abandoned(true)).toEqual([1]);
  expect(abandoned(false)).toEqual([1, 2]);
  clock.advance(3_600_001);
  expect(abandoned(true)).toEqual([1, 2]);
});

test('an approval is decided once, used once, and not after its time', () => {
  const { store, clock } = freshStore();
  const ask = () =>
    store.approvals.ask({
      incident: 1,
      action: { tool: 'end_sessions', arguments: { service: 'db' }, reason: 'slots' },
      title: 'end sessions',
      service: 'db',
      risk: 'disruptive',
      undo: 'none',
      by: 'model x',
      askedAt: clock.now(),
      expiresAt: clock.now() + 60_000,
    });
  const asked = ask();
  expect(asked).toMatchObject({ id: 1, state: 'waiting', decidedAt: null, action: { arguments: { service: 'db' } } });
  expect(store.approvals.use(1)).toBeNull();
  expect(store.approvals.decide(1, 'approved', 'go on')).toMatchObject({
    state: 'approved',
    because: 'go on',
    decidedAt: clock.now(),
  });
  expect(store.approvals.decide(1, 'denied', null)).toBeNull();
  expect(store.approvals.use(1)?.state).toBe('used');
  expect(store.approvals.use(1)).toBeNull();

  ask();
  clock.advance(60_001);
  expect(store.approvals.decide(2, 'approved', null)).toBeNull();
  expect(store.approvals.expire().map((each) => [each.id, each.state])).toEqual([[2, 'expired']]);
  expect(store.approvals.expire()).toEqual([]);

  ask();
  clock.advance(59_999);
  store.approvals.decide(3, 'approved', null);
  clock.advance(59_000);
  expect(store.approvals.expire()).toEqual([]);
  clock.advance(1001);
  expect(store.approvals.use(3)).toBeNull();
  expect(store.approvals.expire().map((each) => each.id)).toEqual([3]);
  expect(store.approvals.list({ state: 'used' }).map((each) => each.id)).toEqual([1]);
  expect(store.approvals.list({ incident: 2 })).toEqual([]);
});

test('the same way of resolving a signature is one case, however it was worded', () => {
  const { store } = freshStore();
  const seen = {
    signature: 'cache|tcp refused|process-down',
    service: 'cache',
    cause: 'process-down',
    foundBy: 'person',
    resolution: 'restarted',
  };
  const restart = (reason: string) => [
    { tool: 'restart_service', arguments: { service: 'cache', hard: false }, reason },
  ];
  store.memory.record({ ...seen, incident: 1, actions: restart('it was gone') }, true);
  const again = store.memory.record(
    {
      ...seen,
      incident: 4,
      actions: [{ tool: 'restart_service', arguments: { hard: false, service: 'cache' }, reason: 'gone again' }],
    },
    false,
  );
  expect(again).toMatchObject({ id: 1, incident: 1, lastIncident: 4, held: 1, failed: 1 });
  store.memory.record(
    { ...seen, incident: 5, actions: [{ tool: 'start_service', arguments: { service: 'cache' }, reason: '' }] },
    true,
  );
  store.memory.record(
    { ...seen, incident: 6, actions: [{ tool: 'start_service', arguments: { service: 'cache' }, reason: '' }] },
    true,
  );
  expect(store.memory.bySignature(seen.signature).map((each) => [each.id, each.held])).toEqual([
    [expect.any(Number), 2],
    [1, 1],
  ]);
  expect(store.memory.bySignature('other')).toEqual([]);
  store.memory.record({ ...seen, incident: 7, actions: [], resolution: 'Moved 12 files away.' }, true);
  expect(store.memory.record({ ...seen, incident: 8, actions: [], resolution: 'moved 9 files away' }, true).held).toBe(
    2,
  );
  expect(store.memory.list()).toHaveLength(3);
  expect(store.memory.list(1)).toHaveLength(1);
});

test('settings are JSON by name; null takes one away', () => {
  const { store } = freshStore();
  store.settings.set('outbox.1', { a: [1, null] });
  store.settings.set('outbox.2', 'two');
  store.settings.set('out_of', 3);
  expect(store.settings.get('outbox.1')).toEqual({ a: [1, null] });
  expect(store.settings.get('nothing')).toBeNull();
  store.settings.set('outbox.2', null);
  expect(store.settings.all('outbox.')).toEqual([{ name: 'outbox.1', value: { a: [1, null] } }]);
  expect(store.settings.all('').map((each) => each.name)).toEqual(['out_of', 'outbox.1']);
});

test('what went to a cloud model is kept as it was, for 90 days', () => {
  const { store, clock } = freshStore();
  const request = {
    provider: 'anthropic',
    model: 'm',
    body: '{"messages":[]}',
    inputTokens: 10,
    outputTokens: 2,
    cost: 0.01,
    incident: 3,
  };
  store.keepSent(request);
  clock.advance(91 * 86_400_000);
  store.keepSent({ ...request, incident: null, cost: null });
  expect(store.sent()).toEqual([{ ...request, incident: null, cost: null, id: 2, at: clock.now() }]);
  expect(store.sent({ incident: 3 })).toEqual([]);
});

test('a transaction is kept as a whole or not at all', () => {
  const { store } = freshStore();
  expect(() =>
    store.transaction(() => {
      store.actions.intend(intent());
      store.settings.set('x', 1);
      throw new Error('no');
    }),
  ).toThrow('no');
  expect(store.actions.unfinished()).toEqual([]);
  expect(store.settings.get('x')).toBeNull();
  expect(store.transaction(() => store.actions.intend(intent()).id)).toBe(1);
});
