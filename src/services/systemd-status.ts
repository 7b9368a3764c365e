import { constants } from 'node:os';
import { z } from 'zod';
import type { ServiceState, ServiceStatus } from './manager.ts';

/** The properties that a status is made of. */
export const PROPERTIES = [
  'Id',
  'LoadState',
  'LoadError',
  'ActiveState',
  'SubState',
  'Type',
  'MainPID',
  'ExecMainCode',
  'ExecMainStatus',
  'Result',
  'NRestarts',
  'UnitFileState',
  'CanReload',
  'StatusText',
  'StateChangeTimestamp',
] as const;

/** What `systemctl show` says of a unit, as text. */
export type UnitProperties = Partial<Record<(typeof PROPERTIES)[number], string>>;

/** `Name=value` lines; a value may itself contain `=`. */
export function parseProperties(output: string): UnitProperties {
  const properties: UnitProperties = {};
  for (const line of output.split('\n')) {
    const split = line.indexOf('=');
    const name = PROPERTIES.find((property) => property === line.slice(0, split));
    if (name !== undefined) properties[name] = line.slice(split + 1);
  }
  return properties;
}

/** `Sat 2026-11-21 03:41:25 UTC`, as every version writes it when TZ is UTC. */
export function parseTimestamp(text: string | undefined): number | null {
  const found = /(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}(?:\.\d+)?) UTC/.exec(text ?? '');
  return found ? Date.parse(`${found[1]}T${found[2]}Z`) : null;
}

/** `SIGKILL` for 9, by the numbers of this machine; Linux has the same ones everywhere we run. */
export const signalName = (number: number): string =>
  Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;

const STATES: Readonly<Record<string, ServiceState>> = {
  active: 'running',
  reloading: 'running',
  refreshing: 'running',
  activating: 'starting',
  deactivating: 'stopping',
  failed: 'failed',
  inactive: 'stopped',
};

/** `paused` is whether its main process is stopped by a signal; `onPurpose` what the journal tells of how it ended. */
export function statusOfUnit(unit: UnitProperties, paused: boolean, onPurpose: boolean | null): ServiceStatus {
  const absent = unit.LoadState === 'not-found';
  const masked = unit.LoadState === 'masked';
  const unloadable = unit.LoadState === 'error' || unit.LoadState === 'bad-setting';
  // A stop that needed SIGKILL leaves a unit `failed`, though somebody wanted it to end.
  const stopped = unit.ActiveState === 'failed' && onPurpose === true;
  const active = stopped ? 'stopped' : (STATES[unit.ActiveState ?? ''] ?? 'unknown');
  const state = absent ? 'absent' : unloadable ? 'failed' : paused && active === 'running' ? 'paused' : active;
  const restarting = unit.SubState === 'auto-restart' || unit.SubState === 'auto-restart-queued';
  const ended =
    state === 'failed' || state === 'stopped' || restarting ? endOf(unit) : { exitCode: null, exitSignal: null };
  const restarts = unit.NRestarts === undefined || unit.NRestarts === '' ? null : Number(unit.NRestarts);
  return {
    state,
    mainPid: Number(unit.MainPID ?? 0) || null,
    since: parseTimestamp(unit.StateChangeTimestamp),
    ...ended,
    restarts,
    outOfMemory: unit.Result === 'oom-kill',
    stoppedOnPurpose: masked || purposeOf(unit, state, restarting, onPurpose),
    health: null,
    summary: summaryOf(unit, { state, masked, restarting, restarts, onPurpose, ...ended }),
  };
}

function purposeOf(unit: UnitProperties, state: ServiceState, restarting: boolean, onPurpose: boolean | null) {
  if (state === 'failed' || restarting) return false;
  if (state !== 'stopped') return null;
  // A oneshot unit that has done its work is not something that died.
  return unit.Type === 'oneshot' && onPurpose === false ? null : onPurpose;
}

/** ExecMainCode is waitid's si_code: 1 exited, 2 killed, 3 killed with a core dump; 0 when it has not run or is forgotten. */
function endOf(unit: UnitProperties): { exitCode: number | null; exitSignal: string | null } {
  const value = Number(unit.ExecMainStatus ?? 0);
  if (unit.ExecMainCode === '1') return { exitCode: value, exitSignal: null };
  if (unit.ExecMainCode === '2' || unit.ExecMainCode === '3') return { exitCode: null, exitSignal: signalName(value) };
  return { exitCode: null, exitSignal: null };
}

const RESULTS: Readonly<Record<string, string>> = {
  'oom-kill': 'ended by the kernel for want of memory',
  'start-limit-hit': 'systemd gave up: it was started too often',
  timeout: 'it did not start or stop within the time systemd gives it',
  watchdog: 'it stopped answering the watchdog',
  resources: 'systemd could not set it up (a directory, a user, a limit)',
  protocol: 'it did not report as its type says',
  dependency: 'something it needs did not start',
  'exec-condition': 'its condition was not met',
};

interface Ended {
  state: ServiceState;
  masked: boolean;
  restarting: boolean;
  restarts: number | null;
  onPurpose: boolean | null;
  exitCode: number | null;
  exitSignal: string | null;
}

function summaryOf(unit: UnitProperties, ended: Ended): string {
  if (ended.state === 'absent') return `there is no unit ${unit.Id ?? ''}`.trim();
  if (ended.masked) return 'masked: somebody made sure that it cannot start';
  const parts = [`${unit.ActiveState ?? 'unknown'} (${unit.SubState ?? '?'})`];
  if (ended.state === 'paused') parts.push('its main process is stopped by a signal');
  if (unit.LoadState === 'error' || unit.LoadState === 'bad-setting')
    parts.push(`its unit file is wrong: ${unit.LoadError ?? ''}`);
  if (ended.exitSignal !== null) parts.push(`last exit: signal ${ended.exitSignal}`);
  if (ended.exitCode !== null) parts.push(`last exit: code ${ended.exitCode}`);
  const result = RESULTS[unit.Result ?? ''];
  if (result !== undefined) parts.push(result);
  if (ended.state === 'stopped' && ended.onPurpose === true) parts.push('somebody stopped it');
  if (ended.state === 'stopped' && ended.onPurpose === false && unit.Type !== 'oneshot')
    parts.push('it ended by itself, nobody stopped it');
  if (ended.restarts !== null && ended.restarts > 0)
    parts.push(`systemd restarted it ${ended.restarts === 1 ? 'once' : `${ended.restarts} times`}`);
  if (unit.StatusText) parts.push(unit.StatusText);
  return parts.join(', ');
}

const journalEntry = z.object({ MESSAGE_ID: z.string().optional(), JOB_TYPE: z.string().optional() });

/** systemd's own messages about a unit (`journalctl -o help`, sd-messages.h): a job began, a job ended. */
const STARTED = '39f53479d3a045ac8e11786248231fbf';
const STOPPING = 'de5b426a63be47a7b6ac3eaac82e2f6f';
const STOPPED = '9d1aaa27d60140bd96365438aad20286';

/**
 * From systemd's messages about one unit, oldest first, one JSON object a line: true when the last thing that happened to
 * it was a stop job, false when it ended without one (also by a plain SIGTERM, which systemd counts as success), null when
 * the journal says nothing.
 */
export function stoppedByJob(lines: string): boolean | null {
  let answer: boolean | null = null;
  for (const line of lines.split('\n')) {
    if (!line.startsWith('{')) continue;
    const entry = parseEntry(line);
    if (entry?.MESSAGE_ID === STARTED) answer = false;
    const stop = entry?.MESSAGE_ID === STOPPING || entry?.MESSAGE_ID === STOPPED;
    if (stop && (entry.JOB_TYPE ?? 'stop') === 'stop') answer = true;
  }
  return answer;
}

function parseEntry(line: string): z.output<typeof journalEntry> | null {
  try {
    return journalEntry.safeParse(JSON.parse(line)).data ?? null;
  } catch {
    return null;
  }
}
