import { z } from 'zod';
import type { Query } from './postgres.ts';

const number = z.coerce.number();
const session = z.object({
  pid: number,
  began: z.string(),
  name: z.string(),
  application: z.string(),
  client: z.string(),
  database: z.string(),
  state: z.string(),
  forSeconds: number,
  transactionSeconds: number.nullable(),
  waitsFor: z.string().nullable(),
  blockedBy: z.array(number),
  query: z.string(),
  superuser: z.boolean(),
  replication: z.boolean(),
});

/** A client's session as the server sees it. */
export type Session = z.infer<typeof session>;

const SESSIONS = `
  select a.pid::int, a.backend_start::text as began, coalesce(a.usename, '') as name,
    coalesce(a.application_name, '') as application, coalesce(host(a.client_addr), 'local') as client, coalesce(a.datname, '') as database,
    coalesce(a.state, 'hidden') as state,
    coalesce(extract(epoch from clock_timestamp() - a.state_change), 0)::float8 as "forSeconds",
    extract(epoch from clock_timestamp() - a.xact_start)::float8 as "transactionSeconds",
    case when a.wait_event_type is null then null else a.wait_event_type || ' ' || a.wait_event end as "waitsFor",
    array_to_json(pg_blocking_pids(a.pid))::text as "blockedBy",
    left(coalesce(a.query, ''), 300) as query,
    coalesce(r.rolsuper, false) as superuser, coalesce(r.rolreplication and not r.rolsuper, false) as replication
  from pg_stat_activity a left join pg_roles r on r.oid = a.usesysid
  where a.backend_type = 'client backend' and a.pid <> pg_backend_pid()`;

/** Every client session but our own. */
export async function readSessions(query: Query): Promise<Session[]> {
  const rows = await query(SESSIONS);
  return rows.map((row) =>
    session.parse({
      ...row,
      superuser: truth(row.superuser),
      replication: truth(row.replication),
      blockedBy: JSON.parse(z.string().parse(row.blockedBy)),
    }),
  );
}

/** Booleans come as `t` and `f` when types are not asked for. */
const truth = (value: unknown): boolean => value === true || value === 't' || value === 'true';

export const isIdle = ({ state }: Session): boolean => state === 'idle' || state.startsWith('idle in transaction');

/** Why a session is never ended by a tool; null when nothing speaks against it. */
export function keptBecause(each: Session): string | null {
  if (each.superuser) return 'a superuser: it may be maintenance';
  if (each.replication) return 'it may replicate';
  return isIdle(each) ? null : `it is ${each.state}, not idle`;
}
