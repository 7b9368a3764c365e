import type { Clock } from '../base/clock.ts';
import type { Risk } from '../config/schema.ts';
import type { ActionRecord, ActionState } from '../incidents/incident.ts';
import type { Database } from './database.ts';
import { fromJson } from './json.ts';
import type { ActionStore } from './store.ts';

interface ActionRow {
  id: number;
  incident: number | null;
  tool: string;
  arguments: string;
  service: string | null;
  risk: Risk;
  undo: string;
  reason: string;
  asked_by: string;
  state: ActionState;
  intended_at: number;
  ended_at: number | null;
  outcome: string | null;
  held: number | null;
  pid: number;
}

const actionOf = (row: ActionRow): ActionRecord => ({
  id: row.id,
  incident: row.incident,
  tool: row.tool,
  arguments: fromJson('actions.arguments', row.arguments),
  service: row.service,
  risk: row.risk,
  undo: row.undo,
  reason: row.reason,
  by: row.asked_by,
  state: row.state,
  intendedAt: row.intended_at,
  endedAt: row.ended_at,
  outcome: row.outcome,
  held: row.held === null ? null : row.held === 1,
});

/** After this long an action that was begun is given up, even if a process with its pid lives: pids are used again. */
const ABANDONED_MS = 3_600_000;

/** Actions: each has its intent on disk before it starts, its outcome after. */
export function createActions(
  database: Database,
  clock: Clock,
  processLives: (pid: number) => boolean,
): Required<ActionStore> {
  const insert = database.prepare<[Record<string, unknown>], ActionRow>(
    `INSERT INTO actions (incident, tool, arguments, service, risk, undo, reason, asked_by, state, intended_at, pid)
     VALUES (@incident, @tool, @arguments, @service, @risk, @undo, @reason, @by, 'intended', @at, @pid) RETURNING *`,
  );
  const end = database.prepare<[ActionState, string, number, number], ActionRow>(
    'UPDATE actions SET state = ?, outcome = ?, ended_at = ? WHERE id = ? RETURNING *',
  );
  const held = database.prepare<[number, number]>('UPDATE actions SET held = ? WHERE id = ?');
  const one = database.prepare<[number], ActionRow>('SELECT * FROM actions WHERE id = ?');
  const of = database.prepare<[number], ActionRow>('SELECT * FROM actions WHERE incident = ? ORDER BY id');
  const unfinished = database.prepare<[], ActionRow>("SELECT * FROM actions WHERE state = 'intended' ORDER BY id");
  const recent = database.prepare<[{ service: string | null; since: number }], ActionRow>(
    `SELECT * FROM actions WHERE intended_at >= @since AND state <> 'refused' AND (@service IS NULL OR service = @service)
     ORDER BY id DESC`,
  );
  return {
    intend(draft) {
      const row = insert.get({
        ...draft,
        arguments: JSON.stringify(draft.arguments),
        at: clock.now(),
        pid: process.pid,
      });
      if (!row) throw new Error('the intent of an action was not written');
      return actionOf(row);
    },
    end(id, state, outcome) {
      const row = end.get(state, outcome, clock.now(), id);
      if (!row) throw new Error(`there is no action ${id}`);
      return actionOf(row);
    },
    setHeld(id, value) {
      held.run(value ? 1 : 0, id);
    },
    get(id) {
      const row = one.get(id);
      return row ? actionOf(row) : null;
    },
    of: (incident) => of.all(incident).map(actionOf),
    unfinished: () => unfinished.all().map(actionOf),
    abandoned: () =>
      unfinished
        .all()
        .filter(
          (row) => row.pid === process.pid || row.intended_at < clock.now() - ABANDONED_MS || !processLives(row.pid),
        )
        .map(actionOf),
    recent: ({ service, since }) => recent.all({ service: service ?? null, since }).map(actionOf),
  };
}
