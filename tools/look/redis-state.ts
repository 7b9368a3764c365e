import { z } from 'zod';
import { formatBytes, formatSpan } from '../../src/health/format.ts';
import { oneOf, servicesIn } from '../shared/names.ts';
import { redisCheck, withRedis } from '../shared/redis.ts';
import { done, failed, lines } from '../shared/say.ts';
import { defineTool } from '../tool.ts';

const output = z.object({
  service: z.string(),
  info: z.record(z.string(), z.string()),
  slowCommands: z.number().nullable(),
});

/** What of INFO tells something; the rest is left out of what is kept. */
const TELLING = [
  'redis_version',
  'role',
  'uptime_in_seconds',
  'loading',
  'connected_clients',
  'blocked_clients',
  'maxclients',
  'rejected_connections',
  'used_memory',
  'used_memory_rss',
  'maxmemory',
  'maxmemory_policy',
  'evicted_keys',
  'expired_keys',
  'mem_fragmentation_ratio',
  'rdb_last_bgsave_status',
  'rdb_last_save_time',
  'rdb_changes_since_last_save',
  'rdb_bgsave_in_progress',
  'aof_enabled',
  'aof_last_write_status',
  'aof_last_bgrewrite_status',
  'instantaneous_ops_per_sec',
  'keyspace_hits',
  'keyspace_misses',
  'master_host',
  'master_port',
  'slave_read_only',
  'master_link_status',
  'master_last_io_seconds_ago',
  'connected_slaves',
];

export const redisState = defineTool({
  name: 'redis_state',
  description:
    'Inside a Redis: memory, clients, persistence (why it refuses writes: MISCONF), replication, slow commands.',
  risk: 'read',
  applies: (scope, config) => servicesIn(scope, config, (service) => redisCheck(service) !== null).length > 0,
  input: (scope, config) =>
    z.strictObject({
      service: oneOf(
        servicesIn(scope, config, (service) => redisCheck(service) !== null),
        'a Redis',
      ),
    }),
  output,
  async run({ service: name }, context) {
    const read = await withRedis(context.service(name), context, async (command) => ({
      info: z.string().parse(await command('INFO')),
      slow: z
        .number()
        .catch(0)
        .parse(await command('SLOWLOG', 'LEN').catch(() => 0)),
      slowest: z
        .array(z.tuple([z.unknown(), z.unknown(), z.number(), z.array(z.string())], z.unknown()))
        .catch([])
        .parse(await command('SLOWLOG', 'GET', '5').catch(() => [])),
      folder: z
        .tuple([z.string(), z.string()])
        .nullable()
        .catch(null)
        .parse(await command('CONFIG', 'GET', 'dir').catch(() => null)),
    }));
    if (!read.ok)
      return failed(`${read.error}. service_status and read_logs(${name}) may tell why.`, {
        service: name,
        info: {},
        slowCommands: null,
      });
    const all = parseInfo(read.value.info);
    const info = Object.fromEntries(
      TELLING.flatMap((field) => (all.has(field) ? [[field, all.get(field) ?? '']] : [])),
    );
    const number = (field: string) => Number(all.get(field) ?? Number.NaN);
    const limit = number('maxmemory');
    const now = context.clock.now();
    const failing = info.rdb_last_bgsave_status === 'err' || info.aof_last_write_status === 'err';
    const slowest = read.value.slowest.toSorted((a, b) => b[2] - a[2])[0];
    const content = lines(
      `${name}: redis ${info.redis_version}, ${info.role}, up ${formatSpan(number('uptime_in_seconds') * 1000)}${info.loading === '1' ? ', STILL LOADING its data: wait' : ''}`,
      `  memory ${formatBytes(number('used_memory'))} used${limit > 0 ? ` of ${formatBytes(limit)} (${Math.round((number('used_memory') / limit) * 100)} %), policy ${info.maxmemory_policy}` : ', no limit'}, evicted keys ${info.evicted_keys}`,
      `  clients ${info.connected_clients}${all.has('maxclients') ? ` of ${info.maxclients}` : ''}, blocked ${info.blocked_clients}, rejected connections ${info.rejected_connections}`,
      `  saves: last RDB save ${info.rdb_last_bgsave_status}, ${formatSpan(Math.max(0, now - number('rdb_last_save_time') * 1000))} ago, ${info.rdb_changes_since_last_save} changes since${info.aof_enabled === '1' ? `; AOF writes ${info.aof_last_write_status}` : ''}`,
      failing &&
        `  it CANNOT WRITE TO ITS DISK, so it refuses writes (MISCONF). Its folder: ${read.value.folder?.[1] ?? 'unknown'}; see disk_usage`,
      info.role === 'slave' &&
        `  it is a REPLICA of ${info.master_host}:${info.master_port}, link ${info.master_link_status}${info.slave_read_only === '0' ? '' : ': it refuses writes (READONLY)'}`,
      `  ${info.instantaneous_ops_per_sec} commands a second, ${read.value.slow} in its slow log${slowest === undefined ? '' : `, slowest ${(slowest[2] / 1000).toFixed(0)} ms: ${slowest[3][0] ?? ''}`}`,
    );
    return done(content, { service: name, info, slowCommands: read.value.slow });
  },
});

/** `field:value` lines, headings left out. */
export const parseInfo = (text: string): Map<string, string> =>
  new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const colon = line.indexOf(':');
      return line.startsWith('#') || colon < 1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)] as const];
    }),
  );
