import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'vitest';
import { packageFile } from '../../src/base/package-root.ts';

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** A verb that goes on running, such as a watch. */
export interface Running {
  pid: number;
  /** What it has said so far. */
  stdout(): string;
  /** Waits until its output fits; rejects when it ends first. */
  said(pattern: RegExp): Promise<string>;
  /** Lets nobody read its output any more. */
  stopReading(): void;
  signal(name: NodeJS.Signals): void;
  ended: Promise<Ended>;
}

/** A user's home and a folder to work in, both new; whatever was started there is ended with its test, which says when that is. */
export interface Workplace {
  folder: string;
  write(name: string, text: string | Uint8Array): string;
  read(name: string): string;
  run(...words: string[]): Promise<Ended>;
  /** As `run`, with this on its standard input. */
  runWith(input: string, ...words: string[]): Promise<Ended>;
  /** What a verb prints with --json. Throws when that is not JSON alone, or when anything stands beside it. */
  json(...words: string[]): Promise<unknown>;
  start(...words: string[]): Running;
}

export function workplace(onTestFinished: TestContext['onTestFinished']): Workplace {
  const base = mkdtempSync(join(tmpdir(), 'nightshift-cli-'));
  const folder = join(base, 'work');
  mkdirSync(folder);
  const environment = {
    PATH: process.env.PATH,
    HOME: join(base, 'home'),
    XDG_STATE_HOME: join(base, 'state'),
    XDG_CACHE_HOME: join(base, 'cache'),
    TZ: 'UTC',
  };
  const children = new Set<() => Promise<unknown>>();
  onTestFinished(async () => {
    await Promise.all([...children].map((end) => end()));
    endServices(folder);
    rmSync(base, { recursive: true, force: true });
  }, 30_000);

  const start = (words: string[], input?: string): Running => {
    const child = spawn(process.execPath, [packageFile('bin/nightshift.js'), ...words], {
      cwd: folder,
      env: environment,
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    child.stdin?.end(input);
    let stdout = '';
    let stderr = '';
    const listeners = new Set<() => void>();
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      for (const listener of listeners) listener();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const ended = new Promise<Ended>((resolve) => {
      child.on('close', (code) => resolve({ code, stdout, stderr }));
    });
    const end = (): Promise<unknown> => {
      child.kill('SIGKILL');
      return ended;
    };
    children.add(end);
    void ended.then(() => children.delete(end));
    return {
      pid: child.pid ?? 0,
      stdout: () => stdout,
      said: (pattern) =>
        new Promise((resolve, reject) => {
          const look = (): void => {
            const found = pattern.exec(stdout);
            if (!found) return;
            listeners.delete(look);
            resolve(found[0]);
          };
          listeners.add(look);
          look();
          void ended.then(() => reject(new Error(`it ended without saying ${pattern}:\n${stdout}${stderr}`)));
        }),
      stopReading: () => void child.stdout?.destroy(),
      signal: (name) => void child.kill(name),
      ended,
    };
  };

  const self: Workplace = {
    folder,
    write(name, text) {
      const file = join(folder, name);
      writeFileSync(file, text);
      return file;
    },
    read: (name) => readFileSync(join(folder, name), 'utf8'),
    run: (...words) => start(words).ended,
    runWith: (input, ...words) => start(words, input).ended,
    async json(...words) {
      const { stdout, stderr } = await self.run(...words, '--json');
      if (stderr !== '') throw new Error(`${words.join(' ')} wrote to standard error: ${stderr}`);
      return JSON.parse(stdout);
    },
    start: (...words) => start(words),
  };
  return self;
}

/** Services of a test leave their pid files in its folder. */
function endServices(folder: string): void {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    if (!name.endsWith('.pid')) continue;
    const pid = Number(readFileSync(join(folder, name), 'utf8'));
    if (pid > 1 && isAlive(pid)) process.kill(pid, 'SIGKILL');
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false; // It has ended, or its number belongs to somebody else by now.
  }
}

let services = 0;
/**
 * One service that can really be started: it sleeps, and is well while it runs and the file `sick` is not there. Its command line is its own, so that no other test's service is taken for it.
 */
export function oneService(more = ''): string {
  services += 1;
  return `name: test
mode: act
every: 300ms
state: ./state
machine: {}
services:
  api:
    manager: process
    start: [sleep, "${process.pid}${String(services).padStart(3, '0')}"]
    directory: .
    pid_file: ./api.pid
    hold: 300ms
    starts_within: 1s
    checks:
      - process: main
        fails: 1
      - command: [test, "!", -e, ./sick]
        fails: 1
${more}`;
}
