import { z } from 'zod';
import { failure, type Outcome, success } from '../base/outcome.ts';
import type { ServiceState, ServiceStatus } from './manager.ts';
import { parseJson } from './said.ts';

const count = z.int().nullish().catch(null);

/** What we read of a process in `pm2 jlist`; the rest of it is the environment of the app, which is none of our business. */
const processSchema = z.object({
  name: z.string(),
  pid: z.int().catch(0),
  pm_id: z.int(),
  pm2_env: z.object({
    status: z.string(),
    restart_time: count,
    pm_uptime: z.number().nullish().catch(null),
    exit_code: count,
    autorestart: z.boolean().catch(true),
    exec_mode: z.string().catch('fork_mode'),
    pm_out_log_path: z.string().nullish(),
    pm_err_log_path: z.string().nullish(),
  }),
});
export type Pm2Process = z.output<typeof processSchema>;

/** The processes of `pm2 jlist`. pm2 may print a banner, or lines that begin with `[PM2]`, before the JSON. */
export function parseList(stdout: string): Outcome<Pm2Process[]> {
  for (const { index } of stdout.matchAll(/\[(?=\s*[{\]])/g)) {
    const list = z.array(processSchema).safeParse(parseJson(stdout.slice(index, stdout.lastIndexOf(']') + 1)));
    if (list.success) return success(list.data);
  }
  return failure(`pm2 jlist gave no list of processes but: ${stdout.trim().slice(-200) || 'nothing'}`);
}

/** What pm2's own log knows of the last end of a process. */
interface Pm2End {
  /** Such as `SIGKILL`. pm2 writes SIGINT for every end without a signal, so SIGINT says nothing and is left out. */
  signal: string | null;
  exitCode: number;
  /** True when `pm2 stop` came before it. */
  byStop: boolean;
}

/** The last end of a process in pm2.log; null when it is not there. */
export function lastEnd(log: string, name: string, id: number): Pm2End | null {
  const app = `App [${name}:${id}]`;
  let stopping = false;
  let end: Pm2End | null = null;
  for (const line of log.split('\n')) {
    if (line.includes(`${app} starting in`)) {
      stopping = false;
      end = null;
    } else if (line.includes(`Stopping app:${name} id:${id}`)) {
      stopping = true;
      if (end) end.byStop = true;
    } else if (line.includes(`${app} exited with code`)) {
      const [, code = '0', signal = 'SIGINT'] = /code \[(\d+)\](?: via signal \[(\w+)\])?/.exec(line) ?? [];
      end = { exitCode: Number(code), signal: signal === 'SIGINT' ? null : signal, byStop: stopping };
    }
  }
  return end;
}

/** pm2's word for a process in ours. */
function stateOf(status: string, end: { clean: boolean; onPurpose: boolean | null }): ServiceState {
  switch (status) {
    case 'online':
      return 'running';
    case 'launching':
    case 'waiting restart':
      return 'starting';
    case 'stopping':
      return 'stopping';
    case 'errored':
      return 'failed';
    case 'stopped':
      return end.clean || end.onPurpose === true ? 'stopped' : 'failed';
    default:
      return 'unknown';
  }
}

/** One process in our words. `end` is what pm2.log knows of its last end, if it could be read. */
export function statusOf(process: Pm2Process, end: Pm2End | null): ServiceStatus {
  const { status, restart_time, pm_uptime, exit_code, autorestart } = process.pm2_env;
  const lives = status === 'online' || status === 'launching' || status === 'stopping';
  const exitCode = lives ? null : (end?.exitCode ?? exit_code ?? null);
  const signal = lives ? null : (end?.signal ?? null);
  // pm2 itself never leaves an app with autorestart at "stopped": it restarts it, or gives up ("errored").
  const stopped = end ? end.byStop : autorestart ? true : null;
  const onPurpose = status === 'stopped' ? stopped : false;
  const state = stateOf(status, { clean: signal === null && exitCode === 0, onPurpose });
  const how = signal ? `last exit: ${signal}` : `last exit: ${exitCode === null ? 'unknown' : `exit code ${exitCode}`}`;
  return {
    state,
    mainPid: lives && process.pid > 0 ? process.pid : null,
    since: lives ? (pm_uptime ?? null) : null,
    exitCode,
    exitSignal: signal,
    restarts: restart_time ?? null,
    outOfMemory: false,
    stoppedOnPurpose: onPurpose,
    health: null,
    summary: summaryOf(status, how, restart_time ?? 0, onPurpose),
  };
}

function summaryOf(status: string, how: string, restarts: number, onPurpose: boolean | null): string {
  switch (status) {
    case 'online':
      return restarts > 0 ? `running, restarted ${restarts} times` : 'running';
    case 'stopped':
      return onPurpose ? `stopped by pm2 stop, ${how}` : `not running, ${how}`;
    case 'errored':
      return `not running, pm2 gave up after ${restarts} restarts (errored), ${how}`;
    case 'waiting restart':
      return `ended, pm2 starts it again soon (${restarts} restarts), ${how}`;
    default:
      return status;
  }
}
