import { z } from 'zod';
import { formatBytes, tenth } from '../../src/health/format.ts';
import { type Host, succeeded } from '../../src/hosts/host.ts';
import { deletedButOpen } from '../shared/deleted-files.ts';
import { type FileSystem, parseDf, parseDu, parseInodes } from '../shared/disk.ts';
import { hostArgument, oneOf } from '../shared/names.ts';
import { isWithin, placesOf } from '../shared/places.ts';
import { done, failed, lines, whatCameBack } from '../shared/say.ts';
import { defineTool, type ToolContext } from '../tool.ts';

const USUAL_PLACES = ['/var/log', '/var/lib', '/var/cache', '/tmp', '/home', '/opt', '/srv', '/'];
const DU_LIMIT_MS = 20_000;
const SHOWN = 12;
/** From here on it is worth looking for who uses up the inodes. */
const MANY_INODES = 80;

const output = z.object({
  host: z.string(),
  fileSystems: z.array(
    z.object({
      mount: z.string(),
      usedPercent: z.number(),
      freeBytes: z.number(),
      inodesPercent: z.number().nullable(),
    }),
  ),
  largest: z.array(z.object({ path: z.string(), bytes: z.number() })),
  deletedButOpen: z.array(z.object({ path: z.string(), pid: z.number(), bytes: z.number() })),
});

export const diskUsage = defineTool({
  name: 'disk_usage',
  description:
    'How full the disks are (space and inodes), what takes the most space below a directory, and deleted files still held open. Use it for ENOSPC or a disk check.',
  risk: 'read',
  input: (scope, config) => {
    const services = scope.services.flatMap((name) => config.services.get(name) ?? []);
    return z.strictObject({
      host: hostArgument(scope),
      below: oneOf(
        [...placesOf(services), ...USUAL_PLACES],
        'where to look for what is big; default: the fullest disk',
      ).optional(),
    });
  },
  output,
  async run({ host: hostName, below }, context) {
    const host = context.host(hostName);
    const platform = await host.platform();
    const df = await host.run({ argv: ['df', '-Pk'], timeoutMs: 10_000, signal: context.signal });
    const systems = parseDf(df.stdout);
    if (systems.length === 0)
      return failed(
        `The disks could not be looked at. ${whatCameBack(df, host)}. A network disk that hangs makes df hang, too.`,
        {
          host: host.name,
          fileSystems: [],
          largest: [],
          deletedButOpen: [],
        },
      );
    const inodes = parseInodes(
      (
        await host.run({
          argv: platform === 'darwin' ? ['df', '-ki'] : ['df', '-Pi'],
          timeoutMs: 10_000,
          signal: context.signal,
        })
      ).stdout,
      platform,
    );
    for (const system of systems) {
      system.inodesPercent = inodes.get(system.mount)?.percent ?? null;
      system.inodesFree = inodes.get(system.mount)?.free ?? null;
    }
    const target = below ?? tightest(systems)?.mount ?? '/';
    const holder = systemOf(target, systems);
    const [space, many, deleted] = await Promise.all([
      largestBelow(host, target, holder, context.signal),
      (holder?.inodesPercent ?? 0) >= MANY_INODES ? crowdedBelow(host, target, context.signal) : [],
      deletedButOpen(host, context.signal),
    ]);
    const content = lines(
      `${host.name}:`,
      systems
        .filter((system) => system === holder || system.usedPercent >= 1)
        .slice(0, 8)
        .map(fileSystemLine),
      space.entries.length > 0
        ? `largest below ${target}${space.note}:`
        : `nothing below ${target} that takes ${formatBytes(space.smallestBytes)} or more was seen${space.note}`,
      space.entries.map(
        ({ path, amount }) => `  ${formatBytes(amount).padStart(8)}  ${path}${remark(path, hostName, context)}`,
      ),
      many.length > 0 &&
        `most inodes below ${target}:\n${many.map(({ path, amount }) => `  ${amount}  ${path}${remark(path, hostName, context)}`).join('\n')}`,
      deleted.files.length > 0 &&
        `deleted, but still open (the space is free once the process closes them):\n${deleted.files.map((file) => `  ${formatBytes(file.sizeBytes).padStart(8)}  ${file.path}  pid ${file.pid} ${file.program ?? ''}`).join('\n')}`,
      deleted.note,
    );
    return done(content, {
      host: host.name,
      fileSystems: systems.map(({ mount, usedPercent, freeBytes, inodesPercent }) => ({
        mount,
        usedPercent: tenth(usedPercent),
        freeBytes,
        inodesPercent: inodesPercent === null ? null : tenth(inodesPercent),
      })),
      largest: space.entries.map(({ path, amount }) => ({ path, bytes: amount })),
      deletedButOpen: deleted.files.map(({ path, pid, sizeBytes }) => ({ path, pid, bytes: sizeBytes })),
    });
  },
});

/** The one that is closest to its end, in space or in inodes. */
const tightest = (systems: readonly FileSystem[]): FileSystem | undefined =>
  systems.toSorted((a, b) => worst(b) - worst(a))[0];
const worst = ({ usedPercent, inodesPercent }: FileSystem): number => Math.max(usedPercent, inodesPercent ?? 0);

const fileSystemLine = (system: FileSystem): string =>
  `  ${system.mount}  ${tenth(system.usedPercent)} % used, ${formatBytes(system.freeBytes)} free of ${formatBytes(system.sizeBytes)}` +
  (system.inodesPercent === null
    ? ''
    : `, inodes ${tenth(system.inodesPercent)} % used${system.inodesPercent >= MANY_INODES ? ' (ALMOST NONE LEFT)' : ''}`);

const systemOf = (path: string, systems: readonly FileSystem[]): FileSystem | undefined =>
  systems.filter(({ mount }) => isWithin(path, mount)).toSorted((a, b) => b.mount.length - a.mount.length)[0];

/** Files and directories on the same file system, but not those whose size is all in one entry below them. */
async function largestBelow(host: Host, target: string, system: FileSystem | undefined, signal: AbortSignal) {
  const smallest = Math.max(64, Math.round((system?.usedBytes ?? 0) / 1024 / 200));
  const result = await host.run({
    argv: ['du', '-xak', '-t', `${smallest}K`, target],
    timeoutMs: DU_LIMIT_MS,
    maxBytes: 4 * 1024 * 1024,
    signal,
  });
  const all = parseDu(result.stdout, target);
  const telling = all.filter(
    (entry) =>
      !all.some((other) => other !== entry && isWithin(other.path, entry.path) && other.amount > entry.amount * 0.9),
  );
  const unread = (result.stderr.match(/permission denied/gi) ?? []).length;
  const note = [
    result.failure === 'timed-out'
      ? `stopped after ${DU_LIMIT_MS / 1000} s, so not complete: choose a smaller \`below\``
      : '',
    result.failure !== undefined && result.failure !== 'timed-out' ? whatCameBack(result, host) : '',
    result.failure === undefined && !succeeded(result) && all.length === 0 ? whatCameBack(result, host) : '',
    unread > 0 ? `${unread} directories could not be read` : '',
  ]
    .filter(Boolean)
    .join('; ');
  return {
    entries: telling.slice(0, SHOWN),
    smallestBytes: smallest * 1024,
    note: note === '' ? '' : ` (${note})`,
  };
}

/** Directories with the most entries. BSD's du cannot count inodes; there it stays unknown. */
async function crowdedBelow(host: Host, target: string, signal: AbortSignal) {
  const result = await host.run({
    argv: ['du', '-x', '--inodes', '-S', target],
    timeoutMs: DU_LIMIT_MS,
    maxBytes: 4 * 1024 * 1024,
    signal,
  });
  return parseDu(result.stdout, '', 1).slice(0, 6);
}

/** Which tool may do something about a path. */
function remark(path: string, host: string, { config }: ToolContext): string {
  for (const service of config.services.values()) {
    if (service.host !== host) continue;
    if (service.logs.includes(path))
      return service.rotate === undefined
        ? `  (log of ${service.name}; it may not be rotated)`
        : `  (rotate_log of ${service.name} may shrink it)`;
    const cleared = service.clear?.find((each) => isWithin(path, each));
    if (cleared !== undefined) return `  (clear_directory of ${service.name} may empty it)`;
  }
  return '';
}
