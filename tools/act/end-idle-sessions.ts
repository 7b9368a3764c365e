import { z } from 'zod';
import { formatSpan } from '../../src/health/format.ts';
import { oneOf, reason, servicesIn } from '../shared/names.ts';
import { postgresCheck, type Query, withPostgres } from '../shared/postgres.ts';
import { count, done, failed, lines } from '../shared/say.ts';
import { isIdle, keptBecause, readSessions, type Session } from '../shared/sessions.ts';
import { defineTool, type ToolContext } from '../tool.ts';

const output = z.object({ service: z.string(), ended: z.number(), left: z.number() });

export const endIdleSessions = defineTool({
  name: 'end_idle_sessions',
  description:
    'Ends database sessions that sit idle, or idle in a transaction, for longer than some minutes, or those named by id from postgres_state. For used-up connections and locks held by an idle session. Never ends running queries, superusers or replication.',
  risk: 'disruptive',
  applies: (scope, config) => servicesIn(scope, config, (service) => postgresCheck(service) !== null).length > 0,
  input: (scope, config) =>
    z.strictObject({
      service: oneOf(
        servicesIn(scope, config, (service) => postgresCheck(service) !== null),
        'a Postgres',
      ),
      older_than_minutes: z
        .int()
        .min(1)
        .max(1440)
        .default(10)
        .describe('idle for at least this long; not looked at when sessions are named'),
      sessions: z
        .array(z.string().regex(/^session-\d{1,6}$/, 'an id such as session-2 from postgres_state was expected'))
        .min(1)
        .max(50)
        .optional(),
      reason,
    }),
  output,
  async plan(args, context) {
    const named = namedSessions(args, context);
    if ('refusal' in named) return named;
    const read = await withPostgres(context.service(args.service), context, readSessions);
    if (!read.ok) return { refusal: read.error };
    const { chosen, kept } = choose(read.value, args.older_than_minutes, named.keys);
    if (chosen.length === 0) return { refusal: lines(`no session of ${args.service} is to be ended`, kept) };
    const longest = Math.max(...chosen.map(({ forSeconds }) => forSeconds));
    return {
      plan: {
        title: `end ${count(chosen.length, 'idle database session')} of ${args.service} (of ${read.value.length}, idle up to ${formatSpan(longest * 1000)})`,
        service: args.service,
        risk: 'disruptive',
        undo: 'none',
      },
    };
  },
  async run(args, context) {
    const nothing = { service: args.service, ended: 0, left: 0 };
    const named = namedSessions(args, context);
    if ('refusal' in named) return failed(named.refusal, nothing);
    const did = await withPostgres(context.service(args.service), context, async (query) => {
      const { chosen, kept } = choose(await readSessions(query), args.older_than_minutes, named.keys);
      const ended = await end(query, chosen);
      return { asked: chosen.length, ended, kept, left: (await readSessions(query)).length };
    });
    if (!did.ok) return failed(`No session was ended: ${did.error}`, nothing);
    const { asked, ended, kept, left } = did.value;
    const details = { service: args.service, ended, left };
    if (asked === 0) return failed(lines('No session was ended: none fits any more.', kept), details);
    if (ended < asked)
      return failed(
        lines(
          `${ended} of ${asked} sessions were ended; the others became active, or this login may not end them.`,
          kept,
        ),
        details,
      );
    return done(
      lines(
        `ended ${count(ended, 'idle session')} of ${args.service}; ${left} are left. Clients that want one connect again.`,
        kept,
      ),
      details,
    );
  },
});

type Arguments = { service: string; sessions?: string[] | undefined };

/** The sessions that ids stand for, or null when none was named. */
function namedSessions(
  { service, sessions }: Arguments,
  { handles }: ToolContext,
): { keys: Set<string> | null } | { refusal: string } {
  if (sessions === undefined) return { keys: null };
  const keys = new Set<string>();
  for (const id of sessions) {
    const known = handles.recall('session', id);
    if (known?.value.service !== service)
      return {
        refusal: `${id} is no session of ${service} that is known (ids last an hour); postgres_state gives new ones`,
      };
    keys.add(`${known.value.pid} ${known.value.began}`);
  }
  return { keys };
}

function choose(all: readonly Session[], minutes: number, named: Set<string> | null) {
  const wanted =
    named === null
      ? all.filter((each) => isIdle(each) && each.forSeconds >= minutes * 60)
      : all.filter((each) => named.has(`${each.pid} ${each.began}`));
  const chosen = wanted.filter((each) => keptBecause(each) === null);
  const reasons = Map.groupBy(
    wanted.filter((each) => keptBecause(each) !== null),
    (each) => keptBecause(each) ?? '',
  );
  return { chosen, kept: [...reasons].map(([why, same]) => `${count(same.length, 'session')} left alone: ${why}`) };
}

/** Asks in the same statement again whether each is still that session, and still idle. */
async function end(query: Query, chosen: readonly Session[]): Promise<number> {
  let ended = 0;
  for (const { pid, began } of chosen) {
    const rows = await query(
      "select pg_terminate_backend(pid)::text as ended from pg_stat_activity where pid = $1 and backend_start::text = $2 and pid <> pg_backend_pid() and backend_type = 'client backend' and state like 'idle%'",
      [pid, began],
    );
    if (rows.some((row) => row.ended === 'true')) ended += 1;
  }
  return ended;
}
