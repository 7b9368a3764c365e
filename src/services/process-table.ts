import { failure, type Outcome, success } from '../base/outcome.ts';
import { type Host, succeeded } from '../hosts/host.ts';
import { processesFromProc } from './proc-files.ts';

/** One line of the process table. */
export interface ProcessRow {
  pid: number;
  parent: number;
  /** Its process group; equal to `pid` when it leads one. */
  group: number;
  /** As `ps` writes it: the first letter is the state (T stopped, Z ended but not yet reaped). */
  state: string;
  /** How long it has been running, in whole seconds as milliseconds. */
  ageMs: number;
  command: string;
}

/** The columns that procps and macOS both have; `=` leaves the heading out. */
const COLUMNS = 'pid=,ppid=,pgid=,stat=,etime=,args=';
const ROW = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+([\d:-]+)\s?(.*)$/;

/** Every process of the host. */
export async function listProcesses(host: Host): Promise<Outcome<ProcessRow[]>> {
  const result = await host.run({
    argv: ['ps', '-axww', '-o', COLUMNS],
    // Otherwise everything outside ASCII would be a question mark.
    environment: { LC_ALL: 'C.UTF-8' },
    maxBytes: 8 * 1024 * 1024,
  });
  if (!succeeded(result)) {
    // No `ps`, or busybox's, which has other options.
    if (host.kind === 'local' && (await host.platform()) === 'linux') return processesFromProc(host);
    return failure(
      `could not list the processes of ${host.name}: ${result.stderr.trim() || `exit code ${result.exitCode}`}`,
    );
  }
  return success(parseProcesses(result.stdout));
}

export function parseProcesses(output: string): ProcessRow[] {
  const rows: ProcessRow[] = [];
  for (const line of output.split('\n')) {
    const found = ROW.exec(line);
    if (!found) continue;
    const [, pid, parent, group, state = '', elapsed = '', command = ''] = found;
    rows.push({
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      state,
      ageMs: elapsedMs(elapsed),
      command: command.trimEnd(),
    });
  }
  return rows;
}

/** `[[DD-]HH:]MM:SS` in milliseconds. */
export function elapsedMs(text: string): number {
  const [days, rest] = text.includes('-') ? [Number(text.split('-')[0]), text.split('-')[1] ?? ''] : [0, text];
  const seconds = rest.split(':').reduce((total, part) => total * 60 + Number(part), 0);
  return (days * 86_400 + seconds) * 1000;
}

/** Ended, even if its parent has not taken notice yet. */
export const isGone = (state: string): boolean => /^[ZXx]/.test(state);

/** Stopped by SIGSTOP or a terminal, or held by a debugger. */
export const isPaused = (state: string): boolean => /^[Tt]/.test(state);

/** Tells a process from a later one that got the same number. */
export interface ProcessIdentity {
  pid: number;
  /** When it began, in whatever unit the platform counts: equal or not is all that matters. */
  began: string;
  state: string;
}

/** Looks at one process; null when there is none (or only its remains). */
export async function identityOf(host: Host, pid: number): Promise<Outcome<ProcessIdentity | null>> {
  if ((await host.platform()) === 'linux') {
    const stat = await host.readFile(`/proc/${pid}/stat`, { maxBytes: 4096 });
    if (stat.ok) return success(parseStat(pid, stat.value.text));
    const there = await host.fileFacts(`/proc/${pid}`);
    return there.ok && there.value === null ? success(null) : failure(stat.error);
  }
  const result = await host.run({ argv: ['ps', '-o', 'stat=,lstart=', '-p', String(pid)] });
  if (result.failure !== undefined) return failure(`could not look at process ${pid}: ${result.stderr.trim()}`);
  const [, state = '', began = ''] = /^\s*(\S+)\s+(.+?)\s*$/.exec(result.stdout) ?? [];
  return success(began === '' || isGone(state) ? null : { pid, began, state });
}

/** The user a process runs as; null when that cannot be seen. */
export async function ownerOf(host: Host, pid: number): Promise<number | null> {
  if ((await host.platform()) === 'linux') {
    const facts = await host.fileFacts(`/proc/${pid}`);
    return facts.ok ? (facts.value?.owner ?? null) : null;
  }
  const result = await host.run({ argv: ['ps', '-o', 'uid=', '-p', String(pid)] });
  return /^\s*\d+\s*$/.test(result.stdout) ? Number(result.stdout) : null;
}

/** `/proc/PID/stat`: the name in parentheses may contain anything, so counting starts after the last one. */
export function parseStat(pid: number, text: string): ProcessIdentity | null {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields[0] ?? '';
  // Field 22 of proc(5): ticks since boot.
  const began = fields[19] ?? '';
  return began === '' || isGone(state) ? null : { pid, began, state };
}

/** `123 (node server.js)` */
export const describeProcess = (row: { pid: number; command: string }): string =>
  `${row.pid} (${row.command.length > 80 ? `${row.command.slice(0, 79)}…` : row.command})`;

/** All processes below one, at any depth. */
export function descendantsOf(rows: readonly ProcessRow[], pid: number): ProcessRow[] {
  const below = new Set([pid]);
  let grew = true;
  while (grew) {
    grew = false;
    for (const row of rows) {
      if (below.has(row.parent) && !below.has(row.pid)) {
        below.add(row.pid);
        grew = true;
      }
    }
  }
  return rows.filter((row) => row.pid !== pid && below.has(row.pid));
}
