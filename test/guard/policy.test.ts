import { expect, test } from 'vitest';
import type { ActionRequest, GuardPolicy } from '../../src/guard/decision.ts';
import { decide, type GuardFacts } from '../../src/guard/policy.ts';
import type { ActionRecord } from '../../src/incidents/incident.ts';
import { policy, request } from './support.ts';

const NOW = Date.parse('2026-11-20T12:00:00Z');
const MINUTE = 60_000;

const past = (minutesAgo: number, change: Partial<ActionRecord> = {}): ActionRecord => ({
  id: minutesAgo,
  incident: 1,
  tool: 'restart_service',
  arguments: {},
  service: 'cache',
  risk: 'reversible',
  undo: 'none needed',
  reason: '',
  by: 'runbook x',
  state: 'succeeded',
  intendedAt: NOW - minutesAgo * MINUTE,
  endedAt: NOW,
  outcome: '',
  held: null,
  ...change,
});

const ask = (
  change: Partial<ActionRequest> = {},
  rules: Partial<GuardPolicy> = {},
  facts: Partial<GuardFacts> = {},
) => {
  const decision = decide(request(change), policy(rules), { recentActions: [], now: NOW, killSwitch: false, ...facts });
  expect(decision.reason.length).toBeGreaterThan(15);
  return `${decision.decision} ${decision.rule}`;
};

test('what each mode lets through, by risk and by hand', () => {
  const table = (byHand: boolean) =>
    Object.fromEntries(
      (['observe', 'propose', 'act'] as const).map((mode) => [
        mode,
        (['reversible', 'disruptive', 'destructive'] as const).map(
          (risk) => ask({ risk, byHand }, { mode }).split(' ')[0],
        ),
      ]),
    );
  expect(table(false)).toEqual({
    observe: ['deny', 'deny', 'deny'],
    propose: ['ask', 'ask', 'deny'],
    act: ['allow', 'ask', 'deny'],
  });
  expect(table(true)).toEqual({
    observe: ['allow', 'allow', 'deny'],
    propose: ['allow', 'allow', 'deny'],
    act: ['allow', 'allow', 'deny'],
  });
});

test('what has no undo is at least disruptive', () => {
  expect(ask({ undo: 'none' })).toBe('ask disruptive');
  expect(ask({ undo: ' None ' })).toBe('ask disruptive');
  expect(ask({ undo: '' })).toBe('ask disruptive');
  expect(ask({ undo: 'restore the old file' })).toBe('allow reversible');
});

test('in doubt it refuses', () => {
  // As text from elsewhere could make it, past the types.
  const odd: { risk: ActionRequest['risk'] } = JSON.parse('{"risk":"harmless"}');
  const oddMode: { mode: GuardPolicy['mode'] } = JSON.parse('{"mode":"yolo"}');
  expect(ask(odd)).toBe('deny known-risk');
  expect(ask({ ...odd, byHand: true })).toBe('deny known-risk');
  expect(ask({}, oddMode)).toBe('deny known-mode');
  expect(ask({ byHand: true }, oddMode)).toBe('deny known-mode');
  expect(ask({ risk: 'read' })).toBe('deny reads-do-not-act');
  expect(ask({ service: '' })).toBe('deny named');
});

test('the STOP file stops everything, a person at the terminal too', () => {
  expect(ask({}, {}, { killSwitch: true })).toBe('deny stop');
  expect(ask({ byHand: true }, {}, { killSwitch: true })).toBe('deny stop');
});

test('without a failing check there is no ground, unless a person asks', () => {
  expect(ask({ failingChecks: [] })).toBe('deny no-failing-check');
  expect(ask({ failingChecks: [], byHand: true })).toBe('allow by-hand');
});

test('a host is not acted on, but its logs may be cut and its caches cleared', () => {
  expect(ask({ service: 'machine' })).toBe('deny machine');
  expect(ask({ service: 'machine@pc', byHand: true })).toBe('deny machine');
  expect(ask({ service: 'machine@pc', tool: 'rotate_log' })).toBe('allow reversible');
  expect(ask({ service: 'machine', tool: 'clear_directory', undo: 'none' })).toBe('ask disruptive');
  expect(ask({ service: 'machinery' })).toBe('allow reversible');
});

test('three actions within an hour on one service, and it says when the next is possible', () => {
  const three = [past(5), past(20), past(59)];
  expect(ask({}, {}, { recentActions: three })).toBe('deny limit-per-hour');
  expect(ask({ byHand: true }, {}, { recentActions: three })).toBe('deny limit-per-hour');
  expect(decide(request(), policy(), { recentActions: three, now: NOW, killSwitch: false }).reason).toContain(
    '2026-11-20T12:01:00.000Z',
  );
  expect(ask({}, {}, { recentActions: [past(5), past(20), past(60)] })).toBe('allow reversible');
  expect(ask({}, {}, { recentActions: [past(5), past(20), past(30, { service: 'api' })] })).toBe('allow reversible');
  expect(ask({}, {}, { recentActions: [past(5), past(20), past(30, { state: 'refused' })] })).toBe('allow reversible');
  expect(ask({}, {}, { recentActions: [past(5), past(20), past(30, { state: 'failed' })] })).toBe(
    'deny limit-per-hour',
  );
  expect(ask({}, { actionsPerServicePerHour: 0 })).toBe('deny limit-per-hour');
});

test('nothing is done to a service while something else is under way on it', () => {
  expect(ask({}, {}, { recentActions: [past(500, { state: 'intended' })] })).toBe('deny one-at-a-time');
  expect(ask({}, {}, { recentActions: [past(1, { state: 'intended', service: 'api' })] })).toBe('allow reversible');
});
