import { once } from 'node:events';
import { createWriteStream, type WriteStream } from 'node:fs';
import type { Clock } from '../base/clock.ts';
import { failure, messageOf, type Outcome, success } from '../base/outcome.ts';
import { serviceEnvironment } from './environment.ts';
import type { DetachedStart, Host, ProcessEnd } from './host.ts';
import { holdsNul, startFailure } from './start-failure.ts';

const ENDS_REMEMBERED = 1000;

/** Starts programs that outlive us, and remembers how they ended for as long as we live. */
export function createStarter(clock: Clock): Pick<Host, 'start' | 'endOf'> {
  const ends = new Map<number, ProcessEnd>();
  const remember = (pid: number, end: ProcessEnd) => {
    ends.set(pid, end);
    const oldest = ends.keys().next().value;
    if (ends.size > ENDS_REMEMBERED && oldest !== undefined) ends.delete(oldest);
  };
  return {
    start: (request) =>
      startDetached(
        request,
        (pid) => ends.delete(pid),
        (pid, exitCode, signal) => remember(pid, { exitCode, signal, at: clock.now() }),
      ),
    endOf: (pid) => ends.get(pid) ?? null,
  };
}

async function startDetached(
  request: DetachedStart,
  onStart: (pid: number) => void,
  onEnd: (pid: number, exitCode: number | null, signal: string | null) => void,
): Promise<Outcome<{ pid: number }>> {
  if (holdsNul(request)) return failure(`could not start ${request.argv[0]}: an argument contains a NUL byte`);
  const log = await openLog(request.logFile);
  if (!log.ok) return log;
  const output = log.value ?? 'ignore';
  const [program, ...args] = request.argv;
  try {
    const { execa } = await import('execa');
    const child = execa(program, args, {
      reject: false,
      buffer: false,
      stdin: 'ignore',
      stdout: output,
      stderr: output,
      extendEnv: false,
      env: serviceEnvironment(process.env, request.environment),
      ...(request.directory === undefined ? {} : { cwd: request.directory }),
      // A session of its own, and not ended with us.
      detached: true,
      cleanup: false,
    });
    const pid = child.pid;
    if (pid === undefined) {
      return failure(`could not start ${program}: ${startFailure(request, await child).reason}`);
    }
    onStart(pid);
    child.nodeChildProcess.once('exit', (exitCode: number | null, signal: string | null) =>
      onEnd(pid, exitCode, signal),
    );
    child.nodeChildProcess.unref();
    return success({ pid });
  } finally {
    log.value?.destroy();
  }
}

/** An opened file, which execa hands to the program as it stands: nothing of ours lies between the two. */
async function openLog(path: string | undefined): Promise<Outcome<WriteStream | null>> {
  if (path === undefined) return success(null);
  const file = createWriteStream(path, { flags: 'a', mode: 0o644 });
  try {
    await once(file, 'open');
    return success(file);
  } catch (thrown) {
    return failure(`could not open the log ${path}: ${messageOf(thrown)}`);
  }
}
