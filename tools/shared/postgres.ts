import { failure, messageOf, type Outcome, success } from '../../src/base/outcome.ts';
import type { CheckConfig } from '../../src/config/checks.ts';
import type { Service } from '../../src/config/schema.ts';
import { addressOf } from '../../src/health/address.ts';
import { codeOf } from '../../src/health/socket-trouble.ts';
import type { ToolContext } from '../tool.ts';

const TIME_LIMIT_MS = 8000;

export type Row = Record<string, unknown>;
/** Runs one statement, with values apart from its text. */
export type Query = (text: string, values?: (string | number | string[])[]) => Promise<Row[]>;

/** The service's own postgres check: where its server is and how to log in. */
export const postgresCheck = (service: Service): CheckConfig<'postgres'>['settings'] | null => {
  for (const { settings } of service.checks) if ('postgres' in settings) return settings;
  return null;
};

/**
 * One connection to the server of a service's postgres check, as that check logs in, for at most 8 s. Every failure is a
 * value that says what it means and what can be done.
 */
export async function withPostgres<Value>(
  service: Service,
  context: ToolContext,
  use: (query: Query) => Promise<Value>,
): Promise<Outcome<Value>> {
  const settings = postgresCheck(service);
  if (settings === null) return failure(`${service.name} has no postgres check, so there is no URL to connect to`);
  const url = new URL(settings.postgres);
  const where = `postgres ${url.host}${url.pathname} as ${decodeURIComponent(url.username) || 'postgres'}`;
  const host = context.host(service.host);
  let password: string;
  try {
    password = settings.password === undefined ? decodeURIComponent(url.password) : context.secret(settings.password);
  } catch (thrown) {
    return failure(`${where}: its password is not there: ${messageOf(thrown)}`);
  }
  const reached = await host.reach(addressOf(url) || 'localhost', Number(url.port) || 5432);
  if (!reached.ok) return failure(`${where} cannot be reached from ${host.name}: ${reached.error}`);
  await using endpoint = reached.value;
  const { default: connect } = await import('postgres');
  const sslMode = url.searchParams.get('sslmode');
  const sql = connect({
    host: endpoint.address,
    port: endpoint.port,
    database: decodeURIComponent(url.pathname.slice(1)) || decodeURIComponent(url.username) || 'postgres',
    username: decodeURIComponent(url.username) || 'postgres',
    password,
    ssl: sslMode?.startsWith('verify-')
      ? { servername: addressOf(url) }
      : sslMode === 'require' || sslMode === 'prefer'
        ? sslMode
        : false,
    max: 1,
    connect_timeout: TIME_LIMIT_MS / 1000,
    fetch_types: false,
    prepare: false,
    onnotice: () => undefined,
    connection: { application_name: 'nightshift', statement_timeout: TIME_LIMIT_MS - 1000 },
  });
  const late = AbortSignal.any([context.signal, AbortSignal.timeout(TIME_LIMIT_MS)]);
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const onAbort = () =>
    reject(new Error(`no answer within ${TIME_LIMIT_MS / 1000} s: the server accepts connections but hangs`));
  late.addEventListener('abort', onAbort, { once: true });
  try {
    const query: Query = async (text, values = []) => [...(await sql.unsafe(text, values))];
    return success(await Promise.race([use(query), tooLate]));
  } catch (thrown) {
    return failure(`${where}: ${explained(thrown)}`);
  } finally {
    late.removeEventListener('abort', onAbort);
    await sql.end({ timeout: 0 });
  }
}

const STATES: Readonly<Record<string, string>> = {
  '57P03': 'the server is starting up or recovering; wait, do not restart it',
  '53300':
    'no connection slot is left. End idle sessions; if this login may not use the reserved slots either, a person must give the check a superuser URL',
  '28P01': 'the password of the check is wrong',
  '28000': 'this login is not allowed (pg_hba.conf)',
  '3D000': 'there is no such database',
  '42501': 'this login may not do that: it needs pg_monitor to look, pg_signal_backend to end sessions of others',
  '53100': 'its disk is full',
  ECONNREFUSED: 'nobody listens there: the server is not running',
};

function explained(thrown: unknown): string {
  const code = codeOf(thrown);
  const message = messageOf(thrown);
  const meaning =
    STATES[code] ?? (/remaining connection slots|too many clients/.test(message) ? STATES['53300'] : undefined);
  return `${message}${code !== '' && !message.includes(code) ? ` [${code}]` : ''}${meaning === undefined ? '' : ` (${meaning})`}`;
}
