import type { Clock } from '../base/clock.ts';
import type { CheckResult } from '../health/check.ts';
import type { Database } from './database.ts';
import { fromJson } from './json.ts';
import type { HealthStore } from './store.ts';
import { createUptime } from './uptime.ts';

/** How long samples, spans and the results of checks that are no more are kept. */
export const RETENTION_MS = 31 * 86_400_000;
/** Old samples go a few checks at a time, at most once in this long, so that no cycle waits for it. */
const PRUNE_EVERY_MS = 60_000;
const PRUNE_CHECKS = 50;

/** The latest results, samples, service verdicts, pings, and what checks remember. */
export function createHealth(database: Database, clock: Clock): HealthStore {
  const uptime = createUptime(database, clock);
  const addCheck = database.prepare<[string]>('INSERT INTO checks (name) VALUES (?) ON CONFLICT (name) DO NOTHING');
  const checkId = database.prepare<[string], { id: number }>('SELECT id FROM checks WHERE name = ?');
  const putLatest = database.prepare<[number, string, number, string]>(
    `INSERT INTO latest (check_id, service, at, result) VALUES (?, ?, ?, ?)
     ON CONFLICT (check_id) DO UPDATE SET previous_at = at, service = excluded.service, at = excluded.at, result = excluded.result
     WHERE excluded.at >= at`,
  );
  const putSample = database.prepare<[number, number, number]>(
    'INSERT INTO samples (check_id, at, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
  );
  const latest = database.prepare<[], { result: string }>('SELECT result FROM latest ORDER BY check_id');
  const latestOf = database.prepare<[string], { result: string }>(
    'SELECT result FROM latest WHERE service = ? ORDER BY check_id',
  );
  const samples = database.prepare<[string, number], { at: number; value: number }>(
    `SELECT at, value FROM samples WHERE check_id = (SELECT id FROM checks WHERE name = ?) AND at >= ? ORDER BY at`,
  );
  const nextChecks = database.prepare<[number], { id: number }>(
    `SELECT id FROM checks WHERE id > ? ORDER BY id LIMIT ${PRUNE_CHECKS}`,
  );
  const pruneSamples = database.prepare<[number, number]>('DELETE FROM samples WHERE check_id = ? AND at < ?');
  const pruneLatest = database.prepare<[number]>('DELETE FROM latest WHERE at < ?');
  const putPing = database.prepare<[string, number]>(
    'INSERT INTO pings (name, at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at',
  );
  const ping = database.prepare<[string], { at: number }>('SELECT at FROM pings WHERE name = ?');
  const putPosition = database.prepare<[string, string]>(
    'INSERT INTO positions (check_name, position) VALUES (?, ?) ON CONFLICT (check_name) DO UPDATE SET position = excluded.position',
  );
  const position = database.prepare<[string], { position: string }>(
    'SELECT position FROM positions WHERE check_name = ?',
  );

  /** Ids never change and are never given twice, so they may be remembered, but not across a transaction that failed. */
  const ids = new Map<string, number>();
  const idOf = (check: string): number => {
    const known = ids.get(check);
    if (known !== undefined) return known;
    addCheck.run(check);
    const id = checkId.get(check)?.id;
    if (id === undefined) throw new Error(`the check ${check} was not kept`);
    ids.set(check, id);
    return id;
  };

  let prunedAt = clock.now();
  let prunedTo = 0;
  const prune = () => {
    const before = clock.now() - RETENTION_MS;
    const batch = nextChecks.all(prunedTo);
    for (const { id } of batch) pruneSamples.run(id, before);
    prunedTo = batch.length < PRUNE_CHECKS ? 0 : (batch.at(-1)?.id ?? 0);
    if (prunedTo === 0) {
      pruneLatest.run(before);
      uptime.prune(before);
    }
    prunedAt = clock.now();
  };

  const record = database.transaction((results: readonly CheckResult[]) => {
    for (const service of new Set(results.map((result) => result.service))) uptime.confirm(service);
    for (const result of results) {
      const id = idOf(result.check);
      putLatest.run(id, result.service, result.at, JSON.stringify(result));
      if (result.value !== undefined && Number.isFinite(result.value)) putSample.run(id, result.at, result.value);
    }
    if (Math.abs(clock.now() - prunedAt) >= PRUNE_EVERY_MS) prune();
  });
  const setVerdict = database.transaction(uptime.set);

  /** A lost measurement is measured again, so these commits do not wait for the disk; the next intent takes them along. */
  const withoutSync = (write: () => void) => {
    if (database.inTransaction) return write();
    database.pragma('synchronous = NORMAL');
    try {
      write();
    } finally {
      database.pragma('synchronous = FULL');
    }
  };

  const resultOf = (row: { result: string }) => fromJson<CheckResult>('latest.result', row.result);
  return {
    record(results) {
      if (results.length === 0) return;
      try {
        withoutSync(() => record.immediate(results));
      } catch (error) {
        ids.clear();
        throw error;
      }
    },
    latest: (service) => (service === undefined ? latest.all() : latestOf.all(service)).map(resultOf),
    ping: (name) => void putPing.run(name, clock.now()),
    setServiceVerdict: (service, verdict) => withoutSync(() => setVerdict.immediate(service, verdict)),
    uptime: uptime.of,
    samples: (check, since) => samples.all(check, since),
    lastPing: (name) => ping.get(name)?.at ?? null,
    position: (check) => position.get(check)?.position ?? null,
    setPosition: (check, value) => withoutSync(() => void putPosition.run(check, value)),
  };
}
