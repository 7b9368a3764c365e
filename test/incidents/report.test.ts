import { expect, test } from 'vitest';
import type { ActionRecord, Incident, TimelineEntry } from '../../src/incidents/incident.ts';
import { reportMarkdown } from '../../src/incidents/markdown.ts';
import { incidentReport } from '../../src/incidents/report.ts';

const T = Date.parse('2026-11-20T23:59:40Z');

const incident: Incident = {
  id: 12,
  state: 'resolved',
  severity: 'critical',
  service: 'cache',
  title: 'cache: connection refused',
  checks: {
    'cache/tcp': {
      check: 'cache/tcp',
      service: 'cache',
      kind: 'tcp',
      verdict: 'ok',
      summary: 'accepts connections',
      at: T,
      durationMs: 1,
    },
  },
  openedAt: T + 5000,
  since: T,
  updatedAt: T + 42_000,
  resolvedAt: T + 42_000,
  resolvedBy: 'nightshift',
  resolution: 'restarted, and it held for 30 s',
  diagnosis: {
    cause: 'process-down',
    object: 'cache',
    rootCause: 'cache is down: its process ended with signal 9',
    confidence: 0.95,
    evidence: [
      { source: 'r1', title: 'service_status(cache)', quote: 'not running, last exit: signal 9', verified: true },
      { source: 'r2', title: 'logs(cache)', quote: 'line one\n```\n# not a heading', verified: false },
    ],
    notChecked: ['who sent the signal'],
    source: 'runbook',
    sourceName: 'process-down',
    plan: [],
    advice: null,
  },
  signature: 's',
  holdingSince: T + 12_000,
  reopened: 1,
  escalatedAt: null,
  modelTokens: 0,
};

const actions: ActionRecord[] = [
  {
    id: 3,
    incident: 12,
    tool: 'restart_service',
    arguments: { service: 'cache', reason: 'gone' },
    service: 'cache',
    risk: 'reversible',
    undo: 'none needed',
    reason: 'gone',
    by: 'runbook process-down',
    state: 'succeeded',
    intendedAt: T + 8000,
    endedAt: T + 9000,
    outcome: 'restarted, pid 812',
    held: true,
  },
  {
    id: 4,
    incident: 12,
    tool: 'rotate_log',
    arguments: { service: 'cache', file: '/var/log/cache.log' },
    service: 'cache',
    risk: 'reversible',
    undo: 'rename it back',
    reason: '',
    by: 'person',
    state: 'failed',
    intendedAt: T + 10_000,
    endedAt: T + 11_000,
    outcome: 'no space',
    held: null,
  },
];

const entry = (id: number, after: number, type: TimelineEntry['type'], text: string, data = {}): TimelineEntry => ({
  id,
  incident: 12,
  at: T + after,
  type,
  text,
  data,
});
const timeline = [
  entry(1, 5000, 'opened', 'cache: connection refused'),
  entry(2, 8000, 'action-start', 'restart cache'),
  entry(3, 25_000, 'holding', 'PONG | 0.4 ms\n<script>'),
  entry(4, 42_000, 'resolved', 'held'),
];

test('the JSON report has what programs need, in ISO time and seconds', () => {
  const report = incidentReport(incident, timeline, actions);
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  expect(report).toMatchObject({
    incident_id: 12,
    state: 'resolved',
    severity: 'critical',
    service: 'cache',
    opened_at: '2026-11-20T23:59:45.000Z',
    resolved_at: '2026-11-21T00:00:22.000Z',
    duration_seconds: 42,
    root_cause: 'cache is down: its process ended with signal 9',
    cause: 'process-down',
    object: 'cache',
    confidence: 0.95,
    resolution: 'restarted, and it held for 30 s',
    resolved_by: 'nightshift',
    escalated: false,
    model_used: null,
    reopened: 1,
  });
  expect(
    report.actions.map((action) => [
      action.action,
      action.by,
      action.risk,
      action.state,
      action.outcome,
      action.held,
      action.undo,
    ]),
  ).toEqual([
    ['restart cache', 'runbook process-down', 'reversible', 'succeeded', 'restarted, pid 812', true, 'none needed'],
    ['rotate log of cache', 'person', 'reversible', 'failed', 'no space', null, 'rename it back'],
  ]);
  expect(report.timeline).toHaveLength(4);
  expect(report.timeline[0]).toEqual({
    at: '2026-11-20T23:59:45.000Z',
    type: 'opened',
    text: 'cache: connection refused',
  });
});

test('prevention is what the diagnosis advises, else the measure for its mechanism', () => {
  const prevention = (change: Partial<NonNullable<Incident['diagnosis']>>) => {
    const { diagnosis } = incident;
    return incidentReport({ ...incident, diagnosis: diagnosis && { ...diagnosis, ...change } }, [], []).prevention;
  };
  expect(prevention({})).toContain('start cache again by itself');
  expect(prevention({ advice: 'Raise maxmemory.' })).toBe('Raise maxmemory.');
  expect(prevention({ cause: 'disk-full' })).toContain('warn at 80 %');
  expect(prevention({ cause: 'crash-loop' })).toContain('a restart only repeats it');
  expect(prevention({ cause: 'port-taken' })).toContain('one program only');
  expect(prevention({ cause: 'config-syntax' })).toContain('config_test');
  expect(prevention({ cause: 'unknown' })).toBeNull();
  expect(prevention({ cause: 'something-else-entirely' })).toBeNull();
});

test('a report can be made at any time, with nothing known yet', () => {
  const young = {
    ...incident,
    state: 'escalated' as const,
    resolvedAt: null,
    resolvedBy: null,
    resolution: null,
    diagnosis: null,
    escalatedAt: T + 20_000,
  };
  const told = [...timeline.slice(0, 2), entry(5, 20_000, 'escalated', 'the evidence is not enough to act on')];
  const report = incidentReport(young, told, []);
  expect(report).toMatchObject({
    root_cause: null,
    evidence: [],
    resolved_at: null,
    escalated: true,
    escalation_reason: 'the evidence is not enough to act on',
  });
  const text = reportMarkdown(report, { timeZone: 'UTC' });
  expect(text).toContain('**Handed over to a person**');
  expect(text).toContain('It has lasted 42 s so far');
  expect(text).toContain('Nothing was changed by Nightshift.');
  expect(text).toContain('the cause has to be found first');
});

test('a model that was asked is named, even when it did not help', () => {
  const asked = [entry(1, 1, 'model', 'asked', { model: 'qwen3.5:9b' })];
  expect(incidentReport({ ...incident, modelTokens: 812 }, asked, []).model_used).toBe('qwen3.5:9b');
  expect(incidentReport({ ...incident, modelTokens: 812 }, [], []).model_used).toBe('a model');
});

test('the page reads from top to bottom, in local time with the zone said once', () => {
  const text = reportMarkdown(incidentReport(incident, timeline, actions), { timeZone: 'Europe/Berlin' });
  expect(text.match(/Europe\/Berlin/g)).toHaveLength(1);
  expect(text.match(/^#+ .*$/gm)).toEqual([
    '# #12 cache: connection refused',
    '## Cause',
    '## What was done',
    '## What keeps it from coming back',
    '## Timeline',
  ]);
  expect(text).toContain('**Resolved by Nightshift** · severity critical');
  expect(text).toContain('It began on 2026-11-21 00:59:40');
  expect(text).toContain('It lasted 42 s, until 2026-11-21 01:00:22.');
  expect(text).toContain('not running, last exit: signal 9');
  expect(text).toContain('(a guess: the quote was not found there)');
  expect(text).toContain(
    '- 00:59:48 **restart cache** (reversible, by runbook process-down; nothing to undo). It held: restarted, pid 812',
  );
  expect(text).toContain('A fix did not hold once.');
  expect(text).toContain(
    '| 2026-11-21 00:59:45 | opened | cache: connection refused |\n| 00:59:48 | action-start | restart cache |\n| 01:00:05 | holding |',
  );
});

test('text from outside can be no heading, no table cell, no HTML and no end of a quote', () => {
  const text = reportMarkdown(incidentReport({ ...incident, title: '# <b>x</b> [a](http://b)' }, timeline, actions), {
    timeZone: 'UTC',
  });
  expect(text).toContain('# #12 \\# \\<b\\>x\\</b\\> \\[a\\](http://b)');
  expect(text).toContain('PONG \\| 0.4 ms \\<script\\>');
  expect(text).toContain('  ````\n  line one\n  ```\n  # not a heading\n  ````');
  expect(text.match(/^# /gm)).toHaveLength(1);
});
