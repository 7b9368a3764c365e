import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { type CheckConfig, type CheckKind, checkSchemas } from '../../src/config/checks.ts';
import { type Service, serviceSchema } from '../../src/config/schema.ts';
import type { CheckContext, CheckHistory, CheckResult, Verdict } from '../../src/health/check.ts';
import { measureCheck } from '../../src/health/measure.ts';
import type { CommandRequest, CommandResult, Host } from '../../src/hosts/host.ts';
import { createLocalHost } from '../../src/hosts/local.ts';

export const localHost = createLocalHost(systemClock);

/** A check as the loader would complete it, from what a person writes. */
export function checkOf<Kind extends CheckKind>(
  kind: Kind,
  written: z.input<(typeof checkSchemas)[Kind]>,
  more: Partial<CheckConfig> = {},
): CheckConfig {
  const settings = checkSchemas[kind].parse(written);
  const as = z.object({ as: z.enum(['warn', 'critical']).default('critical') }).parse(written).as;
  const common = {
    key: `api/${kind}`,
    name: kind,
    service: 'api',
    kind,
    everyMs: 60_000,
    withinMs: 2000,
    fails: 2,
    of: 2,
  };
  return { ...common, as, settings, ...more };
}

export const serviceOf = (more: Partial<Service> = {}): Service => ({
  ...serviceSchema.parse({ manager: 'process' }),
  name: 'api',
  unit: 'api',
  logs: [],
  dependsOn: [],
  checks: [],
  machine: false,
  ...more,
});

/** What the store would keep, in memory. */
export function memoryHistory(more: Partial<CheckHistory> = {}): CheckHistory {
  const positions = new Map<string, string>();
  return {
    samples: () => [],
    lastPing: () => null,
    position: (check) => positions.get(check) ?? null,
    setPosition: (check, position) => void positions.set(check, position),
    ...more,
  };
}

type Context = Omit<CheckContext, 'signal'>;

export const contextOf = (more: Partial<Context> = {}): Context => ({
  service: serviceOf(),
  host: localHost,
  manager: null,
  clock: systemClock,
  history: memoryHistory(),
  latest: () => undefined,
  secret: (reference) => {
    throw new Error(`${reference} is not set`);
  },
  ...more,
});

/** Measures once, the way the monitor does. */
export const measure = (check: CheckConfig, more: Partial<Context> = {}): Promise<CheckResult> => {
  const context = contextOf(more);
  return measureCheck(check, context, context.clock);
};

export const resultOf = (check: CheckConfig, verdict: Verdict, at: number): CheckResult => ({
  check: check.key,
  service: check.service,
  kind: check.kind,
  verdict,
  summary: verdict,
  at,
  durationMs: 1,
});

/** A clock that stands still until it is told to go on, and wakes sleepers in order. */
export function handClock(
  start = 1_700_000_000_000,
): Clock & { advance(milliseconds: number): Promise<void>; set(at: number): void } {
  let now = start;
  let sleepers: { until: number; wake: () => void }[] = [];
  // Until somebody sleeps again and stays asleep for a few turns of the event loop.
  const settle = async (): Promise<void> => {
    for (let quiet = 0, turn = 0; quiet < 4 && turn < 500; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      quiet = sleepers.length > 0 ? quiet + 1 : 0;
    }
  };
  return {
    now: () => now,
    // As when the machine slept or its time was set: a sleeper's rest is not shortened by that.
    set: (at) => {
      for (const sleeper of sleepers) sleeper.until += at - now;
      now = at;
    },
    sleep: (milliseconds, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        const sleeper = { until: now + milliseconds, wake: resolve };
        sleepers.push(sleeper);
        signal?.addEventListener('abort', () => {
          sleepers = sleepers.filter((other) => other !== sleeper);
          resolve();
        });
      }),
    async advance(milliseconds) {
      const end = now + milliseconds;
      await settle();
      for (;;) {
        const next = sleepers.filter((sleeper) => sleeper.until <= end).sort((a, b) => a.until - b.until)[0];
        if (!next) break;
        sleepers = sleepers.filter((other) => other !== next);
        now = Math.max(now, next.until);
        next.wake();
        await settle();
      }
      now = Math.max(now, end);
    },
  };
}

/** A host that runs nothing: it answers each program from a table. Files and sockets are this machine's. */
export function scriptedHost(
  answers: (argv: readonly string[]) => Partial<CommandResult> | undefined,
  more: Partial<Host> = {},
): Host {
  return {
    ...localHost,
    platform: async () => 'linux',
    run: async ({ argv }: CommandRequest) => {
      const answer = answers(argv);
      if (!answer) throw new Error(`no answer is written for ${argv.join(' ')}`);
      return { argv, exitCode: 0, signal: null, stdout: '', stderr: '', durationMs: 1, truncated: false, ...answer };
    },
    ...more,
  };
}

/** A TCP server for one test that does what it is told with each connection; gives its port. */
export async function tcpServer(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return listening(server);
}

export const listening = (server: Server): Promise<number> =>
  new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
  });

/** A port of this machine where nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nightshift-health-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
