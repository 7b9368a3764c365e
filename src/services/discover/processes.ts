import { type Host, succeeded } from '../../hosts/host.ts';
import { type Found, nothing } from './found.ts';

export interface ProcessEntry {
  pid: number;
  parent: number;
  user: string;
  /** The command line as `ps` joins it. */
  command: string;
}

function parsePs(text: string): ProcessEntry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*\S)\s*$/.exec(line);
    if (!match) return [];
    return [{ pid: Number(match[1]), parent: Number(match[2]), user: match[3] ?? '', command: match[4] ?? '' }];
  });
}

/** Every process with its parent and command line; the same call on Linux and macOS. */
export async function findProcesses(host: Host): Promise<Found<ProcessEntry>> {
  const ps = await host.run({ argv: ['ps', '-axwwo', 'pid=,ppid=,user=,args='], timeoutMs: 5000 });
  if (!succeeded(ps)) return nothing('processes cannot be listed: ps is missing or did not answer');
  return { items: parsePs(ps.stdout), notes: [] };
}

/** A process and its parents, nearest first, without the first process of the machine. */
export function lineage(pid: number, processes: ReadonlyMap<number, ProcessEntry>): number[] {
  const line: number[] = [];
  for (let next: number | undefined = pid; next !== undefined && next > 1 && !line.includes(next); ) {
    line.push(next);
    next = processes.get(next)?.parent;
  }
  return line;
}
