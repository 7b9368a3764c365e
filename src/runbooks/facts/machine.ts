import { dirname } from 'node:path/posix';
import type { Service } from '../../config/schema.ts';
import type { CheckResult } from '../../health/check.ts';
import { succeeded } from '../../hosts/host.ts';
import { descendantsOf, type ProcessRow } from '../../services/process-table.ts';
import { resourceFacts } from './checks.ts';
import { type Collector, type FactSource, isFailing } from './collect.ts';
import { largestRotatable } from './files.ts';

/** Disk, memory and processor of the host, where the service's own checks do not say more. */
export const machineFacts: FactSource = async (context, collect) => {
  const own = await context.results;
  for (const result of own) diskResult(result, collect);
  for (const result of await context.machine) {
    diskResult(result, collect);
    resourceFacts(result, collect, 'machine_');
    // A service's own share of memory or processor goes before the machine's.
    if (!own.some((each) => each.kind === result.kind)) resourceFacts(result, collect);
  }
  await Promise.all([diskFacts(context, collect), memoryFacts(context, collect), heaviestService(context, collect)]);
};

/** The fullest file system, and the one with the fewest free inodes, of all that were measured. */
function diskResult(result: CheckResult, collect: Collector): void {
  if (result.kind !== 'disk') return;
  const { used_percent: used, inodes_used_percent: inodes, mount } = result.facts ?? {};
  if (typeof used === 'number' && used > Number(collect.facts.disk_usage ?? -1))
    collect.set({ disk_usage: used, disk_path: mount });
  if (typeof inodes === 'number' && inodes > Number(collect.facts.inode_usage ?? -1))
    collect.set({ inode_usage: inodes });
}

/** Full for a service: a large disk has room for much at 99 %, and `df` rounds up. */
const isFull = ({ percent, freeBytes }: DiskRow): boolean => percent >= 99 && freeBytes < 1024 ** 3;

/** The file systems that hold what belongs to the service, and the root. */
const diskFacts: FactSource = async ({ service, host, tools }, collect) => {
  const own = pathsOf(service);
  const paths = [...new Set(['/', ...own])];
  const df = (...args: string[]) => host.run({ argv: ['df', ...args], timeoutMs: 5000, signal: tools.signal });
  const [space, ownSpace, inodes] = await Promise.all([
    df('-P', '-k', ...paths),
    own.length > 0 ? df('-P', '-k', ...own) : null,
    (await host.platform()) === 'linux' ? df('-P', '-i', ...paths) : null,
  ]);
  // df ends with 1 when one of several paths is missing, and still tells of the others.
  for (const row of parseDf(space.stdout)) {
    const fullest = collect.facts.disk_usage;
    if (typeof fullest === 'number' && fullest >= row.percent) continue;
    collect.set({ disk_usage: row.percent, disk_path: row.mount });
    collect.quote(`df:${host.name}`, `disk(${host.name})`, row.line, ['disk_usage', 'disk_path']);
  }
  const ownRows = ownSpace ? parseDf(ownSpace.stdout) : [];
  const full = ownRows.find(isFull);
  if (ownRows.length > 0) collect.set({ own_disk_full: full !== undefined });
  if (full) collect.quote(`df:${host.name}`, `disk(${host.name})`, full.line, ['own_disk_full']);
  for (const row of inodes ? parseDf(inodes.stdout) : []) {
    const most = collect.facts.inode_usage;
    if (typeof most === 'number' && most >= row.percent) continue;
    collect.set({ inode_usage: row.percent });
    collect.quote(`df:${host.name}`, `inodes(${host.name})`, row.line, ['inode_usage']);
  }
  const largest = await largestRotatable(service, host, tools.config);
  if (!largest) return;
  const [row] = parseDf((await df('-P', '-k', dirname(largest.log.path))).stdout);
  if (row) collect.set({ largest_log_on_full_disk: row.mount === collect.facts.disk_path });
};

const pathsOf = (service: Service): string[] =>
  [
    service.directory,
    ...service.logs.map((path) => dirname(path)),
    ...(service.files ?? []).map((path) => dirname(path)),
  ].filter((path): path is string => path?.startsWith('/') === true);

interface DiskRow {
  percent: number;
  freeBytes: number;
  mount: string;
  line: string;
}

/** Rows of `df -P -k`: device, size, used, free, percent, mount. A file system without inodes shows `-`. */
function parseDf(output: string): DiskRow[] {
  return output.split('\n').flatMap((line) => {
    const found = /\s(-?\d+)\s+(\d+)%\s+(\/.*)$/.exec(line);
    return found
      ? [{ freeBytes: Number(found[1]) * 1024, percent: Number(found[2]), mount: found[3] ?? '/', line: line.trim() }]
      : [];
  });
}

const memoryFacts: FactSource = async ({ host }, collect) => {
  if (collect.facts.machine_memory_usage !== undefined || (await host.platform()) !== 'linux') return;
  const read = await host.readFile('/proc/meminfo', { maxBytes: 4096 });
  if (!read.ok) return;
  const value = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(read.value.text)?.[1]);
  const total = value('MemTotal');
  const used = Math.round(((total - value('MemAvailable')) / total) * 1000) / 10;
  collect.set({
    machine_memory_usage: used,
    ...(collect.facts.memory_usage === undefined ? { memory_usage: used } : {}),
  });
};

/** Which service uses the most memory, asked only when memory is what is short. */
const heaviestService: FactSource = async (context, collect) => {
  const { service, host, tools } = context;
  const results = [...(await context.results), ...(await context.machine)];
  if (!results.some((result) => result.kind === 'memory' && isFailing(result))) return;
  const listed = await host.run({
    argv: ['ps', '-axo', 'pid=,ppid=,rss='],
    timeoutMs: 5000,
    maxBytes: 4 * 1024 ** 2,
    signal: tools.signal,
  });
  if (!succeeded(listed)) return;
  const table = parseRss(listed.stdout);
  const neighbours = [...tools.config.services.values()].filter((each) => each.host === service.host && !each.machine);
  const weighed = await Promise.all(
    neighbours.slice(0, 50).map(async (each) => {
      const status = await tools.manager(each.name)?.status();
      const pid = status?.ok ? status.value.mainPid : null;
      return { name: each.name, bytes: pid === null ? 0 : weightOf(table, pid) };
    }),
  );
  const heaviest = weighed.sort((a, b) => b.bytes - a.bytes)[0];
  if (!heaviest || heaviest.bytes === 0) return;
  collect.set({ heaviest_service: heaviest.name, heaviest_memory: heaviest.bytes });
  collect.quote(
    `ps:${host.name}`,
    `memory(${host.name})`,
    `${heaviest.name}: ${heaviest.bytes} bytes with all below it`,
    ['heaviest_service', 'heaviest_memory'],
  );
};

interface Weighed {
  pid: number;
  parent: number;
  bytes: number;
}

function parseRss(output: string): Weighed[] {
  return output.split('\n').flatMap((line) => {
    const [pid, parent, kilobytes] = line.trim().split(/\s+/).map(Number);
    return pid === undefined || parent === undefined || kilobytes === undefined
      ? []
      : [{ pid, parent, bytes: kilobytes * 1024 }];
  });
}

function weightOf(table: readonly Weighed[], pid: number): number {
  const rows: ProcessRow[] = table.map((row) => ({ ...row, group: 0, state: '', ageMs: 0, command: '' }));
  const tree = new Set([pid, ...descendantsOf(rows, pid).map((row) => row.pid)]);
  return table.filter((row) => tree.has(row.pid)).reduce((sum, row) => sum + row.bytes, 0);
}
