import { z } from 'zod';
import type { Config } from '../../src/config/schema.ts';
import { formatBytes } from '../../src/health/format.ts';
import { type Host, succeeded } from '../../src/hosts/host.ts';
import { oneOf, reason, servicesOnHosts } from '../shared/names.ts';
import { isWithin, plain, preciousOn, realParent } from '../shared/places.ts';
import { count, done, failed, whatCameBack } from '../shared/say.ts';
import { defineTool, type ToolContext, type ToolScope } from '../tool.ts';

const output = z.object({ directory: z.string(), freedBytes: z.number(), entriesLeft: z.number().nullable() });

/** Of whom, and where: SERVICE:PATH would be hard to write, and a path belongs to one service. */
const directoriesIn = (scope: ToolScope, config: Config): string[] =>
  servicesOnHosts(scope, config, (service) => (service.clear?.length ?? 0) > 0).flatMap(
    (name) => config.services.get(name)?.clear ?? [],
  );

export const clearDirectory = defineTool({
  name: 'clear_directory',
  description:
    'Deletes everything inside an allow-listed directory, such as a cache or temporary files; the directory itself stays. For a full disk or used-up inodes. Cannot be undone.',
  risk: 'disruptive',
  applies: (scope, config) => directoriesIn(scope, config).length > 0,
  input: (scope, config) => z.strictObject({ directory: oneOf(directoriesIn(scope, config), 'what to empty'), reason }),
  output,
  async plan({ directory }, context) {
    const ready = await look(directory, context);
    if ('refusal' in ready) return ready;
    return {
      plan: {
        title: `delete the content of ${directory} (${count(ready.entries, 'entry', 'entries')}, ${formatBytes(ready.bytes)})`,
        service: ready.service,
        risk: 'disruptive',
        undo: 'none',
      },
    };
  },
  async run({ directory }, context) {
    const ready = await look(directory, context);
    if ('refusal' in ready)
      return failed(`${directory} was not cleared: ${ready.refusal}`, { directory, freedBytes: 0, entriesLeft: null });
    const { host } = ready;
    const darwin = (await host.platform()) === 'darwin';
    // -delete follows no link, and a directory that became one is not entered; -xdev stays on this file system.
    const argv = darwin
      ? (['find', '-x', directory, '-mindepth', '1', '-delete'] as const)
      : (['find', '-P', directory, '-xdev', '-mindepth', '1', '-delete'] as const);
    const result = await host.run({ argv, timeoutMs: 120_000, signal: context.signal });
    const [left, bytes] = await Promise.all([host.list(directory), sizeOf(directory, context, ready.service)]);
    const entriesLeft = left.ok ? left.value.length : null;
    const freedBytes = Math.max(0, ready.bytes - bytes);
    const details = { directory, freedBytes, entriesLeft };
    if (!succeeded(result) && entriesLeft !== 0)
      return failed(
        `${directory} was cleared only in part (${formatBytes(freedBytes)} freed, ${entriesLeft ?? 'an unknown number of'} entries left). ${whatCameBack(result, host)}`,
        details,
      );
    return done(
      `deleted the content of ${directory}: ${formatBytes(freedBytes)} freed${entriesLeft ? `; ${count(entriesLeft, 'entry', 'entries')} appeared meanwhile` : ''}. Files that are still open keep their space until they are closed (disk_usage shows them).`,
      details,
    );
  },
});

/** What a data directory has inside: whoever put it on the list did not mean this. */
const DATA = new Set(['PG_VERSION', 'ibdata1', 'dump.rdb', 'appendonlydir', '.git', 'WiredTiger', 'chain', 'keystore']);
const SYSTEM =
  /^\/(bin|boot|dev|etc|home|lib\w*|media|mnt|opt|proc|root|run|sbin|srv|sys|usr|var|Users|System|Library|Applications|private|Volumes)(\/(lib|log|cache|bin|sbin|share|local|spool|www|run|db|[^/]+)?)?$/;

interface Ready {
  service: string;
  host: Host;
  entries: number;
  bytes: number;
}

async function look(directory: string, context: ToolContext): Promise<Ready | { refusal: string }> {
  const service = [...context.config.services.values()].find((each) => each.clear?.includes(directory));
  if (!service) return { refusal: 'it is on nobody’s `clear:` list' };
  const host = context.host(service.host);
  const facts = await plain(host, directory, 'directory');
  if (!facts.ok) return { refusal: facts.error };
  const real = await realParent(host, directory);
  if (!real.ok) return { refusal: real.error };
  const tooHigh =
    real.value.split('/').filter(Boolean).length < 2 ||
    (SYSTEM.test(real.value) &&
      !/^\/(home|Users|opt|srv|mnt|media|Volumes)\/[^/]+$/.test(real.value) &&
      !/^\/var\/cache\//.test(real.value));
  if (tooHigh) return { refusal: `${real.value} belongs to the system` };
  if (/^\/(home|Users)\/[^/]+$/.test(real.value)) return { refusal: `${real.value} is the home of a person` };
  for (const { path, what } of preciousOn(context.config, service.host)) {
    const at = await realParent(host, path);
    if (isWithin(at.ok ? at.value : path, real.value) || isWithin(path, directory))
      return { refusal: `${path} (${what}) lies in it` };
  }
  const listed = await host.list(directory);
  if (!listed.ok) return { refusal: listed.error };
  if (listed.value.length === 0) return { refusal: 'it is empty' };
  const data = listed.value.find((entry) => DATA.has(entry.path.slice(entry.path.lastIndexOf('/') + 1)));
  if (data) return { refusal: `${data.path} is in it: this looks like data, not like something to throw away` };
  return {
    service: service.name,
    host,
    entries: listed.value.length,
    bytes: await sizeOf(directory, context, service.name),
  };
}

async function sizeOf(directory: string, context: ToolContext, service: string): Promise<number> {
  const result = await context
    .host(context.service(service).host)
    .run({ argv: ['du', '-xsk', directory], timeoutMs: 30_000, signal: context.signal });
  return Number.parseInt(result.stdout, 10) * 1024 || 0;
}
