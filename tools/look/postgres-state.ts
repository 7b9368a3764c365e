import { z } from 'zod';
import { excerpt, formatBytes, formatSpan } from '../../src/health/format.ts';
import { hideSecrets } from '../shared/mask.ts';
import { oneOf, servicesIn } from '../shared/names.ts';
import { postgresCheck, type Query, withPostgres } from '../shared/postgres.ts';
import { done, failed, lines } from '../shared/say.ts';
import { isIdle, readSessions, type Session } from '../shared/sessions.ts';
import { defineTool, type ToolContext } from '../tool.ts';

const SHOWN = 8;
const output = z.object({
  service: z.string(),
  sessions: z.number().nullable(),
  maxConnections: z.number().nullable(),
  states: z.record(z.string(), z.number()),
  blocked: z.number(),
  oldestTransactionSeconds: z.number().nullable(),
  inRecovery: z.boolean().nullable(),
});

export const postgresState = defineTool({
  name: 'postgres_state',
  description:
    'Inside a Postgres: sessions by state against the limit, who blocks whom, the oldest transaction, replication, sizes. Gives ids such as session-2. Use it for slow or refused database connections.',
  risk: 'read',
  applies: (scope, config) => servicesIn(scope, config, (service) => postgresCheck(service) !== null).length > 0,
  input: (scope, config) =>
    z.strictObject({
      service: oneOf(
        servicesIn(scope, config, (service) => postgresCheck(service) !== null),
        'a Postgres',
      ),
    }),
  output,
  async run({ service: name }, context) {
    const read = await withPostgres(context.service(name), context, async (query) => ({
      sessions: await readSessions(query),
      ...(await readServer(query)),
    }));
    if (!read.ok)
      return failed(`${read.error}. service_status and read_logs(${name}) may tell why.`, {
        service: name,
        sessions: null,
        maxConnections: null,
        states: {},
        blocked: 0,
        oldestTransactionSeconds: null,
        inRecovery: null,
      });
    const { sessions, maxConnections, reserved, inRecovery, replicas, databases } = read.value;
    const states: Record<string, number> = {};
    for (const { state } of sessions) states[state] = (states[state] ?? 0) + 1;
    const blocked = sessions.filter(({ blockedBy }) => blockedBy.length > 0);
    const blockers = sessions.filter(({ pid }) => blocked.some(({ blockedBy }) => blockedBy.includes(pid)));
    const oldest = Math.max(0, ...sessions.map(({ transactionSeconds }) => transactionSeconds ?? 0));
    const telling = [
      ...new Set([
        ...blockers,
        ...sessions.filter(isIdle).toSorted((a, b) => b.forSeconds - a.forSeconds),
        ...sessions,
      ]),
    ].slice(0, SHOWN);
    const content = lines(
      `${name}: ${sessions.length + 1} of ${maxConnections} connections in use (${reserved} reserved for superusers)${inRecovery ? ', IN RECOVERY or a standby' : ''}`,
      sessions.length + 1 >= maxConnections - reserved && '  NO SLOT is left for ordinary clients',
      `  sessions: ${
        Object.entries(states)
          .map(([state, times]) => `${times} ${state}`)
          .join(', ') || 'none but ours'
      }`,
      oldest > 0 && `  oldest transaction: ${formatSpan(oldest * 1000)}`,
      blocked.length > 0 &&
        `  ${blocked.length} wait for locks held by pid ${blockers.map(({ pid }) => pid).join(', ')}`,
      telling.map((each) => sessionLine(each, name, context)),
      replicas.map(({ name: replica, state, lag }) => `  replica ${replica}: ${state}, ${formatBytes(lag)} behind`),
      `  sizes: ${databases.map(({ database, bytes }) => `${database} ${formatBytes(bytes)}`).join(', ')}`,
    );
    return done(content, {
      service: name,
      sessions: sessions.length,
      maxConnections,
      states,
      blocked: blocked.length,
      oldestTransactionSeconds: oldest,
      inRecovery,
    });
  },
});

function sessionLine(each: Session, service: string, context: ToolContext): string {
  const id = context.handles.remember('session', context.service(service).host, {
    service,
    pid: each.pid,
    began: each.began,
  });
  const parts = [
    id.padEnd(10),
    `pid ${each.pid}`,
    `${each.name}@${each.client}`,
    each.application,
    `${each.state} for ${formatSpan(each.forSeconds * 1000)}`,
    each.waitsFor !== null && !isIdle(each) ? `waits for ${each.waitsFor}` : '',
    each.blockedBy.length > 0 ? `BLOCKED BY pid ${each.blockedBy.join(', ')}` : '',
    each.query === '' ? '' : `"${excerpt(hideSecrets(each.query), 100)}"`,
  ];
  return `  ${parts.filter(Boolean).join('  ')}`;
}

async function readServer(query: Query) {
  const number = z.coerce.number();
  const [server] = await query(
    "select current_setting('max_connections') as most, current_setting('superuser_reserved_connections') as reserved, pg_is_in_recovery()::text as recovery",
  );
  const replicas = await query(
    'select coalesce(application_name, client_addr::text, $1) as name, coalesce(state, $1) as state, coalesce(pg_wal_lsn_diff(case when pg_is_in_recovery() then replay_lsn else pg_current_wal_lsn() end, replay_lsn), 0)::float8 as lag from pg_stat_replication',
    ['unknown'],
  );
  const sizes = await query(
    "select datname as database, (case when has_database_privilege(datname, 'connect') then pg_database_size(datname) else 0 end)::float8 as bytes from pg_database where not datistemplate order by 2 desc limit 5",
  );
  return {
    maxConnections: number.parse(server?.most),
    reserved: number.parse(server?.reserved),
    inRecovery: z.string().parse(server?.recovery) === 'true',
    replicas: z.array(z.object({ name: z.string(), state: z.string(), lag: number })).parse(replicas),
    databases: z.array(z.object({ database: z.string(), bytes: number })).parse(sizes),
  };
}
