import { expect, test } from 'vitest';
import { RETENTION_MS } from '../../src/store/health.ts';
import { freshStore, intent, manualClock, mustOpen, result } from './support.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test('the latest result of each check is kept, an older one does not replace it', () => {
  const { store } = freshStore();
  store.health.record([
    result('api/http', { at: 10, facts: { status: 200, note: null } }),
    result('db/tcp', { at: 10 }),
  ]);
  store.health.record([result('api/http', { at: 20, verdict: 'critical', reason: 'refused' })]);
  store.health.record([result('api/http', { at: 15 })]);
  expect(store.health.latest('api')).toEqual([result('api/http', { at: 20, verdict: 'critical', reason: 'refused' })]);
  expect(store.health.latest().map((each) => each.check)).toEqual(['api/http', 'db/tcp']);
});

test('values become samples; what is no number does not', () => {
  const { store } = freshStore();
  for (const [at, value] of [
    [10, 1],
    [20, undefined],
    [30, Number.NaN],
    [40, 2.5],
  ] as const)
    store.health.record([result('m/q', { at, value })]);
  expect(store.health.samples('m/q', 0)).toEqual([
    { at: 10, value: 1 },
    { at: 40, value: 2.5 },
  ]);
  expect(store.health.samples('m/q', 11)).toEqual([{ at: 40, value: 2.5 }]);
  expect(store.health.samples('nothing', 0)).toEqual([]);
});

test('samples go after 31 days, a few checks at a time', () => {
  const { store, clock } = freshStore();
  const checks = Array.from({ length: 120 }, (_, index) => `s/c${index}`);
  store.health.record(checks.map((check) => result(check, { at: clock.now(), value: 1 })));
  clock.advance(RETENTION_MS + MINUTE);
  const left = () =>
    checks.filter(
      (check) => store.health.samples(check, 0).length > 1 || store.health.samples(check, 0)[0]?.value === 1,
    ).length;
  const counts: number[] = [];
  for (let round = 0; round < 3; round += 1) {
    store.health.record([result('s/new', { at: clock.now(), value: 2 })]);
    counts.push(left());
    clock.advance(2 * MINUTE);
  }
  expect(counts).toEqual([70, 20, 0]);
  expect(store.health.latest().map((each) => each.check)).toEqual(['s/new']);
});

test('pings and positions are remembered', () => {
  const { store, clock, folder } = freshStore();
  expect([store.health.lastPing('backup'), store.health.position('api/log')]).toEqual([null, null]);
  store.health.ping('backup');
  store.health.setPosition('api/log', '{"offset":7}');
  store.health.setPosition('api/log', '{"offset":9}');
  const other = mustOpen(folder, clock);
  expect([other.health.lastPing('backup'), other.health.position('api/log')]).toEqual([clock.now(), '{"offset":9}']);
  other.close();
});

test('uptime is the share of the measured time in which a service was not critical', () => {
  const { store, clock } = freshStore();
  const measure = (verdict: 'ok' | 'warn' | 'critical' | 'unknown', minutes: number) => {
    for (let minute = 0; minute < minutes; minute += 1) {
      store.health.setServiceVerdict('api', verdict);
      clock.advance(MINUTE);
      store.health.record([result('api/http', { at: clock.now() })]);
    }
  };
  expect(store.health.uptime('api')).toEqual({ day: null, week: null, month: null });
  measure('ok', 60);
  measure('critical', 30);
  measure('warn', 20);
  measure('unknown', 40);
  measure('ok', 10);
  expect(store.health.uptime('api').day).toBeCloseTo(90 / 120, 6);
  expect(store.health.uptime('other').day).toBeNull();
  clock.advance(2 * DAY);
  expect(store.health.uptime('api').day).toBeNull();
  expect(store.health.uptime('api').week).toBeCloseTo(90 / 120, 6);
});

test('the time in which Nightshift was off is neither up nor down', () => {
  const { store, clock } = freshStore();
  const minute = () => {
    clock.advance(MINUTE);
    store.health.record([result('api/http', { at: clock.now() })]);
  };
  store.health.setServiceVerdict('api', 'critical');
  for (let count = 0; count < 10; count += 1) minute();
  clock.advance(5 * HOUR);
  store.health.setServiceVerdict('api', 'ok');
  for (let count = 0; count < 30; count += 1) minute();
  expect(store.health.uptime('api').day).toBeCloseTo(30 / 40, 6);
});

test('a service that is measured once an hour is measured all the time', () => {
  const { store, clock } = freshStore();
  for (let hour = 0; hour < 6; hour += 1) {
    store.health.record([result('site/http', { at: clock.now() })]);
    store.health.setServiceVerdict('site', hour < 4 ? 'ok' : 'critical');
    clock.advance(HOUR);
  }
  // Five hours lie between six measurements. The first one does not count: that it is measured hourly was not known yet.
  expect(store.health.uptime('site').day).toBeCloseTo(3 / 4, 6);
});

test('a cycle of 2 000 results is one fast transaction', () => {
  const { store, clock } = freshStore();
  const cycle = () =>
    Array.from({ length: 2000 }, (_, index) =>
      result(`svc${index % 50}/c${index}`, { at: clock.now(), value: index, unit: 'ms', facts: { status: 200 } }),
    );
  const durations = [1, 2, 3, 4, 5].map(() => {
    clock.advance(MINUTE);
    const results = cycle();
    const start = performance.now();
    store.health.record(results);
    return performance.now() - start;
  });
  // 16 to 32 ms on two busy cores; ten times that on the slowest disk is still no trouble.
  expect(Math.min(...durations)).toBeLessThan(300);
  expect(store.health.latest()).toHaveLength(2000);
});

test('an intent after measurements takes them to the disk with it', () => {
  const clock = manualClock();
  const { store, folder } = freshStore(clock);
  store.health.record([result('api/http', { at: 5 })]);
  store.actions.intend(intent());
  const other = mustOpen(folder, clock);
  expect([other.health.latest().length, other.actions.unfinished().length]).toEqual([1, 1]);
  other.close();
});
