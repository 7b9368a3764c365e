import { once } from 'node:events';
import { connect as openSocket, type Socket } from 'node:net';
import type { CheckConfig } from '../../config/checks.ts';
import { addressOf } from '../address.ts';
import type { CheckRunner, Measurement } from '../check.ts';
import { down, unmeasured } from '../finding.ts';
import { excerpt, formatSpan, tenth } from '../format.ts';
import { breachOf, judge, limitText } from '../limits.ts';
import { reachEndpoint, unreached } from '../reach.ts';
import { reveal } from '../secret.ts';
import { codeOf, socketTrouble } from '../socket-trouble.ts';

/**
 * Accepts connections and answers; with `query` the number it gives is held against the limits, without one the
 * latency is. The query runs in a read-only transaction with a time limit at the server.
 */
export const postgres: CheckRunner<'postgres'> = async (check, context) => {
  const { settings, withinMs } = check;
  const url = new URL(settings.postgres);
  const password = reveal(context, settings.password);
  if (!password.ok) return password.measurement;
  const reached = await reachEndpoint(context, addressOf(url) || 'localhost', Number(url.port) || 5432);
  if (!reached.ok) return unreached(check, reached);
  await using endpoint = reached.endpoint;
  const { default: connect } = await import('postgres');
  const options = {
    socket: oneSocket(endpoint, context.signal),
    host: endpoint.address,
    port: endpoint.port,
    database: decodeURIComponent(url.pathname.slice(1)) || decodeURIComponent(url.username) || 'postgres',
    username: decodeURIComponent(url.username) || 'postgres',
    password: password.secret ?? decodeURIComponent(url.password),
    ssl: sslOf(url.searchParams.get('sslmode'), addressOf(url)),
    max: 1,
    connect_timeout: Math.max(withinMs / 1000, 0.1),
    fetch_types: false,
    prepare: false,
    onnotice: () => undefined,
    connection: { application_name: 'nightshift' },
  };
  const sql = connect(options);
  const startedAt = performance.now();
  const onAbort = (): void => void sql.end({ timeout: 0 });
  context.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const rows = await sql.begin('read only', async (transaction) => {
      // The server ends the query a little before our own limit, so that nothing is left running there.
      await transaction.unsafe(`set local statement_timeout = ${Math.max(Math.floor(withinMs * 0.9), 50)}`);
      return transaction.unsafe(settings.query ?? 'select 1');
    });
    return judgeRows(check, rows, performance.now() - startedAt);
  } catch (thrown) {
    if (context.signal.aborted)
      return down(check, 'timed-out', `${url.host}: no answer within ${formatSpan(performance.now() - startedAt)}`);
    return explain(check, thrown, url.host);
  } finally {
    context.signal.removeEventListener('abort', onAbort);
    await sql.end({ timeout: 0 });
  }
};

/** The client would connect again and again, at once, when a server closes the first connection: one try is a measurement. */
function oneSocket({ address, port }: { address: string; port: number }, signal: AbortSignal): () => Promise<Socket> {
  let tried = false;
  return async () => {
    if (tried) throw Object.assign(new Error('the connection was closed'), { code: 'CONNECTION_CLOSED' });
    tried = true;
    const socket = openSocket({ host: address, port });
    signal.addEventListener('abort', () => socket.destroy(), { once: true });
    await once(socket, 'connect', { signal });
    return socket;
  };
}

function sslOf(mode: string | null, name: string): false | 'prefer' | 'require' | { servername: string } {
  if (mode === 'verify-full' || mode === 'verify-ca') return { servername: name };
  if (mode === 'require' || mode === 'prefer') return mode;
  return false;
}

function judgeRows(
  check: CheckConfig<'postgres'>,
  rows: readonly Record<string, unknown>[],
  latencyMs: number,
): Measurement {
  const { settings } = check;
  const facts = { latency_ms: tenth(latencyMs) };
  if (settings.query === undefined) {
    const more = { value: tenth(latencyMs), unit: 'ms', facts };
    const summary = `answers in ${formatSpan(latencyMs)}`;
    const breach = breachOf(latencyMs, settings);
    if (!breach) return { verdict: 'ok', summary, ...more };
    return {
      verdict: breach.verdict,
      reason: 'slow',
      summary: `${summary} (limit: ${limitText(breach.limit)})`,
      ...more,
    };
  }
  const first = Object.values(rows[0] ?? {})[0];
  const value = first === null || first === undefined || first === '' ? Number.NaN : Number(first);
  if (Number.isNaN(value)) {
    const got = rows.length === 0 ? 'no row' : `"${excerpt(String(first), 60)}"`;
    return unmeasured('no-number', `the query gave ${got}, a number was expected`, { facts });
  }
  return judge({ value, summary: `the query gives ${value}`, facts: { ...facts, value } }, settings);
}

/** SQLSTATE to a reason; `false` where it is Nightshift that may not look, which says nothing of the server. */
const STATES: Readonly<Record<string, readonly [reason: string, measured: boolean]>> = {
  '57P03': ['starting-up', true],
  '53300': ['too-many-connections', true],
  '57P01': ['shutting-down', true],
  '57P02': ['crashed', true],
  '57014': ['timed-out', true],
  '53100': ['disk-full', true],
  '53200': ['out-of-memory', true],
  '28P01': ['auth', false],
  '28000': ['auth', false],
  '42501': ['not-permitted', false],
  '3D000': ['no-database', true],
};

function explain(check: CheckConfig<'postgres'>, thrown: unknown, where: string): Measurement {
  const message = excerpt(thrown instanceof Error ? thrown.message : String(thrown));
  const code = codeOf(thrown);
  const known = STATES[code];
  if (known) {
    const reason = /shutting down/.test(message) ? 'shutting-down' : known[0];
    return known[1] ? down(check, reason, `${where}: ${message}`) : unmeasured(reason, `${where}: ${message}`);
  }
  // pgbouncer and older servers say the same in words only.
  if (/starting up|recovery mode/.test(message)) return down(check, 'starting-up', `${where}: ${message}`);
  if (/too many (clients|connections)|remaining connection slots|no more connections/.test(message))
    return down(check, 'too-many-connections', `${where}: ${message}`);
  if (code === 'CONNECT_TIMEOUT')
    return down(check, 'timed-out', `${where}: no connection within ${formatSpan(check.withinMs)}`);
  if (code === 'CONNECTION_CLOSED' || code === 'CONNECTION_ENDED' || code === 'CONNECTION_DESTROYED')
    return down(check, 'reset', `${where}: the connection was closed`);
  const trouble = socketTrouble(thrown, where);
  if (trouble) return down(check, trouble.reason, trouble.summary);
  return down(check, 'query-failed', `${where}: ${message}`);
}
