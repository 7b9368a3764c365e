import { failure, messageOf, type Outcome, success } from '../../src/base/outcome.ts';
import type { CheckConfig } from '../../src/config/checks.ts';
import type { Service } from '../../src/config/schema.ts';
import { addressOf } from '../../src/health/address.ts';
import type { ToolContext } from '../tool.ts';

const TIME_LIMIT_MS = 6000;

/** Sends one command and gives its reply as text, number, list or null. */
type Command = (...words: string[]) => Promise<unknown>;

/** The service's own redis check: where its server is and how to log in. */
export const redisCheck = (service: Service): CheckConfig<'redis'>['settings'] | null => {
  for (const { settings } of service.checks) if ('redis' in settings) return settings;
  return null;
};

/** One connection to the server of a service's redis check, as that check logs in, for at most 6 s. Failure is a value. */
export async function withRedis<Value>(
  service: Service,
  context: ToolContext,
  use: (command: Command) => Promise<Value>,
): Promise<Outcome<Value>> {
  const settings = redisCheck(service);
  if (settings === null) return failure(`${service.name} has no redis check, so there is no URL to connect to`);
  const url = new URL(settings.redis);
  const where = `redis ${url.host}`;
  const host = context.host(service.host);
  let password: string;
  try {
    password = settings.password === undefined ? decodeURIComponent(url.password) : context.secret(settings.password);
  } catch (thrown) {
    return failure(`${where}: its password is not there: ${messageOf(thrown)}`);
  }
  const reached = await host.reach(addressOf(url), Number(url.port) || 6379);
  if (!reached.ok) return failure(`${where} cannot be reached from ${host.name}: ${reached.error}`);
  await using endpoint = reached.value;
  const { createClient } = await import('@redis/client');
  const place = {
    host: endpoint.address,
    port: endpoint.port,
    connectTimeout: TIME_LIMIT_MS,
    reconnectStrategy: false,
  } as const;
  const client = createClient({
    socket: url.protocol === 'rediss:' ? { ...place, tls: true, servername: addressOf(url) } : place,
    username: decodeURIComponent(url.username) || undefined,
    password: password || undefined,
    RESP: 2,
    disableClientInfo: true,
  });
  // Errors come as rejections of what was asked; without a listener they would end the process, too.
  client.on('error', () => undefined);
  const late = AbortSignal.any([context.signal, AbortSignal.timeout(TIME_LIMIT_MS)]);
  const { promise: tooLate, reject } = Promise.withResolvers<never>();
  const onAbort = () =>
    reject(new Error(`no answer within ${TIME_LIMIT_MS / 1000} s: it accepts connections but hangs`));
  late.addEventListener('abort', onAbort, { once: true });
  try {
    const asked = client.connect().then(() => use((...words) => client.sendCommand(words)));
    return success(await Promise.race([asked, tooLate]));
  } catch (thrown) {
    return failure(`${where}: ${explained(messageOf(thrown))}`);
  } finally {
    late.removeEventListener('abort', onAbort);
    if (client.isOpen) client.destroy();
  }
}

function explained(message: string): string {
  if (/ECONNREFUSED/.test(message)) return `${message} (nobody listens there: it is not running)`;
  if (/^NOAUTH|^WRONGPASS|without any password/.test(message))
    return `${message} (the password of its check is missing or wrong)`;
  if (/max number of clients/.test(message)) return `${message} (maxclients is reached: a client leaks connections)`;
  return message;
}
