import { failure, type Outcome, success } from '../../src/base/outcome.ts';
import { type Host, succeeded } from '../../src/hosts/host.ts';
import { elapsedMs } from '../../src/services/process-table.ts';
import { whatCameBack } from './say.ts';

/** A process as `ps` shows it, the same on Linux and macOS. */
export interface ProcessEntry {
  pid: number;
  parent: number;
  user: number;
  /** First letter of its state: R, S, D (waits for a disk), T (stopped), Z (ended, not reaped), I. */
  state: string;
  ageMs: number;
  rssBytes: number;
  /** Percent of one core. `ps` on Linux averages it over the whole life of the process. */
  cpuPercent: number;
  command: string;
}

const COLUMNS = 'pid=,ppid=,uid=,stat=,etime=,rss=,pcpu=,args=';
const ROW = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+([\d:-]+)\s+(\d+)\s+([\d.,]+)\s?(.*)$/;

/** Every process of the host, but for the `ps` that lists them. */
export async function readProcesses(host: Host, signal: AbortSignal): Promise<Outcome<ProcessEntry[]>> {
  const result = await host.run({
    argv: ['ps', '-axww', '-o', COLUMNS],
    environment: { LC_ALL: 'C.UTF-8' },
    maxBytes: 8 * 1024 * 1024,
    signal,
  });
  if (!succeeded(result)) return failure(`the processes could not be listed. ${whatCameBack(result, host)}`);
  return success(parsePs(result.stdout));
}

export function parsePs(output: string): ProcessEntry[] {
  return output.split('\n').flatMap((line) => {
    const found = ROW.exec(line);
    if (!found) return [];
    const [, pid, parent, user, state = '', elapsed = '', rss, cpu = '', command = ''] = found;
    if (command.includes(COLUMNS)) return [];
    return [
      {
        pid: Number(pid),
        parent: Number(parent),
        user: Number(user),
        state: state.charAt(0),
        ageMs: elapsedMs(elapsed),
        rssBytes: Number(rss) * 1024,
        cpuPercent: Number(cpu.replace(',', '.')),
        command: command.trimEnd(),
      },
    ];
  });
}

/**
 * Percent of one core that each process uses now, from `top` (half a second of measuring, on macOS one). Null when there is no usable `top`:
 * what `ps` says then has to do.
 */
export async function currentCpu(host: Host, signal: AbortSignal): Promise<Map<number, number> | null> {
  const darwin = (await host.platform()) === 'darwin';
  const result = await host.run({
    argv: darwin
      ? ['top', '-l', '2', '-s', '1', '-o', 'cpu', '-n', '40', '-stats', 'pid,cpu']
      : ['top', '-b', '-n', '2', '-d', '0.5', '-w', '200'],
    maxBytes: 2 * 1024 * 1024,
    timeoutMs: 8000,
    signal,
  });
  if (!succeeded(result)) return null;
  const cpu = parseTop(result.stdout);
  return cpu.size === 0 ? null : cpu;
}

/** The last of the tables that `top` prints in batch mode; columns are found by their headings. */
export function parseTop(output: string): Map<number, number> {
  const cpu = new Map<number, number>();
  let columns: { pid: number; cpu: number } | null = null;
  for (const line of output.split('\n')) {
    const words = line.trim().split(/\s+/);
    const pidColumn = words.indexOf('PID');
    const cpuColumn = words.findIndex((word) => word === '%CPU' || word === 'CPU');
    if (pidColumn >= 0 && cpuColumn >= 0) {
      columns = { pid: pidColumn, cpu: cpuColumn };
      cpu.clear();
    } else if (columns) {
      const pid = Number(words[columns.pid]);
      const percent = Number(words[columns.cpu]?.replace(',', '.'));
      if (Number.isInteger(pid) && pid > 0 && !Number.isNaN(percent)) cpu.set(pid, percent);
    }
  }
  return cpu;
}

/** A process and all below it. */
export function treeOf(all: readonly ProcessEntry[], root: number): ProcessEntry[] {
  const pids = new Set([root]);
  for (let before = 0; before !== pids.size; ) {
    before = pids.size;
    for (const { pid, parent } of all) if (pids.has(parent)) pids.add(pid);
  }
  return all.filter(({ pid }) => pids.has(pid));
}

/** What a state letter means where it is news. */
export const stateWord = (state: string): string =>
  ({ T: 'STOPPED by a signal (continue_process)', t: 'held by a debugger', Z: 'zombie', D: 'waits for a disk' })[
    state
  ] ?? '';
