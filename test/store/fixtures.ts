import type { CheckResult } from '../../src/health/check.ts';
import type { ActionRecord, Incident } from '../../src/incidents/incident.ts';

export const draft = (change: Partial<Incident> = {}): Omit<Incident, 'id'> => ({
  state: 'open',
  severity: 'critical',
  service: 'api',
  title: 'api: 502 in 4 ms',
  checks: {},
  openedAt: 1000,
  since: 900,
  updatedAt: 1000,
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
});

export const intent = (change: Partial<ActionRecord> = {}) => ({
  incident: 1,
  tool: 'restart_service',
  arguments: { service: 'cache' },
  service: 'cache',
  risk: 'reversible' as const,
  undo: 'none needed',
  reason: 'its process is gone',
  by: 'runbook process-down',
  ...change,
});

export const result = (check: string, change: Partial<CheckResult> = {}): CheckResult => ({
  check,
  service: check.split('/')[0] ?? check,
  kind: 'http',
  verdict: 'ok',
  summary: '200 in 4 ms',
  at: 1000,
  durationMs: 4,
  ...change,
});
