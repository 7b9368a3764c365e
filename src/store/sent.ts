import type { Clock } from '../base/clock.ts';
import type { Database } from './database.ts';
import type { SentRequest } from './store.ts';

/** How long what went to a cloud model is kept: a quarter of a year, long enough for any question about it. */
const KEEP_MS = 90 * 86_400_000;

interface SentLog {
  keep(request: SentRequest): void;
  list(filter?: { incident?: number; limit?: number }): (SentRequest & { id: number; at: number })[];
}

/** Requests to cloud models, as they were sent. */
export function createSent(database: Database, clock: Clock): SentLog {
  const insert = database.prepare<[Record<string, unknown>]>(
    `INSERT INTO sent (at, provider, model, body, input_tokens, output_tokens, cost, incident)
     VALUES (@at, @provider, @model, @body, @inputTokens, @outputTokens, @cost, @incident)`,
  );
  const prune = database.prepare<[number]>('DELETE FROM sent WHERE at < ?');
  const list = database.prepare<[{ incident: number | null; limit: number }], SentRequest & { id: number; at: number }>(
    `SELECT id, at, provider, model, body, input_tokens AS inputTokens, output_tokens AS outputTokens, cost, incident
     FROM sent WHERE (@incident IS NULL OR incident = @incident) ORDER BY id DESC LIMIT @limit`,
  );
  const keep = database.transaction((request: SentRequest) => {
    insert.run({ ...request, at: clock.now() });
    prune.run(clock.now() - KEEP_MS);
  });
  return {
    keep: (request) => keep.immediate(request),
    list: (filter = {}) => list.all({ incident: filter.incident ?? null, limit: filter.limit ?? -1 }),
  };
}
