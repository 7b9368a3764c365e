import type { Clock } from '../../src/base/clock.ts';
import { failure, type Outcome, success } from '../../src/base/outcome.ts';
import type { Host } from '../../src/hosts/host.ts';
import { signalProcess } from '../../src/services/process-stop.ts';
import { identityOf, isPaused } from '../../src/services/process-table.ts';

const POLL_MS = 100;
/** What SIGKILL does not end within this is stuck in the kernel. */
const KILL_WAIT_MS = 3000;

interface Ending {
  pid: number;
  /** When the process that is meant began; a later one with the same number is never signalled. */
  began: string;
  drainMs: number;
  clock: Clock;
}

/** SIGTERM, up to `drainMs`, and SIGKILL only if it is still there. Before each signal it is looked at again. */
export async function endGracefully(host: Host, { pid, began, drainMs, clock }: Ending): Promise<Outcome<string>> {
  const look = async () => {
    const now = await identityOf(host, pid);
    return now.ok && now.value?.began === began ? now.value : null;
  };
  const gone = async (limitMs: number) => {
    for (const until = clock.now() + limitMs; clock.now() < until; await clock.sleep(POLL_MS))
      if ((await look()) === null) return true;
    return (await look()) === null;
  };
  const before = await look();
  if (before === null) return failure('had already ended, nothing was sent');
  const asked = await signalProcess(host, pid, 'TERM');
  if (!asked.ok) return (await look()) === null ? success('ended by itself') : failure(asked.error);
  // A stopped process hears SIGTERM only once it goes on.
  if (isPaused(before.state)) await signalProcess(host, pid, 'CONT');
  if (await gone(drainMs)) return success('ended on SIGTERM');
  const forced = await signalProcess(host, pid, 'KILL');
  if (!forced.ok && (await look()) !== null) return failure(forced.error);
  if (await gone(KILL_WAIT_MS))
    return success(`did not end within ${drainMs / 1000} s of SIGTERM and was ended by SIGKILL`);
  return failure(
    `is still there ${KILL_WAIT_MS / 1000} s after SIGKILL: it hangs in the kernel (a disk that does not answer)`,
  );
}
