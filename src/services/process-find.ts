import { basename } from 'node:path/posix';
import { failure, type Outcome, success } from '../base/outcome.ts';
import type { Service } from '../config/schema.ts';
import type { Host } from '../hosts/host.ts';
import { portsOfChecks } from './check-ports.ts';
import { listListeners } from './listeners.ts';
import { directoryOf, homesOf } from './process-directory.ts';
import { descendantsOf, describeProcess, isGone, listProcesses, ownerOf, type ProcessRow } from './process-table.ts';

/** What was found of a service: its main process, none, or several with nothing to tell which is meant. */
export interface FoundProcess {
  main: ProcessRow | null;
  /** More than one unrelated process fits; `main` is the oldest of them. */
  several: ProcessRow[];
  /** How it was found, or what was noticed on the way. */
  note: string;
  table: ProcessRow[];
}

/** Programs that only carry a command line of something else, or show it. */
const CARRIERS =
  /^-?(sh|bash|dash|zsh|ksh|fish|ash|sudo|doas|su|runuser|nohup|setsid|env|timeout|nice|ionice|time|tmux|screen|script|npm|npx|pnpm|yarn|xargs|watch|tini|dumb-init)(:|$)/;
const ONLOOKERS =
  /^(ps|ssh|sshd|scp|rsync|vi|vim|nvim|nano|emacs|less|more|tail|head|cat|grep|egrep|rg|awk|sed|man|strace|ltrace|gdb|lldb|top|htop|pgrep|pkill|kill|lsof|ss|journalctl|git|diff)(:|$)/;
const NIGHTSHIFT = /(^|[\s/])nightshift(\.js)?(\s|$)/;
const INTERPRETERS =
  /^(node|nodejs|deno|bun|python[\d.]*|ruby|perl|php[\d.]*|java|sh|bash|dash|env|sudo|npm|npx|pnpm|yarn|uv|start|run|exec)$/;

/** A program that we started, and when. */
export interface StartedProcess {
  pid: number;
  at: number;
}

/** Ages are whole seconds, and clocks of two machines differ a little. */
const AGE_SLACK_MS = 5000;
/** A pid file is written after the process began; one that began this much later is another that got the number. */
const PID_FILE_SLACK_MS = 3000;

/**
 * Finds the main process of a service: by its pid file, by one started earlier (`known`), by `match`, by the command line
 * of `start`, or by who listens on the port its checks connect to. Never Nightshift itself, those above it, or programs
 * that merely show a command line. `ownPid` is null when the host is not the machine we run on.
 */
export async function findProcess(
  service: Service,
  host: Host,
  now: number,
  known: readonly StartedProcess[],
  ownPid: number | null,
): Promise<Outcome<FoundProcess>> {
  const listed = await listProcesses(host);
  if (!listed.ok) return listed;
  const table = listed.value;
  const spared = lineage(table, ownPid);
  const living = table.filter((row) => row.pid > 1 && !isGone(row.state) && !spared.has(row.pid));
  const found = (main: ProcessRow | null, note: string, several: ProcessRow[] = []) =>
    success<FoundProcess>({ main, several, note, table });

  const notes: string[] = [];
  if (service.pid_file !== undefined) {
    const named = await fromPidFile(service.pid_file, host, living, now);
    if (named.row) return found(named.row, `by ${service.pid_file}`);
    notes.push(named.note);
  }
  const started = living.find((row) =>
    known.some(({ pid, at }) => pid === row.pid && Math.abs(now - row.ageMs - at) < AGE_SLACK_MS),
  );
  if (started) return found(started, 'started by Nightshift');

  const text = service.match ?? service.start?.join(' ');
  if (text !== undefined) {
    const bare = living.filter((row) => !NIGHTSHIFT.test(row.command) && !ONLOOKERS.test(programOf(row)));
    const fits =
      service.match === undefined
        ? bare.filter((row) => endsWithWords(row.command, text))
        : bare.filter((row) => row.command.includes(text));
    const tops = await inDirectory(service, host, mainsOf(fits, table), service.match === undefined);
    const oldest = tops.toSorted((a, b) => b.ageMs - a.ageMs)[0];
    if (oldest) return found(oldest, `by its command line`, tops.length > 1 ? tops : []);
    notes.push(`no command line has "${text}"`);
  }
  if (service.match !== undefined || service.pid_file !== undefined) return found(null, notes.join('; '));

  const byPort = await fromPorts(service, host, living);
  if (!byPort.ok) return text === undefined ? failure(byPort.error) : found(null, [...notes, byPort.error].join('; '));
  return found(byPort.value.row, [...notes, byPort.value.note].filter(Boolean).join('; '));
}

/** Nightshift and everything above it: what must never be taken for a service. */
function lineage(table: readonly ProcessRow[], ownPid: number | null): Set<number> {
  const spared = new Set<number>();
  const byPid = new Map(table.map((row) => [row.pid, row]));
  for (let pid = ownPid; pid !== null && pid > 0 && !spared.has(pid); pid = byPid.get(pid)?.parent ?? null)
    spared.add(pid);
  return spared;
}

const programOf = (row: ProcessRow): string => basename(row.command.split(/\s/, 1)[0] ?? '');

const endsWithWords = (command: string, text: string): boolean =>
  command === text || command.endsWith(` ${text}`) || command.endsWith(`/${text}`);

async function fromPidFile(path: string, host: Host, living: readonly ProcessRow[], now: number) {
  const read = await host.readFile(path, { maxBytes: 256 });
  if (!read.ok) return { row: null, note: `no pid file at ${path}` };
  const pid = Number(/^\s*(\d+)/.exec(read.value.text)?.[1] ?? Number.NaN);
  if (!Number.isSafeInteger(pid)) return { row: null, note: `${path} holds no process number` };
  const row = living.find((candidate) => candidate.pid === pid);
  if (!row) return { row: null, note: `${path} names process ${pid}, which does not exist` };
  const facts = await host.fileFacts(path);
  const writtenAt = facts.ok && facts.value ? facts.value.modifiedAt : now;
  // Whoever may write it could name anybody's process in it, and a restart would end that one.
  const writer = facts.ok && facts.value ? facts.value.owner : null;
  const openToAll = facts.ok && facts.value?.kind === 'file' && (facts.value.mode & 0o002) !== 0;
  if (openToAll || (writer !== 0 && writer !== (await ownerOf(host, pid)))) {
    const why = openToAll ? 'everybody may write it' : 'it belongs to another user than that process';
    return { row: null, note: `${path} names process ${describeProcess(row)}, but ${why}` };
  }
  if (now - row.ageMs > writtenAt + PID_FILE_SLACK_MS) {
    return {
      row: null,
      note: `${path} is older than process ${describeProcess(row)}, which merely has the number it names`,
    };
  }
  return { row, note: '' };
}

/** Of processes that fit: not the shells around them, and of parents and their workers the parents. */
export function mainsOf(fits: readonly ProcessRow[], table: readonly ProcessRow[]): ProcessRow[] {
  const real = fits.filter((row) => {
    if (!CARRIERS.test(programOf(row))) return true;
    const below = new Set(descendantsOf(table, row.pid).map((descendant) => descendant.pid));
    return !fits.some((other) => below.has(other.pid));
  });
  return real.filter((row) => !real.some((other) => other.pid === row.parent));
}

/** With several to choose from, those that run in the service's directory; with `strict`, one that runs elsewhere never fits. */
async function inDirectory(service: Service, host: Host, rows: ProcessRow[], strict: boolean): Promise<ProcessRow[]> {
  if (service.directory === undefined || rows.length === 0 || (rows.length === 1 && !strict)) return rows;
  const isHome = await homesOf(service, host);
  const directories = await Promise.all(rows.map((row) => directoryOf(host, row.pid)));
  const there = rows.filter((_, index) => isHome(directories[index] ?? ''));
  if (there.length > 0) return there;
  return strict ? rows.filter((_, index) => directories[index] === null) : rows;
}

async function fromPorts(
  service: Service,
  host: Host,
  living: readonly ProcessRow[],
): Promise<Outcome<{ row: ProcessRow | null; note: string }>> {
  const ports = portsOfChecks(service);
  if (ports.length === 0) return success({ row: null, note: '' });
  const listeners = await listListeners(host);
  if (!listeners.ok) return listeners;
  const owners = listeners.value.filter((listener) => ports.includes(listener.port));
  const rows = living.filter((row) => owners.some((owner) => owner.pid === row.pid));
  const top = mainsOf(rows, living)[0];
  if (!top) {
    const hidden = owners.some((owner) => owner.pid === null);
    return success({
      row: null,
      note: hidden
        ? `port ${ports.join(', ')} is held by a process this user may not see`
        : `nobody listens on port ${ports.join(', ')}`,
    });
  }
  if (await isPlausible(service, host, top)) return success({ row: top, note: `by its port ${ports.join(', ')}` });
  return success({
    row: null,
    note: `port ${ports.join(', ')} belongs to ${describeProcess(top)}, which is not this service`,
  });
}

/** A worker may check the port of the cache it needs: with a `start`, whoever listens must have something to do with it. */
async function isPlausible(service: Service, host: Host, row: ProcessRow): Promise<boolean> {
  if (service.start === undefined) return true;
  const words = service.start.filter((word) => !word.startsWith('-')).map((word) => basename(word));
  // A number is a port more often than not: whoever else was told the same port is not this service for it.
  const telling = words.filter((word) => !INTERPRETERS.test(word) && !/^\d+$/.test(word));
  const known = row.command.split(/\s+/).map((word) => basename(word));
  if ((telling.length > 0 ? telling : words).some((word) => known.includes(word))) return true;
  const directory = service.directory === undefined ? null : await directoryOf(host, row.pid);
  return directory !== null && (await homesOf(service, host))(directory);
}
