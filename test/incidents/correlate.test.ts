import { describe, expect, test } from 'vitest';
import type { CheckResult, Verdict } from '../../src/health/check.ts';
import { findSuspect, incidentFor, titleOf } from '../../src/incidents/correlate.ts';
import { dependencyGraph } from '../../src/incidents/graph.ts';
import type { Incident } from '../../src/incidents/incident.ts';
import { configOf } from '../support/config.ts';

const config = configOf(`
hosts: { pc: { ssh: pc } }
services:
  postgres: { manager: systemd, checks: [{ tcp: "127.0.0.1:5432" }] }
  cache: { manager: systemd, checks: [{ tcp: "127.0.0.1:6379" }] }
  api: { manager: systemd, depends_on: [postgres, cache], checks: [{ tcp: "127.0.0.1:8080" }] }
  web: { manager: systemd, depends_on: [api], checks: [{ tcp: "127.0.0.1:8081" }] }
  mail: { manager: systemd, checks: [{ tcp: "127.0.0.1:2525" }] }
  worker: { manager: supervisor, host: pc, checks: [{ tcp: "127.0.0.1:7000" }] }
`);
const graph = dependencyGraph(config);

const result = (service: string, verdict: Verdict, reason?: string): CheckResult => ({
  check: `${service}/tcp`,
  service,
  kind: 'tcp',
  verdict,
  summary: verdict === 'ok' ? 'open' : 'refused',
  reason,
  at: 1000,
  durationMs: 1,
});
const world = (failing: Record<string, Verdict>) => {
  const measured: string[] = [];
  return {
    measured,
    measure: async (service: string) => {
      measured.push(service);
      return [result(service, failing[service] ?? 'ok')];
    },
  };
};
const signal = (service: string) => ({ service, verdict: 'critical' as const, reason: 'refused' });

describe('the suspect behind a signal', () => {
  test('is the deepest dependency that fails now, however far down', async () => {
    const { measure } = world({ postgres: 'critical', api: 'critical' });
    expect((await findSuspect(signal('web'), config, graph, measure)).service).toBe('postgres');
  });

  test('is the service itself when everything it needs is well, and all of that was looked at', async () => {
    const { measure, measured } = world({});
    expect((await findSuspect(signal('api'), config, graph, measure)).service).toBe('api');
    expect(measured.sort()).toEqual(['cache', 'postgres']);
  });

  test('is found below a dependency that still passes its own checks', async () => {
    const { measure } = world({ cache: 'critical' });
    expect((await findSuspect(signal('web'), config, graph, measure)).service).toBe('cache');
  });

  test('a critical dependency goes before one that only warns', async () => {
    const { measure } = world({ postgres: 'warn', cache: 'critical' });
    expect((await findSuspect(signal('api'), config, graph, measure)).service).toBe('cache');
  });

  test('is not a dependency that only warns, when the service itself is down', async () => {
    const { measure } = world({ postgres: 'warn' });
    expect((await findSuspect(signal('api'), config, graph, measure)).service).toBe('api');
    const warns = { ...signal('api'), verdict: 'warn' as const };
    expect((await findSuspect(warns, config, graph, measure)).service).toBe('postgres');
  });

  test('is the machine when the host does not answer', async () => {
    const { measure } = world({});
    const found = await findSuspect(
      { service: 'worker', verdict: 'unknown', reason: 'host-unreachable' },
      config,
      graph,
      measure,
    );
    expect(found.service).toBe('machine@pc');
  });
});

describe('the incident a suspect belongs to', () => {
  const incident = (id: number, service: string, state: Incident['state'], verdict: Verdict): Incident => ({
    id,
    service,
    state,
    severity: 'critical',
    title: '',
    checks: { [`${service}/tcp`]: result(service, verdict) },
    openedAt: 0,
    since: 0,
    updatedAt: 0,
    resolvedAt: null,
    resolvedBy: null,
    resolution: null,
    diagnosis: null,
    signature: null,
    holdingSince: null,
    reopened: 0,
    escalatedAt: null,
    modelTokens: 0,
  });

  test('is that of a cause which is being mended: a symptom lags behind', () => {
    const open = [incident(1, 'postgres', 'holding', 'ok')];
    expect(incidentFor({ service: 'web', severity: 'critical' }, open, graph)?.id).toBe(1);
  });

  test('is not that of a dependency that is well: its own fault stays its own', () => {
    const open = [incident(1, 'postgres', 'escalated', 'ok')];
    expect(incidentFor({ service: 'web', severity: 'critical' }, open, graph)).toBeNull();
  });

  test('is that of a dependant which was suspected first', () => {
    expect(
      incidentFor({ service: 'cache', severity: 'critical' }, [incident(1, 'web', 'open', 'critical')], graph)?.id,
    ).toBe(1);
  });

  test('is not one that waits for a person as a mere warning, when this is a failure', () => {
    const open = [{ ...incident(1, 'cache', 'escalated', 'warn'), severity: 'warn' as const }];
    expect(incidentFor({ service: 'cache', severity: 'warn' }, open, graph)?.id).toBe(1);
    expect(incidentFor({ service: 'cache', severity: 'critical' }, open, graph)).toBeNull();
  });

  test('is not that of a dependant which waits for a person: nobody works on it', () => {
    expect(
      incidentFor({ service: 'cache', severity: 'critical' }, [incident(1, 'web', 'escalated', 'critical')], graph),
    ).toBeNull();
  });

  test('two faults that have nothing to do with each other stay two', () => {
    expect(
      incidentFor({ service: 'mail', severity: 'critical' }, [incident(1, 'postgres', 'open', 'critical')], graph),
    ).toBeNull();
  });
});

test('a title names the service and what its most telling check says', () => {
  expect(titleOf('api', [result('api', 'warn'), { ...result('api', 'critical'), summary: '502 in 4 ms' }])).toBe(
    'api: 502 in 4 ms',
  );
});

test('the group of a service holds what it needs, what needs it and its machine', () => {
  expect(graph.group('api').sort()).toEqual(['api', 'cache', 'machine', 'postgres', 'web']);
});
