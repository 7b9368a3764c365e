import type { Clock } from '../base/clock.ts';
import type { Incident, TimelineEntry, TimelineType } from '../incidents/incident.ts';
import type { Database } from './database.ts';
import { fromJson } from './json.ts';
import type { IncidentStore, TimelineDraft } from './store.ts';

interface IncidentRow {
  id: number;
  document: string;
}

interface EntryRow {
  id: number;
  incident: number;
  at: number;
  type: TimelineType;
  text: string;
  data: string;
}

type Draft = Omit<Incident, 'id'>;

const incidentOf = (row: IncidentRow): Incident => ({
  ...fromJson<Draft>('incidents.document', row.document),
  id: row.id,
});

const entryOf = ({ data, ...row }: EntryRow): TimelineEntry => ({ ...row, data: fromJson('timeline.data', data) });

/** What an incident becomes by a change that was made at `at`. An `undefined` in a change says nothing. */
function changed(draft: Draft, change: Partial<Draft>, at: number): Draft {
  const said = Object.fromEntries(
    Object.entries(change).filter(([name, value]) => value !== undefined && name !== 'id'),
  );
  return { ...draft, updatedAt: at, ...said };
}

/** Incidents as events: the change is kept with the entry that made it, and the incidents table follows from them. */
export function createIncidents(database: Database, clock: Clock): IncidentStore & { rebuild(): number } {
  const insertIncident = database.prepare<[string, string, number, string]>(
    'INSERT INTO incidents (state, service, opened_at, document) VALUES (?, ?, ?, ?)',
  );
  const putIncident = database.prepare<[number, string, string, number, string]>(
    `INSERT INTO incidents (id, state, service, opened_at, document) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET state = excluded.state, service = excluded.service,
       opened_at = excluded.opened_at, document = excluded.document`,
  );
  const insertEntry = database.prepare<[number, number, string, string, string, string | null]>(
    'INSERT INTO timeline (incident, at, type, text, data, change) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const one = database.prepare<[number], IncidentRow>('SELECT id, document FROM incidents WHERE id = ?');
  const unresolved = database.prepare<[], IncidentRow>(
    "SELECT id, document FROM incidents WHERE state <> 'resolved' ORDER BY id",
  );
  const list = database.prepare<[{ service: string | null; since: number; limit: number }], IncidentRow>(
    `SELECT id, document FROM incidents WHERE (@service IS NULL OR service = @service) AND opened_at >= @since
     ORDER BY id DESC LIMIT @limit`,
  );
  const entries = 'SELECT id, incident, at, type, text, data FROM timeline';
  const timeline = database.prepare<[number], EntryRow>(`${entries} WHERE incident = ? ORDER BY id`);
  const after = database.prepare<[number], EntryRow>(`${entries} WHERE id > ? ORDER BY id`);
  const lastEntry = database.prepare<[], { id: number | null }>('SELECT max(id) AS id FROM timeline');
  const changes = database.prepare<[], { incident: number; at: number; change: string }>(
    'SELECT incident, at, change FROM timeline WHERE change IS NOT NULL ORDER BY id',
  );

  const write = (incident: number, entry: TimelineDraft, change: Partial<Draft>, at: number): TimelineEntry => {
    const data = JSON.stringify(entry.data ?? {});
    const id = Number(
      insertEntry.run(incident, at, entry.type, entry.text, data, JSON.stringify(change)).lastInsertRowid,
    );
    return entryOf({ id, incident, at, type: entry.type, text: entry.text, data });
  };

  const get = (id: number): Incident | null => {
    const row = one.get(id);
    return row ? incidentOf(row) : null;
  };

  const open = database.transaction((draft: Draft, entry: TimelineDraft): Incident => {
    const document = JSON.stringify({ ...draft, id: undefined });
    const id = Number(insertIncident.run(draft.state, draft.service, draft.openedAt, document).lastInsertRowid);
    write(id, entry, { ...draft, updatedAt: draft.updatedAt }, clock.now());
    return incidentOf({ id, document });
  });

  const append = database.transaction((id: number, entry: TimelineDraft, change: Partial<Draft> = {}) => {
    const row = one.get(id);
    if (!row) throw new Error(`there is no incident #${id}`);
    const at = clock.now();
    const next = changed(fromJson<Draft>('incidents.document', row.document), change, at);
    const document = JSON.stringify(next);
    putIncident.run(id, next.state, next.service, next.openedAt, document);
    return { incident: incidentOf({ id, document }), entry: write(id, entry, change, at) };
  });

  const rebuild = database.transaction((): number => {
    const built = new Map<number, Draft>();
    for (const { incident, at, change } of changes.iterate()) {
      const said = fromJson<Partial<Draft>>('timeline.change', change);
      const before = built.get(incident);
      built.set(incident, before ? changed(before, said, at) : fromJson<Draft>('timeline.change', change));
    }
    for (const [id, draft] of built)
      putIncident.run(id, draft.state, draft.service, draft.openedAt, JSON.stringify(draft));
    return built.size;
  });

  return {
    // IMMEDIATE: what is read inside must not change before it is written.
    open: (draft, entry) => open.immediate(draft, entry),
    append: (id, entry, change) => append.immediate(id, entry, change),
    get,
    unresolved: () => unresolved.all().map(incidentOf),
    list: (filter = {}) =>
      list
        .all({ service: filter.service ?? null, since: filter.since ?? 0, limit: filter.limit ?? -1 })
        .map(incidentOf),
    timeline: (id) => timeline.all(id).map(entryOf),
    entriesAfter: (entryId) => after.all(entryId).map(entryOf),
    lastEntryId: () => lastEntry.get()?.id ?? 0,
    rebuild: () => rebuild.immediate(),
  };
}
