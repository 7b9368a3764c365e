import type { Scalar } from '../base/scalar.ts';
import type { Risk } from '../config/schema.ts';
import type { CheckResult, Verdict } from '../health/check.ts';

export const severities = ['info', 'warn', 'critical', 'emergency'] as const;
export type Severity = (typeof severities)[number];

export type IncidentState = 'open' | 'diagnosing' | 'awaiting' | 'acting' | 'holding' | 'escalated' | 'resolved';
export type ResolvedBy = 'nightshift' | 'person' | 'itself';

/** A check that changed its verdict, or a word from outside. */
export interface Signal {
  /** The check, `SERVICE/NAME`. */
  check: string;
  service: string;
  verdict: Verdict;
  previous: Verdict;
  summary: string;
  reason: string | null;
  /** When the first of the results that led to it was measured. */
  since: number;
  at: number;
}

/** A claim's ground: a tool result's id and a span quoted from it. `verified` once code has found the span there. */
export interface Evidence {
  source: string;
  /** The tool or check that gave it, and on what: `logs(api)`. */
  title: string;
  quote: string;
  verified: boolean;
  /** The facts it is the ground of, where Nightshift measured them itself. */
  facts?: string[];
}

/** One call of an acting tool, as proposed by a runbook, memory, the model or a person. */
export interface ProposedAction {
  tool: string;
  arguments: Record<string, unknown>;
  reason: string;
}

/** A step of what should be done, in order. */
export type PlanStep =
  | { kind: 'action'; action: ProposedAction }
  | { kind: 'wait'; milliseconds: number }
  /** These checks (SERVICE/NAME) must pass before the plan goes on. */
  | { kind: 'verify'; checks: string[] }
  /** A person is told when this expression over the facts, measured then, is true. */
  | { kind: 'alert'; when: string };

/** What is wrong, why we think so, and what could be done. */
export interface Diagnosis {
  /** A short id of the mechanism, such as `process-down` or `port-taken`; `unknown` when the evidence is not enough. */
  cause: string;
  /** The service (or file, port, host) the cause is about. */
  object: string;
  /** In one sentence for people. */
  rootCause: string;
  /** 0 to 1. */
  confidence: number;
  evidence: Evidence[];
  notChecked: string[];
  /** What came before the model: `runbook`, `memory`, `model`, or `none` when nothing was found. */
  source: 'runbook' | 'memory' | 'model' | 'none';
  /** The runbook's name, the past incident's id (`#12`), the model's name. */
  sourceName: string | null;
  /** Empty when nothing can be done by itself. */
  plan: PlanStep[];
  /** What a person should do if actions are not enough. */
  advice: string | null;
  /** Milliseconds since the epoch before which nothing should be done (recovery, start-up). */
  waitUntil?: number;
}

export type ActionState = 'intended' | 'succeeded' | 'failed' | 'unknown' | 'refused';

/** One call of a tool whose risk is above `read`: intent, outcome, proof. */
export interface ActionRecord {
  id: number;
  incident: number | null;
  tool: string;
  arguments: Record<string, unknown>;
  service: string | null;
  risk: Risk;
  /** `none needed`, `none`, or how. */
  undo: string;
  reason: string;
  /** Who asked: `runbook NAME`, `memory #12`, `model NAME`, `person`. */
  by: string;
  state: ActionState;
  intendedAt: number;
  endedAt: number | null;
  outcome: string | null;
  /** Whether the incident's checks held after it: null until that is known. */
  held: boolean | null;
}

/** What a person would call one problem. */
export interface Incident {
  id: number;
  state: IncidentState;
  severity: Severity;
  /** The service suspected as the cause. */
  service: string;
  /** One line: `api answers 502`. */
  title: string;
  /** Every check that belongs to it, failing or recovered, with its latest result. */
  checks: Record<string, CheckResult>;
  openedAt: number;
  /** When the first failing result was measured. */
  since: number;
  updatedAt: number;
  resolvedAt: number | null;
  resolvedBy: ResolvedBy | null;
  /** What resolved it, in a sentence. */
  resolution: string | null;
  diagnosis: Diagnosis | null;
  signature: string | null;
  /** When holding began, in milliseconds since the epoch. */
  holdingSince: number | null;
  /** How often a fix did not hold. */
  reopened: number;
  escalatedAt: number | null;
  modelTokens: number;
}

/** An entry of an incident's timeline. `text` is what a person reads; `data` what programs need. Append-only. */
export interface TimelineEntry {
  id: number;
  incident: number;
  at: number;
  type: TimelineType;
  text: string;
  data: Record<string, unknown>;
}

export const timelineTypes = [
  'opened',
  'signal',
  'recovered',
  'facts',
  'diagnosis',
  'plan',
  'waiting',
  'asked',
  'approved',
  'denied',
  'refused',
  'action-start',
  'action-end',
  'verify',
  'holding',
  'not-held',
  'reopened',
  'escalated',
  'resolved',
  'learned',
  'note',
  'model',
  'interrupted',
] as const;
export type TimelineType = (typeof timelineTypes)[number];

export interface EscalationDecision {
  escalate: boolean;
  reason: string;
}

/** How acting on a diagnosis went. */
export interface ActionResult {
  /** `acted` says only that the tool ran: whether it held is measured afterwards. */
  outcome: 'acted' | 'asked' | 'refused' | 'failed' | 'nothing-to-do';
  actions: ActionRecord[];
  summary: string;
  /** What a person must be told, however it goes on: an `alert` step of the plan was true. */
  alert?: string;
}

/** How an incident ended, for learning. */
export interface Resolution {
  by: ResolvedBy;
  summary: string;
  actions: ProposedAction[];
  held: boolean;
}

/** Facts of a service as runbooks ask for them; what was not measured is absent. */
export type Facts = Record<string, Scalar>;
