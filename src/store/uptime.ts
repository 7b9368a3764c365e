import type { Clock } from '../base/clock.ts';
import type { Verdict } from '../health/check.ts';
import type { Database } from './database.ts';
import type { Uptime } from './store.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
/** Without a result for this long (or three times the service's own interval, if that is longer) nobody was looking. */
const UNWATCHED_MS = 15 * MINUTE;

interface SpanRow {
  id: number;
  verdict: Verdict;
  since: number;
  until: number;
}

interface UptimeStore {
  set(service: string, verdict: Verdict): void;
  /** The verdict still stands: a check of the service has just been measured. */
  confirm(service: string): void;
  of(service: string): Uptime;
  prune(before: number): void;
}

/**
 * How long a service had which verdict. A span grows only while somebody measures: the time in which Nightshift was off
 * is no uptime and no downtime. `unknown` is not counted either; a warning counts as up.
 */
export function createUptime(database: Database, clock: Clock): UptimeStore {
  const last = database.prepare<[string], SpanRow>(
    'SELECT id, verdict, since, until FROM spans WHERE service = ? ORDER BY id DESC LIMIT 1',
  );
  const insert = database.prepare<[string, Verdict, number, number]>(
    'INSERT INTO spans (service, verdict, since, until) VALUES (?, ?, ?, ?)',
  );
  const extend = database.prepare<[number, number]>('UPDATE spans SET until = max(until, ?) WHERE id = ?');
  const interval = database.prepare<[string], { interval: number | null }>(
    'SELECT min(at - previous_at) AS interval FROM latest WHERE service = ? AND previous_at < at',
  );
  const measured = database.prepare<[{ service: string; from: number }], { up: number | null; total: number | null }>(
    `SELECT sum((until - max(since, @from)) * (verdict IN ('ok', 'warn'))) AS up, sum(until - max(since, @from)) AS total
     FROM spans WHERE service = @service AND until > @from AND verdict <> 'unknown'`,
  );
  const prune = database.prepare<[number]>('DELETE FROM spans WHERE until < ?');

  const watchedSince = (service: string, until: number): boolean => {
    const gap = clock.now() - until;
    return gap <= UNWATCHED_MS || gap <= 3 * (interval.get(service)?.interval ?? 0);
  };
  const confirm = (service: string): SpanRow | undefined => {
    const span = last.get(service);
    if (!span) return undefined;
    if (watchedSince(service, span.until)) extend.run(clock.now(), span.id);
    else insert.run(service, span.verdict, clock.now(), clock.now());
    return span;
  };
  const share = (service: string, milliseconds: number): number | null => {
    const { up, total } = measured.get({ service, from: clock.now() - milliseconds }) ?? { up: null, total: null };
    return total === null || total === 0 ? null : (up ?? 0) / total;
  };
  return {
    set(service, verdict) {
      if (confirm(service)?.verdict !== verdict) insert.run(service, verdict, clock.now(), clock.now());
    },
    confirm: (service) => void confirm(service),
    of: (service) => ({ day: share(service, DAY), week: share(service, 7 * DAY), month: share(service, 30 * DAY) }),
    prune: (before) => void prune.run(before),
  };
}
