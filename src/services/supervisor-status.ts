import { stampOf } from './log-time.ts';
import type { ServiceState, ServiceStatus } from './manager.ts';

/** One process as `supervisorctl status` prints it. */
export interface SupervisorProcess {
  /** `NAME`, or `GROUP:NAME`. */
  name: string;
  state: SupervisorState;
  description: string;
}

const STATES = {
  STOPPED: 'stopped',
  STARTING: 'starting',
  RUNNING: 'running',
  BACKOFF: 'starting',
  STOPPING: 'stopping',
  EXITED: 'failed',
  FATAL: 'failed',
  UNKNOWN: 'unknown',
} as const satisfies Record<string, ServiceState>;
type SupervisorState = keyof typeof STATES;

const STATUS_LINE = new RegExp(`^(\\S+)\\s+(${Object.keys(STATES).join('|')})(?:\\s+(.*))?$`);
const isState = (word: string): word is SupervisorState => word in STATES;

/** The processes in the output of `supervisorctl status`; lines that are none are passed over. */
export function parseStatus(stdout: string): SupervisorProcess[] {
  const processes: SupervisorProcess[] = [];
  for (const line of stdout.split('\n')) {
    const [, name, state, description] = STATUS_LINE.exec(line.trim()) ?? [];
    if (name && state && isState(state)) processes.push({ name, state, description: (description ?? '').trim() });
  }
  return processes;
}

/** How a process last ended, from supervisord's own log: its status output does not say. */
interface LastExit {
  exitCode: number | null;
  signal: string | null;
  /** In the local time of the host, read as UTC. */
  localTime: number | null;
}

/** The last end of a process in the log of supervisord (`supervisorctl maintail`); null when it is not there. */
export function lastExit(mainLog: string, name: string): LastExit | null {
  const process = name.slice(name.indexOf(':') + 1);
  const end = /(?:exited|stopped): (\S+) \((?:exit status (-?\d+)|terminated by (SIG\w+))/;
  const line = mainLog.split('\n').findLast((each) => end.exec(each)?.[1] === process);
  const found = line === undefined ? null : end.exec(line);
  if (line === undefined || !found) return null;
  return {
    exitCode: found[2] === undefined ? null : Number(found[2]),
    signal: found[3] ?? null,
    localTime: stampOf(line, 0)?.time ?? null,
  };
}

const DAY_SECONDS = 86_400;

/** Milliseconds in `0:00:02` or `3 days, 4:05:06`, as supervisor writes an uptime; null when it is none. */
export function uptimeOf(description: string): number | null {
  const found = /uptime (?:(\d+) days?, )?(\d+):(\d{2}):(\d{2})/.exec(description);
  if (!found) return null;
  const [, days = '0', hours, minutes, seconds] = found;
  return (Number(days) * DAY_SECONDS + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
}

/** One process in our words. `exit` is how it last ended, `offset` what its host's clock is ahead of UTC (ms), if known. */
export function statusOf(
  process: SupervisorProcess,
  exit: LastExit | null,
  now: number,
  offset: number | null,
): ServiceStatus {
  const { state, description } = process;
  const lives = state === 'RUNNING' || state === 'STOPPING';
  const uptime = uptimeOf(description);
  const ended = exit && offset !== null && exit.localTime !== null ? exit.localTime - offset : null;
  const neverStarted = state === 'STOPPED' && /not started/i.test(description);
  const last = lives || neverStarted ? null : exit;
  return {
    state: state === 'EXITED' && last?.exitCode === 0 ? 'stopped' : STATES[state],
    mainPid: Number(/^pid (\d+)/.exec(description)?.[1] ?? 0) || null,
    since: uptime !== null ? now - uptime : lives ? null : ended,
    exitCode: last?.exitCode ?? null,
    exitSignal: last?.signal ?? null,
    restarts: null,
    outOfMemory: false,
    // Only a person (or Nightshift) brings a program to STOPPED; one that was never started is just not wanted at boot.
    stoppedOnPurpose: state === 'STOPPED' ? (neverStarted ? null : true) : state === 'UNKNOWN' ? null : false,
    health: null,
    summary: summaryOf(process, last, neverStarted),
  };
}

function summaryOf({ state, description }: SupervisorProcess, exit: LastExit | null, neverStarted: boolean): string {
  const how = exit ? `, last exit: ${exit.signal ?? `exit code ${exit.exitCode}`}` : '';
  const why = description ? `: ${description}` : '';
  switch (state) {
    case 'RUNNING':
      return 'running';
    case 'STOPPED':
      return neverStarted ? 'not started since supervisord began (autostart is off)' : `stopped by supervisorctl${how}`;
    case 'EXITED':
      return `not running${how || ' (EXITED)'}`;
    case 'FATAL':
      return `not running, supervisor gave up starting it (FATAL${why})${how}`;
    case 'BACKOFF':
      return `ends as soon as it starts; supervisor tries again (BACKOFF${why})${how}`;
    case 'STARTING':
    case 'STOPPING':
    case 'UNKNOWN':
      return `${state.toLowerCase()}${why}`;
  }
}
