import { join } from 'node:path';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { STORE_FILE } from '../../src/store/open.ts';
import { draft, freshStore, manualClock, mustOpen, result } from './support.ts';

test('an incident is numbered, changes by its entries, and survives a restart', () => {
  const { store, folder, clock } = freshStore();
  const first = store.incidents.open(draft(), { type: 'opened', text: 'api answers 502' });
  const second = store.incidents.open(draft({ service: 'cache' }), { type: 'opened', text: 'cache is gone' });
  expect([first.id, second.id]).toEqual([1, 2]);
  clock.advance(500);
  const { incident, entry } = store.incidents.append(
    1,
    { type: 'signal', text: 'worse', data: { check: 'api/http' } },
    { state: 'diagnosing', checks: { 'api/http': result('api/http', { verdict: 'critical', reason: 'status 502' }) } },
  );
  expect(incident).toMatchObject({ id: 1, state: 'diagnosing', updatedAt: clock.now(), title: 'api: 502 in 4 ms' });
  expect(entry).toMatchObject({ incident: 1, at: clock.now(), type: 'signal', data: { check: 'api/http' } });

  store.close();
  const again = mustOpen(folder, clock);
  expect(again.incidents.get(1)).toEqual(incident);
  expect(again.incidents.timeline(1).map((each) => each.type)).toEqual(['opened', 'signal']);
  expect(again.incidents.timeline(1)[1]).toEqual(entry);
  again.close();
});

test('unresolved ones come oldest first, the list newest first and filtered', () => {
  const { store } = freshStore();
  for (const [service, openedAt] of [
    ['api', 1],
    ['cache', 2],
    ['api', 3],
  ] as const) {
    store.incidents.open(draft({ service, openedAt }), { type: 'opened', text: service });
  }
  store.incidents.append(2, { type: 'resolved', text: 'ok' }, { state: 'resolved', resolvedBy: 'itself' });
  expect(store.incidents.unresolved().map((each) => each.id)).toEqual([1, 3]);
  expect(store.incidents.list().map((each) => each.id)).toEqual([3, 2, 1]);
  expect(store.incidents.list({ service: 'api' }).map((each) => each.id)).toEqual([3, 1]);
  expect(store.incidents.list({ limit: 1 }).map((each) => each.id)).toEqual([3]);
  expect(store.incidents.list({ since: 2 }).map((each) => each.id)).toEqual([3, 2]);
});

test('a change to an incident that is not there throws and leaves no entry', () => {
  const { store } = freshStore();
  expect(() => store.incidents.append(7, { type: 'note', text: 'x' })).toThrow('there is no incident #7');
  expect(store.incidents.lastEntryId()).toBe(0);
  expect(store.incidents.get(7)).toBeNull();
});

test('entries cannot be changed or removed, not even past the store', () => {
  const { store, folder } = freshStore();
  store.incidents.open(draft(), { type: 'opened', text: 'before' });
  const raw = new Database(join(folder, STORE_FILE));
  expect(() => raw.exec("UPDATE timeline SET text = 'after'")).toThrow('append-only');
  expect(() => raw.exec('DELETE FROM timeline')).toThrow('append-only');
  expect(() =>
    raw.exec(
      "INSERT OR REPLACE INTO timeline (id, incident, at, type, text, data) VALUES (1, 1, 0, 'note', 'x', '{}')",
    ),
  ).toThrow('append-only');
  raw.close();
  expect(store.incidents.timeline(1)[0]?.text).toBe('before');
});

test('the incidents are what their entries add up to', () => {
  const { store, folder, clock } = freshStore();
  const random = generator(7);
  for (let step = 0; step < 300; step += 1) {
    clock.advance(1 + Math.floor(random() * 1000));
    if (step < 10) {
      store.incidents.open(draft({ service: `s${step}`, openedAt: clock.now() }), { type: 'opened', text: `#${step}` });
      continue;
    }
    const change = [
      { state: 'acting' as const },
      { state: 'resolved' as const, resolvedAt: clock.now(), resolvedBy: 'itself' as const },
      { service: `other${step}`, signature: null },
      { modelTokens: step, diagnosis: undefined },
      undefined,
    ][Math.floor(random() * 5)];
    store.incidents.append(1 + Math.floor(random() * 10), { type: 'note', text: `step ${step}` }, change);
  }
  const before = store.incidents.list();
  const raw = new Database(join(folder, STORE_FILE));
  raw.exec("UPDATE incidents SET state = 'open', service = 'spoilt', opened_at = 0, document = '{}'");
  raw.close();
  expect(store.incidents.list()).not.toEqual(before);
  expect(store.rebuildIncidents()).toBe(10);
  expect(store.incidents.list()).toEqual(before);
});

test('another process hears of what was written', () => {
  const { store, folder } = freshStore();
  const other = mustOpen(folder, manualClock());
  const cursor = store.incidents.lastEntryId();
  other.incidents.open(draft(), { type: 'opened', text: 'by the other' });
  other.incidents.append(1, { type: 'note', text: 'more' });
  expect(store.incidents.entriesAfter(cursor).map((each) => each.text)).toEqual(['by the other', 'more']);
  expect(store.incidents.entriesAfter(store.incidents.lastEntryId())).toEqual([]);
  other.close();
});

/** A small generator of numbers in [0, 1) that repeats itself for a seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
