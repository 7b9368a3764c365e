import type { Clock } from '../base/clock.ts';
import type { Database } from './database.ts';
import { canonicalJson, fromJson } from './json.ts';
import type { MemoryCase, MemoryStore } from './store.ts';

interface CaseRow {
  id: number;
  signature: string;
  service: string;
  cause: string;
  incident: number;
  last_incident: number;
  actions: string;
  found_by: string;
  resolution: string;
  held: number;
  failed: number;
  last_at: number;
}

const caseOf = (row: CaseRow): MemoryCase => ({
  id: row.id,
  signature: row.signature,
  service: row.service,
  cause: row.cause,
  incident: row.incident,
  lastIncident: row.last_incident,
  actions: fromJson('memory_cases.actions', row.actions),
  foundBy: row.found_by,
  resolution: row.resolution,
  held: row.held,
  failed: row.failed,
  lastAt: row.last_at,
});

/** What makes two ways of resolving the same: the calls, whatever was given as their reason; without calls, the words. */
function identityOf(draft: Pick<MemoryCase, 'actions' | 'resolution'>): string {
  if (draft.actions.length > 0) {
    return canonicalJson(draft.actions.map((action) => ({ tool: action.tool, arguments: action.arguments })));
  }
  const words =
    draft.resolution
      .toLowerCase()
      .replace(/\d+/g, '#')
      .match(/[\p{L}#]+/gu) ?? [];
  return words.join(' ');
}

/** What was tried for a signature, and how often it held. */
export function createMemory(database: Database, clock: Clock): MemoryStore {
  const record = database.prepare<[Record<string, unknown>], CaseRow>(
    `INSERT INTO memory_cases
       (signature, identity, service, cause, incident, last_incident, actions, found_by, resolution, held, failed, last_at)
     VALUES (@signature, @identity, @service, @cause, @incident, @incident, @actions, @foundBy, @resolution, @held, @failed, @at)
     ON CONFLICT (signature, identity) DO UPDATE SET
       last_incident = excluded.last_incident, held = held + excluded.held, failed = failed + excluded.failed,
       last_at = excluded.last_at
     RETURNING *`,
  );
  const bySignature = database.prepare<[string], CaseRow>(
    'SELECT * FROM memory_cases WHERE signature = ? ORDER BY held DESC, failed, last_at DESC',
  );
  const list = database.prepare<[number], CaseRow>('SELECT * FROM memory_cases ORDER BY last_at DESC, id DESC LIMIT ?');
  return {
    record(draft, held) {
      const row = record.get({
        ...draft,
        identity: identityOf(draft),
        actions: JSON.stringify(draft.actions),
        held: held ? 1 : 0,
        failed: held ? 0 : 1,
        at: clock.now(),
      });
      if (!row) throw new Error('the memory was not written');
      return caseOf(row);
    },
    bySignature: (signature) => bySignature.all(signature).map(caseOf),
    list: (limit = -1) => list.all(limit).map(caseOf),
  };
}
