import type { Clock } from '../base/clock.ts';
import { failure, type Outcome, success } from '../base/outcome.ts';
import { type Host, succeeded } from '../hosts/host.ts';
import {
  descendantsOf,
  describeProcess,
  identityOf,
  isPaused,
  listProcesses,
  type ProcessRow,
} from './process-table.ts';

const POLL_MS = 100;
/** A process that SIGKILL does not end within this is stuck in the kernel. */
const KILL_WAIT_MS = 3000;

export interface StopRequest {
  host: Host;
  clock: Clock;
  main: ProcessRow;
  table: readonly ProcessRow[];
  drainMs: number;
  /** Signal its whole process group: only when it leads one that we made for it. */
  wholeGroup: boolean;
}

/**
 * SIGTERM, the drain time, only then SIGKILL; before each signal it is looked at again whether the number still means the
 * same process. A stopped process is woken so that it can end. Children that outlive it are named, not ended.
 */
export async function stopProcess(request: StopRequest): Promise<Outcome<string>> {
  const { host, clock, main, drainMs } = request;
  const before = await identityOf(host, main.pid);
  if (!before.ok) return before;
  if (before.value === null) return success(`process ${main.pid} had already ended`);
  const identity = before.value;
  const target = request.wholeGroup ? -main.pid : main.pid;
  const began = clock.now();
  const isSame = async () => {
    const now = await identityOf(host, main.pid);
    return now.ok && now.value?.began === identity.began;
  };
  const waitForEnd = async (milliseconds: number) => {
    const until = clock.now() + milliseconds;
    while (await isSame()) {
      if (clock.now() >= until) return false;
      await clock.sleep(Math.min(POLL_MS, Math.max(1, until - clock.now())));
    }
    return true;
  };
  const ended = async (how: string) => {
    const seconds = ((clock.now() - began) / 1000).toFixed(1);
    return success(`process ${main.pid} ended ${how} after ${seconds} s${await survivors(request)}`);
  };

  const asked = await signalProcess(host, target, 'TERM');
  if (!asked.ok) return (await isSame()) ? asked : ended('by itself');
  if (isPaused(identity.state)) {
    const woken = await signalProcess(host, target, 'CONT');
    if (!woken.ok && (await isSame())) return woken;
  }
  if (await waitForEnd(drainMs)) return ended('on SIGTERM');
  const forced = await signalProcess(host, target, 'KILL');
  if (!forced.ok && (await isSame())) return forced;
  if (await waitForEnd(KILL_WAIT_MS))
    return ended(`on SIGKILL, not having ended within its drain time of ${drainMs / 1000} s,`);
  return failure(
    `process ${describeProcess(main)} is still there ${KILL_WAIT_MS / 1000} s after SIGKILL: ` +
      'it hangs in the kernel (a disk or network file system that does not answer), and only that can end it',
  );
}

/** Sends a signal to a process, or with a negative number to a group; through sudo when it belongs to another user. */
export async function signalProcess(host: Host, target: number, signal: string): Promise<Outcome<void>> {
  const argv = ['kill', '-s', signal, '--', String(target)] as const;
  let result = await host.run({ argv });
  // Slim containers have no such program, but every shell has it built in.
  if (result.failure === 'not-found') {
    result = await host.run({ argv: ['sh', '-c', 'kill -s "$1" -- "$2"', 'sh', signal, String(target)] });
  }
  if (/not permitted/i.test(result.stderr)) result = await host.run({ argv, privileged: true });
  if (succeeded(result)) return success(undefined);
  return failure(`could not send SIG${signal} to ${target}: ${result.stderr.trim() || `exit code ${result.exitCode}`}`);
}

async function survivors(request: StopRequest): Promise<string> {
  const children = descendantsOf(request.table, request.main.pid);
  if (children.length === 0) return '';
  const after = await listProcesses(request.host);
  if (!after.ok) return '; whether its children ended could not be seen';
  const left = children.filter((child) =>
    after.value.some((row) => row.pid === child.pid && row.command === child.command && !/^[ZX]/.test(row.state)),
  );
  return left.length === 0 ? '' : `; these of its children are still running: ${left.map(describeProcess).join(', ')}`;
}
