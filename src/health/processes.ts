import type { CheckContext, Measurement } from './check.ts';
import { type Looked, look } from './finding.ts';

/** A process as `ps` shows it. */
export interface Process {
  pid: number;
  parent: number;
  /** First letter of its state: R, S, D, T (stopped), Z (zombie), I. */
  state: string;
  rssBytes: number;
  /** Percent of one core, as `ps` averages it. */
  cpuPercent: number;
  command: string;
}

type Listed = { ok: true; processes: Process[] } | { ok: false; measurement: Measurement };

/** Every process of the host, but for the `ps` that lists them. Works with the `ps` of Linux and of macOS. */
export async function listProcesses(
  { host, signal }: Pick<CheckContext, 'host' | 'signal'>,
  timeoutMs: number,
): Promise<Listed> {
  const columns = ['pid=', 'ppid=', 'stat=', 'rss=', 'pcpu=', 'args='].flatMap((column) => ['-o', column]);
  const looked: Looked = await look(host, ['ps', '-A', '-ww', ...columns], { timeoutMs, signal });
  return looked.ok ? { ok: true, processes: parseProcesses(looked.text) } : looked;
}

export function parseProcesses(text: string): Process[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\d+)\s+([\d.,]+)\s+(.*)$/.exec(line);
    if (!match) return [];
    const [, pid, parent, state = '', rss, cpu = '', command = ''] = match;
    if (command.startsWith('ps -A -ww -o pid=')) return [];
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        state: state.charAt(0),
        rssBytes: Number(rss) * 1024,
        cpuPercent: Number(cpu.replace(',', '.')),
        command,
      },
    ];
  });
}

/** A process and all that descend from it. */
export function treeOf(processes: readonly Process[], root: number): Process[] {
  const pids = new Set([root]);
  // Children may stand before their parents, so go round until nothing is added.
  for (let before = 0; before !== pids.size; ) {
    before = pids.size;
    for (const { pid, parent } of processes) if (pids.has(parent)) pids.add(pid);
  }
  return processes.filter(({ pid }) => pids.has(pid));
}
