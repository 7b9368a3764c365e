import { createServer } from 'node:net';
import { systemClock } from '../../src/base/clock.ts';
import type { Outcome } from '../../src/base/outcome.ts';
import type { CheckConfig, CheckSettings } from '../../src/config/checks.ts';
import { type Service, serviceSchema } from '../../src/config/schema.ts';
import type { CommandRequest, CommandResult, Host } from '../../src/hosts/host.ts';
import { createLocalHost } from '../../src/hosts/local.ts';

export function unwrap<Value>(outcome: Outcome<Value>): Value {
  if (!outcome.ok) throw new Error(outcome.error);
  return outcome.value;
}

export const errorOf = (outcome: Outcome<unknown>): string => (outcome.ok ? 'no error' : outcome.error);

export async function eventually(what: () => boolean | Promise<boolean>, milliseconds = 5000): Promise<boolean> {
  const until = Date.now() + milliseconds;
  while (!(await what()) && Date.now() < until) await systemClock.sleep(20);
  return what();
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A port nobody listens on just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

export function checkOf(service: string, settings: CheckSettings): CheckConfig {
  return {
    key: `${service}/x`,
    name: 'x',
    service,
    kind: 'tcp',
    everyMs: 1000,
    withinMs: 1000,
    fails: 1,
    of: 1,
    as: 'critical',
    settings,
  } as CheckConfig;
}

/** A service as the loader would complete it. */
export function serviceOf(settings: Partial<Service> & Pick<Service, 'manager'>): Service {
  const { checks: _, logs: __, ...defaults } = serviceSchema.parse({ manager: settings.manager });
  const name = settings.name ?? 'api';
  return { ...defaults, name, unit: name, logs: [], dependsOn: [], checks: [], machine: false, ...settings };
}

/** A host that answers commands from a list, in order, and fails on one too many or another than expected. */
export function scriptedHost(platform: 'linux' | 'darwin', script: [start: string, answer: Partial<CommandResult>][]) {
  const left = [...script];
  const seen: CommandRequest[] = [];
  const host: Host = {
    ...createLocalHost(systemClock),
    kind: 'ssh',
    platform: async () => platform,
    run: async (request) => {
      seen.push(request);
      const [expected, answer] = left.shift() ?? ['nothing more', {}];
      const line = request.argv.join(' ');
      if (!line.startsWith(expected)) throw new Error(`expected "${expected}", got "${line}"`);
      return {
        argv: request.argv,
        exitCode: 0,
        signal: null,
        stdout: '',
        stderr: '',
        durationMs: 1,
        truncated: false,
        ...answer,
      };
    },
  };
  return { host, seen, left };
}
