import type { Argv, CommandFailure } from './host.ts';
import { holdsNul, startFailure } from './start-failure.ts';
import { TailBuffer } from './tail-buffer.ts';

/** One program to run on this machine, and the limits it runs under. */
export interface SpawnRequest {
  argv: Argv;
  timeoutMs: number;
  maxBytes: number;
  environment: Readonly<Record<string, string>>;
  input?: string | Uint8Array;
  directory?: string;
  signal?: AbortSignal;
}

/** What came of it, output as bytes. */
export interface SpawnResult {
  exitCode: number | null;
  signal: string | null;
  stdout: Buffer;
  stderr: Buffer;
  /** The first 8 kB of stderr, kept whatever came after. */
  stderrHead: Buffer;
  stdoutTruncated: boolean;
  stderrTruncated: boolean;
  durationMs: number;
  failure?: CommandFailure;
  /** In words, when there is a failure. */
  reason?: string;
}

/** From SIGTERM to SIGKILL for a command that ran out of its time. */
const TERMINATION_GRACE_MS = 1000;
/** After a program has ended, how long its pipes may stay silent before we leave them to whoever else holds them. */
const PIPE_SILENCE_MS = 250;
const HEAD_BYTES = 8192;
const PIPE_LONGEST_MS = 2000;

type Ending = { kind: 'ended' } | { kind: 'timed-out' } | { kind: 'cancelled' };

/**
 * Runs a program without a shell in a process group of its own and never rejects. At the time limit, or when the signal
 * aborts, the whole group gets SIGTERM and a second later SIGKILL. A daemon that the program left behind with our pipes in
 * its hands does not keep us waiting. Time is real time here: a process does not know of simulated clocks.
 */
export async function spawnProgram(request: SpawnRequest): Promise<SpawnResult> {
  const began = performance.now();
  const stdout = new TailBuffer(request.maxBytes);
  const stderr = new TailBuffer(request.maxBytes);
  const heads: Buffer[] = [];
  let headBytes = 0;
  const result = (exitCode: number | null, signal: string | null, failure?: CommandFailure, reason?: string) => ({
    exitCode,
    signal,
    stdout: stdout.bytes(),
    stderr: stderr.bytes(),
    stderrHead: Buffer.concat(heads).subarray(0, HEAD_BYTES),
    stdoutTruncated: stdout.truncated,
    stderrTruncated: stderr.truncated,
    durationMs: Math.round(performance.now() - began),
    ...(failure === undefined ? {} : { failure, reason: reason ?? failure }),
  });
  if (request.signal?.aborted) return result(null, null, 'cancelled', 'cancelled before it began');

  if (holdsNul(request)) return result(null, null, 'could-not-start', 'an argument contains a NUL byte');

  const { execa } = await import('execa');
  const [program, ...args] = request.argv;
  const child = execa(program, args, {
    reject: false,
    buffer: false,
    stdout: 'pipe',
    stderr: 'pipe',
    ...(request.input === undefined ? { stdin: 'ignore' as const } : { input: request.input }),
    extendEnv: false,
    env: request.environment,
    ...(request.directory === undefined ? {} : { cwd: request.directory }),
    // Its own process group, and an end for it when we end.
    killDescendants: true,
    forceKillAfterDelay: false,
  });
  if (child.pid === undefined) {
    const { failure, reason } = startFailure(request, await child);
    return result(null, null, failure, reason);
  }

  const pid = child.pid;
  const running = child.nodeChildProcess;
  let lastOutput = performance.now();
  const collect = (into: TailBuffer) => (chunk: Buffer) => {
    lastOutput = performance.now();
    into.add(chunk);
  };
  child.stdout.on('data', collect(stdout));
  child.stderr.on('data', collect(stderr));
  child.stderr.on('data', (chunk: Buffer) => {
    if (headBytes < HEAD_BYTES) heads.push(chunk);
    headBytes += chunk.length;
  });
  // Nothing to lose: an error of a pipe only means that it is closed.
  child.stdout.on('error', () => child.stdout.destroy());
  child.stderr.on('error', () => child.stderr.destroy());
  let exit: { code: number | null; signal: string | null } | undefined;
  running.once('exit', (code: number | null, signal: string | null) => {
    exit = { code, signal };
  });
  const closed = new Promise<Ending>((resolve) => running.once('close', () => resolve({ kind: 'ended' })));
  const abandoned = new Promise<Ending>((resolve) => {
    running.once('exit', async () => {
      const exitedAt = performance.now();
      while (performance.now() - Math.max(lastOutput, exitedAt) < PIPE_SILENCE_MS) {
        if (performance.now() - exitedAt > PIPE_LONGEST_MS) break;
        await pause(PIPE_SILENCE_MS / 5);
      }
      resolve({ kind: 'ended' });
    });
  });

  const limits = limitsOf(request);
  const ending = await Promise.race([closed, abandoned, limits.reached]);
  limits.clear();
  if (ending.kind !== 'ended') await endGroup(pid, closed);
  child.stdout.destroy();
  child.stderr.destroy();
  running.unref();
  if (ending.kind === 'timed-out') {
    return result(
      null,
      exit?.signal ?? null,
      'timed-out',
      `no end within ${request.timeoutMs} ms; ended with its group`,
    );
  }
  if (ending.kind === 'cancelled')
    return result(null, exit?.signal ?? null, 'cancelled', 'cancelled; ended with its group');
  return result(exit?.code ?? null, exit?.signal ?? null);
}

function limitsOf(request: SpawnRequest): { reached: Promise<Ending>; clear: () => void } {
  const { promise, resolve } = Promise.withResolvers<Ending>();
  const timer = setTimeout(() => resolve({ kind: 'timed-out' }), Math.min(request.timeoutMs, 2 ** 31 - 1));
  const cancel = () => resolve({ kind: 'cancelled' });
  request.signal?.addEventListener('abort', cancel, { once: true });
  if (request.signal?.aborted) cancel();
  const clear = () => {
    clearTimeout(timer);
    request.signal?.removeEventListener('abort', cancel);
  };
  return { reached: promise, clear };
}

/** SIGTERM to all of the group, SIGKILL to what is left of it. Returns when it is gone or beyond our reach. */
async function endGroup(pid: number, closed: Promise<unknown>): Promise<void> {
  if (!signalGroup(pid, 'SIGTERM')) return;
  const began = performance.now();
  while (performance.now() - began < TERMINATION_GRACE_MS) {
    await pause(20);
    if (!signalGroup(pid, 0)) return;
  }
  signalGroup(pid, 'SIGKILL');
  await Promise.race([closed, pause(500)]);
}

/** False when there is no such group any more, or it is not ours to signal. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}

const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
