import type { Host } from '../../src/hosts/host.ts';

/** What the kernel says of the control group of a process: its limits, and how often it ran into them. */
interface GroupFacts {
  memoryUsed: number | null;
  /** Null without a limit. */
  memoryLimit: number | null;
  oomKills: number | null;
  /** Periods in which it was held back for using up its share of CPU, of all periods. */
  throttled: number | null;
  periods: number | null;
  processes: number | null;
  processLimit: number | null;
}

/** Reads version 2, and version 1 where that is what the machine has. Null when nothing limits the process or it cannot be read. */
export async function groupOf(host: Host, pid: number): Promise<GroupFacts | null> {
  if ((await host.platform()) !== 'linux') return null;
  const membership = await host.readFile(`/proc/${pid}/cgroup`, { maxBytes: 16_384 });
  if (!membership.ok) return null;
  const folders = foldersOf(membership.value.text);
  const read = async (path: string): Promise<string | null> => {
    const text = await host.readFile(path, { maxBytes: 16_384 });
    return text.ok ? text.value.text : null;
  };
  const first = async (...paths: (string | null)[]): Promise<string | null> => {
    for (const path of paths) {
      const text = path === null ? null : await read(path);
      if (text !== null) return text;
    }
    return null;
  };
  const at = (folder: string | null, file: string) => (folder === null ? null : `${folder}/${file}`);
  const [used, limit, events, cpu, pids, pidsMax] = await Promise.all([
    first(at(folders.unified, 'memory.current'), at(folders.memory, 'memory.usage_in_bytes')),
    first(at(folders.unified, 'memory.max'), at(folders.memory, 'memory.limit_in_bytes')),
    first(at(folders.unified, 'memory.events'), at(folders.memory, 'memory.oom_control')),
    first(at(folders.unified, 'cpu.stat'), at(folders.cpu, 'cpu.stat')),
    first(at(folders.unified, 'pids.current'), at(folders.pids, 'pids.current')),
    first(at(folders.unified, 'pids.max'), at(folders.pids, 'pids.max')),
  ]);
  const facts: GroupFacts = {
    memoryUsed: number(used),
    memoryLimit: limited(number(limit)),
    oomKills: field(events, 'oom_kill'),
    throttled: field(cpu, 'nr_throttled'),
    periods: field(cpu, 'nr_periods'),
    processes: number(pids),
    processLimit: number(pidsMax),
  };
  return Object.values(facts).every((value) => value === null) ? null : facts;
}

/** The folders of a process' groups from /proc/PID/cgroup: `0::/x` is version 2, `4:memory:/x` version 1. */
export function foldersOf(text: string): Record<'unified' | 'memory' | 'cpu' | 'pids', string | null> {
  const folders: Record<'unified' | 'memory' | 'cpu' | 'pids', string | null> = {
    unified: null,
    memory: null,
    cpu: null,
    pids: null,
  };
  for (const line of text.split('\n')) {
    const [, hierarchy, controllers = '', path = ''] = /^(\d+):([^:]*):(\/.*)$/.exec(line) ?? [];
    // The root group holds everything: its figures are the machine's.
    if (path === '' || path === '/' || path.includes('..')) continue;
    if (hierarchy === '0' && controllers === '') folders.unified = `/sys/fs/cgroup${path}`;
    for (const name of controllers.split(','))
      if (name === 'memory' || name === 'cpu' || name === 'pids') folders[name] = `/sys/fs/cgroup/${name}${path}`;
  }
  return folders;
}

const number = (text: string | null): number | null => (text !== null && /^\d+\s*$/.test(text) ? Number(text) : null);
/** Version 1 writes "no limit" as a number close to 2^63. */
const limited = (value: number | null): number | null => (value === null || value > 2 ** 60 ? null : value);
const field = (text: string | null, name: string): number | null => {
  const found = new RegExp(`^${name} (\\d+)$`, 'm').exec(text ?? '')?.[1];
  return found === undefined ? null : Number(found);
};
