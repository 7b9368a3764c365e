import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../src/base/outcome.ts';
import { endProcessesOf } from './processes.ts';

export interface Ran {
  exitCode: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  environment?: Record<string, string>;
  directory?: string;
  /** Default 30 000 ms. */
  timeoutMs?: number;
  /** A non-zero exit code is an answer, not an error. */
  mayFail?: boolean;
}

/** A program that a case started and that goes on running. */
export interface Running {
  pid: number;
  /** Its output so far, stdout and stderr as they came. */
  logFile: string;
  exited(): boolean;
  /** Sends a signal to its process group and waits for its end. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** A case's own place on the machine: a temporary folder, high ports, and the processes it started. */
export interface Bench {
  readonly folder: string;
  /** A port that was free a moment ago. */
  port(): Promise<number>;
  write(name: string, text: string, mode?: number): Promise<string>;
  run(argv: readonly [string, ...string[]], options?: RunOptions): Promise<Ran>;
  start(name: string, argv: readonly [string, ...string[]], options?: RunOptions): Promise<Running>;
  /** Waits until the probe gives something other than null, false or undefined; throws after `withinMs`. */
  until<Found>(what: string, withinMs: number, probe: () => Promise<Found | null | false | undefined>): Promise<Found>;
  /** Something to undo at the end, last first. */
  defer(undo: () => Promise<unknown>): void;
  /** Undoes everything and ends every process that is of this bench. Returns what could not be undone. */
  dispose(): Promise<string[]>;
}

const POLL_MS = 100;
/** From SIGTERM to SIGKILL for what is left of a case. */
const END_MS = 5000;

export async function createBench(name: string): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), `nightshift-lab-${name}-`));
  // Services that run as users of their own must get through.
  await chmod(folder, 0o755);
  const undos: (() => Promise<unknown>)[] = [];

  const start: Bench['start'] = async (label, argv, options = {}) => {
    const logFile = join(folder, `${label}.log`);
    // Written by the program itself, so that it loses nothing when we are interrupted.
    const log = await open(logFile, 'a');
    const child = launch(argv, options, log.fd);
    const exit = Promise.withResolvers<void>();
    child.once('exit', () => exit.resolve());
    child.once('error', () => exit.resolve());
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    }).finally(() => log.close());
    const pid = child.pid ?? 0;
    const exited = () => child.exitCode !== null || child.signalCode !== null;
    const end = async (signal: NodeJS.Signals) => {
      if (exited()) return;
      signalGroup(pid, signal);
      await Promise.race([exit.promise, pause(END_MS)]);
      if (!exited()) signalGroup(pid, 'SIGKILL');
      await exit.promise;
    };
    undos.push(() => end('SIGTERM'));
    return { pid, logFile, exited, end };
  };

  let disposed: Promise<string[]> | undefined;
  const dispose = async () => {
    const troubles: string[] = [];
    const attempt = async (undo: () => Promise<unknown>) => {
      await undo().catch((thrown: unknown) => troubles.push(messageOf(thrown)));
    };
    for (const undo of undos.splice(0).reverse()) await attempt(undo);
    await attempt(() => endProcessesOf(folder));
    await attempt(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
    return troubles;
  };

  return {
    folder,
    port: freePort,
    async write(file, text, mode = 0o644) {
      const path = join(folder, file);
      await writeFile(path, text);
      await chmod(path, mode);
      return path;
    },
    run,
    start,
    async until(what, withinMs, probe) {
      const deadline = Date.now() + withinMs;
      for (;;) {
        const found = await probe();
        if (found !== null && found !== false && found !== undefined) return found;
        if (Date.now() > deadline) throw new Error(`${what}: not within ${withinMs / 1000} s`);
        await pause(POLL_MS);
      }
    },
    defer: (undo) => void undos.push(undo),
    dispose: () => {
      // Once, though an interrupted lab and the case that it interrupts both ask for it.
      disposed ??= dispose();
      return disposed;
    },
  };
}

const signalGroup = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(-pid, signal);
  } catch (thrown) {
    // ESRCH: it has ended meanwhile, which is what was wanted.
    if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ESRCH')) throw thrown;
  }
};

/** With a log it leads a process group of its own and writes there; without, its output comes to us. */
function launch([program, ...args]: readonly [string, ...string[]], options: RunOptions, log?: number): ChildProcess {
  return spawn(program, args, {
    detached: log !== undefined,
    stdio: ['ignore', log ?? 'pipe', log ?? 'pipe'],
    env: { ...process.env, ...options.environment },
    ...(options.directory === undefined ? {} : { cwd: options.directory }),
  });
}

const run: Bench['run'] = (argv, options = {}) =>
  new Promise((resolve, reject) => {
    const child = launch(argv, options);
    let stdout = '';
    let stderr = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 30_000);
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once('close', (exitCode) => {
      clearTimeout(timer);
      if (exitCode === 0 || options.mayFail) resolve({ exitCode, stdout, stderr });
      else
        reject(
          new Error(
            `\`${argv.join(' ').slice(0, 200)}\`: exit code ${exitCode}: ${(stderr || stdout).trim().slice(-400)}`,
          ),
        );
    });
  });

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
