import type { CheckConfig } from '../../config/checks.ts';
import { limit } from '../../config/checks.ts';
import { addressOf } from '../address.ts';
import type { CheckRunner, Measurement } from '../check.ts';
import { down, unmeasured } from '../finding.ts';
import { formatSpan, tenth } from '../format.ts';
import { breaches, breachOf, limitText } from '../limits.ts';
import { reachEndpoint, unreached } from '../reach.ts';
import { reveal } from '../secret.ts';
import { socketTrouble } from '../socket-trouble.ts';

/** PING and its latency, and fields of INFO that must have a value or stay within a limit. One connection, no second try. */
export const redis: CheckRunner<'redis'> = async (check, context) => {
  const { settings } = check;
  const url = new URL(settings.redis);
  const password = reveal(context, settings.password);
  if (!password.ok) return password.measurement;
  const port = Number(url.port) || 6379;
  const reached = await reachEndpoint(context, addressOf(url), port);
  if (!reached.ok) return unreached(check, reached);
  await using endpoint = reached.endpoint;
  const { createClient } = await import('@redis/client');
  const place = {
    host: endpoint.address,
    port: endpoint.port,
    connectTimeout: check.withinMs,
    reconnectStrategy: false,
  } as const;
  const client = createClient({
    socket: url.protocol === 'rediss:' ? { ...place, tls: true, servername: addressOf(url) } : place,
    username: decodeURIComponent(url.username) || undefined,
    password: password.secret ?? (decodeURIComponent(url.password) || undefined),
    database: Number(url.pathname.slice(1)) || 0,
    RESP: 2,
    disableClientInfo: true,
  });
  // Errors come as rejections of what was asked; without a listener they would end the process, too.
  client.on('error', () => undefined);
  const onAbort = (): void => client.destroy();
  context.signal.addEventListener('abort', onAbort, { once: true });
  const startedAt = performance.now();
  try {
    await client.connect();
    const askedAt = performance.now();
    await client.ping();
    const latencyMs = performance.now() - askedAt;
    const fields = parseInfo(await client.info());
    return judgeRedis(check, latencyMs, fields);
  } catch (thrown) {
    if (context.signal.aborted)
      return down(check, 'timed-out', `${url.host}: no answer within ${formatSpan(performance.now() - startedAt)}`);
    return explain(check, thrown, url.host);
  } finally {
    context.signal.removeEventListener('abort', onAbort);
    if (client.isOpen) client.destroy();
  }
};

/** `field:value` lines, headings left out. */
const parseInfo = (text: string): Map<string, string> =>
  new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(':');
      return line.startsWith('#') || colon < 1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
    }),
  );

function judgeRedis(check: CheckConfig<'redis'>, latencyMs: number, fields: Map<string, string>): Measurement {
  const { settings } = check;
  const number = (name: string): number | null => (fields.has(name) ? Number(fields.get(name)) : null);
  const more = {
    value: tenth(latencyMs),
    unit: 'ms',
    facts: {
      latency_ms: tenth(latencyMs),
      role: fields.get('role') ?? null,
      used_memory: number('used_memory'),
      maxmemory: number('maxmemory'),
      connected_clients: number('connected_clients'),
      blocked_clients: number('blocked_clients'),
      evicted_keys: number('evicted_keys'),
      rdb_last_bgsave_status: fields.get('rdb_last_bgsave_status') ?? null,
      aof_last_write_status: fields.get('aof_last_write_status') ?? null,
      loading: number('loading'),
    },
  };
  const took = `PONG in ${formatSpan(latencyMs)}`;
  if (fields.get('loading') === '1') return down(check, 'loading', `${took}, but it is still loading its data`, more);
  for (const [name, wanted] of Object.entries(settings.info ?? {})) {
    const found = fields.get(name);
    if (found === undefined || !infoFits(found, wanted))
      return down(check, 'info-mismatch', `${name} is ${found ?? 'missing'}, ${wanted} was expected`, more);
  }
  const breach = breachOf(latencyMs, settings);
  if (!breach) return { verdict: 'ok', summary: took, ...more };
  return { verdict: breach.verdict, reason: 'slow', summary: `${took} (limit: ${limitText(breach.limit)})`, ...more };
}

/** `ok` and `3` must be exactly that; `< 2GB` says what must hold. */
function infoFits(found: string, wanted: string | number): boolean {
  if (typeof wanted === 'number' || !/^\s*[<>=!]/.test(wanted)) return found === String(wanted);
  const bound = limit.safeParse(wanted).data;
  return bound !== undefined && breaches(Number(found), bound);
}

const REPLIES: readonly (readonly [pattern: RegExp, reason: string, measured: boolean])[] = [
  [/^LOADING/, 'loading', true],
  [/^MISCONF/, 'misconf', true],
  [/^READONLY/, 'readonly', true],
  [/^MASTERDOWN/, 'masterdown', true],
  [/^BUSY/, 'busy', true],
  [/max number of clients/i, 'too-many-connections', true],
  [/^NOAUTH|without any password|AUTH <password> called/i, 'noauth', false],
  [/^WRONGPASS|invalid password/i, 'wrongpass', false],
  [/^NOPERM/, 'not-permitted', false],
];

function explain(check: CheckConfig<'redis'>, thrown: unknown, where: string): Measurement {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const reply = REPLIES.find(([pattern]) => pattern.test(message));
  if (reply) return reply[2] ? down(check, reply[1], message) : unmeasured(reply[1], `${where}: ${message}`);
  const trouble = socketTrouble(thrown, where);
  if (trouble) return down(check, trouble.reason, trouble.summary);
  if (/socket closed|closed unexpectedly/i.test(message))
    return down(check, 'reset', `${where}: the connection was closed`);
  if (/timeout/i.test(message)) return down(check, 'timed-out', `${where}: ${message}`);
  return down(check, /protocol|unknown RESP|parse/i.test(message) ? 'not-redis' : 'failed', `${where}: ${message}`);
}
