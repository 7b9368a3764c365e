import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { success } from '../../src/base/outcome.ts';
import type { Config } from '../../src/config/schema.ts';
import type { CheckResult } from '../../src/health/check.ts';
import type { CommandResult, Host } from '../../src/hosts/host.ts';
import { createLocalHost } from '../../src/hosts/local.ts';
import type { Incident } from '../../src/incidents/incident.ts';
import { loadRunbooks } from '../../src/runbooks/load.ts';
import type { Manager, ServiceStatus } from '../../src/services/manager.ts';
import type { ToolContext } from '../../tools/tool.ts';
import { configOf } from '../support/config.ts';

/** A folder of its own, gone when disposed. */
export function folder(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'nightshift-runbooks-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Loads one runbook file as a person wrote it, without the shipped ones. */
export async function load(yaml: string, config: Config) {
  using where = folder();
  const file = join(where.path, 'own.yaml');
  writeFileSync(file, yaml);
  return await loadRunbooks({ paths: [file], config, shippedFolder: null });
}

/** The inventory that the runbooks of the mission speak of: seven workers and an API on two hosts. */
export const mvps = (): Config =>
  configOf(`
name: mvps
hosts:
  pc: { ssh: pc }
  box: { ssh: box }
services:
${[1, 2, 3, 4, 5, 6, 7]
  .map(
    (number) => `  worker_${number}:
    host: pc
    manager: supervisor
    checks:
      - heartbeat: worker-${number}
        critical: 5m
      - process: main`,
  )
  .join('\n')}
  brain-api:
    host: box
    manager: systemd
    checks:
      - http: http://127.0.0.1:8080/health
      - memory: service
        critical: 90%
`);

export const status = (change: Partial<ServiceStatus> = {}): ServiceStatus => ({
  state: 'running',
  mainPid: null,
  since: null,
  exitCode: null,
  exitSignal: null,
  restarts: null,
  outOfMemory: false,
  stoppedOnPurpose: null,
  health: null,
  summary: 'as the test says',
  ...change,
});

export const managerOf = (says: ServiceStatus, log = ''): Manager => ({
  kind: 'process',
  status: async () => success(says),
  start: async () => success('started'),
  stop: async () => success('stopped'),
  restart: async () => success('restarted'),
  reload: async () => success('reloaded'),
  logs: async () => success([{ text: log, source: 'app.log', truncated: false }]),
});

export const result = (check: string, change: Partial<CheckResult> = {}): CheckResult => ({
  check,
  service: check.split('/')[0] ?? '',
  kind: 'http',
  verdict: 'critical',
  summary: '500 in 4 ms',
  at: 1000,
  durationMs: 4,
  ...change,
});

export function incident(service: string, checks: CheckResult[] = [], change: Partial<Incident> = {}): Incident {
  return {
    id: 1,
    state: 'open',
    severity: 'critical',
    service,
    title: `${service} is not well`,
    checks: Object.fromEntries(checks.map((each) => [each.check, each])),
    openedAt: Date.now(),
    since: Date.now(),
    updatedAt: Date.now(),
    resolvedAt: null,
    resolvedBy: null,
    resolution: null,
    diagnosis: null,
    signature: null,
    holdingSince: null,
    reopened: 0,
    escalatedAt: null,
    modelTokens: 0,
    ...change,
  };
}

/** A tool context over the real machine, but for what the test says. */
export function contextOf(config: Config, change: Partial<ToolContext> = {}): ToolContext {
  const host = createLocalHost(systemClock);
  return {
    config,
    scope: { services: [...config.services.keys()], hosts: ['local'] },
    clock: systemClock,
    host: () => host,
    service: (name) => {
      const service = config.services.get(name);
      if (!service) throw new Error(`there is no service ${name}`);
      return service;
    },
    manager: () => null,
    measure: async () => [],
    latest: () => [],
    archive: { recent: () => [], timeline: () => [], actions: () => [] },
    goodCopies: { list: () => [], read: () => new Uint8Array() },
    handles: { remember: () => 'x-1', recall: () => null },
    secret: () => '',
    signal: new AbortController().signal,
    ...change,
  };
}

/** The real machine, whose programs answer as scripted by their name; others run. */
export function hostWith(programs: Record<string, (argv: readonly string[]) => Partial<CommandResult>>): Host {
  const real = createLocalHost(systemClock);
  return {
    ...real,
    name: 'local',
    kind: 'local',
    platform: async () => 'linux',
    run: async (request) => {
      const scripted = programs[request.argv[0]];
      if (!scripted) return real.run(request);
      const plain = {
        argv: request.argv,
        exitCode: 0,
        signal: null,
        stdout: '',
        stderr: '',
        durationMs: 1,
        truncated: false,
      };
      return { ...plain, ...scripted(request.argv) };
    },
  };
}
