import { kindInText } from '../../config/kind.ts';
import type { CheckInput } from '../../config/schema.ts';
import type { Host } from '../../hosts/host.ts';
import { exchange, findHealthPath } from './probe.ts';

/** What usually listens on a port, where no name tells. */
const USUAL: Readonly<Record<number, string>> = {
  22: 'ssh',
  80: 'nginx',
  443: 'nginx',
  1883: 'mqtt',
  3306: 'mysql',
  4222: 'nats',
  5432: 'postgres',
  5672: 'rabbitmq',
  6333: 'qdrant',
  6379: 'redis',
  9090: 'prometheus',
  9093: 'alertmanager',
  9200: 'elasticsearch',
  11211: 'memcached',
  11434: 'ollama',
  27017: 'mongodb',
};

/** Health endpoints of known programs, as their manuals name them. */
const PATHS: Readonly<Record<string, readonly string[]>> = {
  grafana: ['/api/health'],
  prometheus: ['/-/healthy'],
  alertmanager: ['/-/healthy'],
  chroma: ['/api/v2/heartbeat', '/api/v1/heartbeat'],
  qdrant: ['/healthz'],
  litellm: ['/health/liveliness'],
  elasticsearch: ['/_cluster/health'],
  minio: ['/minio/health/live'],
  mattermost: ['/api/v4/system/ping'],
  nats: ['/healthz'],
};

/** Paths that many programs answer when they are well, the most telling first. */
const COMMON = [
  '/health',
  '/healthz',
  '/api/health',
  '/-/healthy',
  '/status',
  '/api/healthz',
  '/ping',
  '/up',
  '/api/v1/heartbeat',
];

/** These speak no HTTP, and some of them count a stranger's request as an attack. */
const NOT_HTTP = new Set([
  21, 22, 23, 25, 53, 88, 110, 111, 139, 143, 389, 443, 445, 465, 514, 548, 587, 631, 636, 853, 873, 993, 995, 1433,
  1521, 1883, 2049, 2181, 3306, 3389, 4222, 5222, 5432, 5433, 5672, 5900, 6379, 6432, 6443, 6667, 8443, 8883, 9042,
  9092, 11211, 27017, 33060,
]);
const NOT_HTTP_KINDS = new Set([
  'ssh',
  'redis',
  'postgres',
  'mysql',
  'mongodb',
  'memcached',
  'mqtt',
  'kafka',
  'rabbitmq',
  'docker',
]);

/** What listens on a port, by its name or command, else by the port. */
export const kindOnPort = (port: number, text: string): string | undefined => kindInText(text) ?? USUAL[port];

interface ExaminedPort {
  check: CheckInput;
  suggestions: string[];
}

/** The first bytes of a PostgreSQL conversation: length, protocol 3.0, user and database. */
function postgresGreeting(): Buffer {
  const body = Buffer.from('user\0postgres\0database\0postgres\0\0');
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + body.length, 0);
  head.writeInt32BE(196_608, 4);
  return Buffer.concat([head, body]);
}

/** True when it lets `postgres` in without a password: an authentication request (R) of type 0. */
const letsIn = (reply: Buffer | null): boolean =>
  reply?.[0] === 0x52 && reply.length >= 9 && reply.readInt32BE(5) === 0;

/** Finds the check that says most about a port: its own protocol, then HTTP, then that it accepts connections. Every check returned has been seen to pass, as far as it can be without a password. */
export async function examinePort(
  host: Host,
  address: string,
  port: number,
  kind: string | undefined,
): Promise<ExaminedPort> {
  const at = address.includes(':') ? `[${address}]` : address;
  const tcp: CheckInput = { tcp: `${at}:${port}` };
  if (kind === 'redis') {
    const reply = (await exchange(host, address, port, Buffer.from('PING\r\n')))?.toString('latin1') ?? '';
    if (reply.startsWith('+PONG')) return { check: { redis: `redis://${at}:${port}`, warn: '50ms' }, suggestions: [] };
    const wanted = [`checks: [{ redis: "redis://${at}:${port}", password: env:REDIS_PASSWORD }]`];
    return { check: tcp, suggestions: /^-(NOAUTH|WRONGPASS)/.test(reply) ? wanted : [] };
  }
  if (kind === 'postgres') {
    const reply = await exchange(host, address, port, postgresGreeting());
    if (letsIn(reply)) return { check: { postgres: `postgres://postgres@${at}:${port}/postgres` }, suggestions: [] };
    return {
      check: tcp,
      suggestions: [`checks: [{ postgres: "postgres://USER@${at}:${port}/DATABASE", password: env:PGPASSWORD }]`],
    };
  }
  if (kind === 'ollama' && (await findHealthPath(host, address, port, ['/api/tags'])) === '/api/tags')
    return { check: { ollama: `http://${at}:${port}` }, suggestions: [] };
  if (port === 443 || port === 8443)
    return { check: tcp, suggestions: [`checks: [{ certificate: "${at}:${port}", server_name: YOUR.DOMAIN }]`] };
  if (NOT_HTTP.has(port) || (kind !== undefined && NOT_HTTP_KINDS.has(kind))) return { check: tcp, suggestions: [] };
  const paths = [...new Set([...(PATHS[kind ?? ''] ?? []), ...COMMON])];
  const path = await findHealthPath(host, address, port, paths);
  return { check: path === null ? tcp : { http: `http://${at}:${port}${path}` }, suggestions: [] };
}
