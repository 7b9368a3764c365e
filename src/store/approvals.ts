import type { Clock } from '../base/clock.ts';
import type { Risk } from '../config/schema.ts';
import type { Database } from './database.ts';
import { fromJson } from './json.ts';
import type { Approval, ApprovalState, ApprovalStore } from './store.ts';

interface ApprovalRow {
  id: number;
  incident: number | null;
  action: string;
  title: string;
  service: string;
  risk: Risk;
  undo: string;
  asked_by: string;
  asked_at: number;
  expires_at: number;
  state: ApprovalState;
  decided_at: number | null;
  because: string | null;
}

const approvalOf = (row: ApprovalRow): Approval => ({
  id: row.id,
  incident: row.incident,
  action: fromJson('approvals.action', row.action),
  title: row.title,
  service: row.service,
  risk: row.risk,
  undo: row.undo,
  by: row.asked_by,
  askedAt: row.asked_at,
  expiresAt: row.expires_at,
  state: row.state,
  decidedAt: row.decided_at,
  because: row.because,
});

/** A yes in the last second still has time to be carried out: it can be used for at least a minute after it was given. */
const GRACE_MS = 60_000;
const USABLE_UNTIL = `max(expires_at, coalesce(decided_at, 0) + ${GRACE_MS})`;

/** Questions to a person. Every change of state is one UPDATE that names the state before it: no two processes both win. */
export function createApprovals(database: Database, clock: Clock): ApprovalStore {
  const ask = database.prepare<[Record<string, unknown>], ApprovalRow>(
    `INSERT INTO approvals (incident, action, title, service, risk, undo, asked_by, asked_at, expires_at, state)
     VALUES (@incident, @action, @title, @service, @risk, @undo, @by, @askedAt, @expiresAt, 'waiting') RETURNING *`,
  );
  const decide = database.prepare<[ApprovalState, number, string | null, number, number], ApprovalRow>(
    `UPDATE approvals SET state = ?, decided_at = ?, because = ?
     WHERE id = ? AND state = 'waiting' AND expires_at > ? RETURNING *`,
  );
  const use = database.prepare<[number, number], ApprovalRow>(
    `UPDATE approvals SET state = 'used' WHERE id = ? AND state = 'approved' AND ${USABLE_UNTIL} > ? RETURNING *`,
  );
  const expire = database.prepare<[{ now: number }], ApprovalRow>(
    `UPDATE approvals SET state = 'expired'
     WHERE (state = 'waiting' AND expires_at <= @now) OR (state = 'approved' AND ${USABLE_UNTIL} <= @now) RETURNING *`,
  );
  const withdraw = database.prepare<[number]>(
    "UPDATE approvals SET state = 'expired' WHERE incident = ? AND state IN ('waiting', 'approved')",
  );
  const one = database.prepare<[number], ApprovalRow>('SELECT * FROM approvals WHERE id = ?');
  const list = database.prepare<[{ state: string | null; incident: number | null }], ApprovalRow>(
    `SELECT * FROM approvals WHERE (@state IS NULL OR state = @state) AND (@incident IS NULL OR incident = @incident)
     ORDER BY id`,
  );
  const orNull = (row: ApprovalRow | undefined) => (row ? approvalOf(row) : null);
  return {
    ask(draft) {
      const row = ask.get({ ...draft, action: JSON.stringify(draft.action) });
      if (!row) throw new Error('the approval was not written');
      return approvalOf(row);
    },
    decide: (id, state, because) => orNull(decide.get(state, clock.now(), because, id, clock.now())),
    use: (id) => orNull(use.get(id, clock.now())),
    get: (id) => orNull(one.get(id)),
    list: (filter = {}) => list.all({ state: filter.state ?? null, incident: filter.incident ?? null }).map(approvalOf),
    withdraw: (incident) => void withdraw.run(incident),
    expire: () => expire.all({ now: clock.now() }).map(approvalOf),
  };
}
