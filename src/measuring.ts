import { homedir } from 'node:os';
import { dirname } from 'node:path';
import { type Clock, systemClock } from './base/clock.ts';
import { namesSecret } from './config/mask.ts';
import type { Config } from './config/schema.ts';
import { createSecrets } from './config/secret.ts';
import { createRedactor, type Redactor } from './guard/redact.ts';
import type { CheckHistory, CheckResult } from './health/check.ts';
import { createMonitor, type Monitor } from './health/monitor.ts';
import { createHosts } from './hosts/create.ts';
import type { Host } from './hosts/host.ts';
import { createManager } from './services/create.ts';
import type { Manager } from './services/manager.ts';

/** What the outside hands in: the environment for secrets. */
export interface Surroundings {
  environment: NodeJS.ProcessEnv;
}

/** Everything that measures: hosts, managers, checks. It changes nothing. */
export interface Measuring {
  monitor: Monitor;
  host(name: string): Host;
  manager(service: string): Manager | null;
  secret(reference: string): string;
  redactor: Redactor;
  close(): void;
}

/** Puts together what measures, over a history that belongs to a store or lasts as long as the process. */
export function createMeasuring(
  config: Config,
  surroundings: Surroundings,
  history: CheckHistory,
  latest: (check: string) => CheckResult | undefined,
  clock: Clock = systemClock,
): Measuring {
  const redactor = createRedactor();
  const secrets = createSecrets(surroundings.environment, config.file === null ? homedir() : dirname(config.file));
  // A password that equals a name of the inventory hides nothing, and replacing it would unmake every sentence about that service.
  const names = new Set(
    [...config.services.values()].flatMap(({ name, unit, host: on, kind }) => [name, unit, on, kind]),
  );
  const learn = (value: string): void => {
    if (!names.has(value)) redactor.know(value);
  };
  const secret = (reference: string): string => {
    const value = secrets(reference);
    learn(value);
    return value;
  };
  for (const value of secretsOf(config, secrets)) learn(value);
  const hosts = createHosts(config.hosts, clock);
  const host = (name: string): Host => {
    const found = hosts(name);
    // Names come from the inventory, which was checked when it was loaded: anything else is a bug.
    if (!found.ok) throw new Error(found.error);
    return found.value;
  };
  const managers = new Map<string, Manager | null>();
  const manager = (name: string): Manager | null => {
    const service = config.services.get(name);
    if (!service) return null;
    if (!managers.has(name)) managers.set(name, createManager({ service, host: host(service.host), clock }));
    return managers.get(name) ?? null;
  };
  const monitor = createMonitor({
    config,
    clock,
    concurrency: config.limits.checks_at_once,
    context: (check) => {
      const service = config.services.get(check.service);
      if (!service) throw new Error(`no service ${check.service}`);
      return { service, host: host(service.host), manager: manager(service.name), clock, history, latest, secret };
    },
  });
  return { monitor, host, manager, secret, redactor, close: () => undefined };
}

/** Every secret that the configuration leads to: known before the first text is read, so that none slips by before its first use. */
function secretsOf(config: Config, secrets: (reference: string) => string): string[] {
  const references = new Set<string>();
  const values: string[] = [];
  const look = (value: unknown): void => {
    if (typeof value === 'string' && /^(env|file):/.test(value)) references.add(value);
    else if (Array.isArray(value)) for (const each of value) look(each);
    else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) look(each);
  };
  look([config.models, config.escalate]);
  for (const service of config.services.values()) {
    look(service.checks.map((check) => check.settings));
    for (const [name, value] of Object.entries(service.environment ?? {})) if (namesSecret(name)) values.push(value);
  }
  for (const reference of references) {
    try {
      values.push(secrets(reference));
    } catch {
      // It cannot be read now, so it cannot leak either; whoever needs it says so.
    }
  }
  return values;
}
