import type { Mode, Risk } from '../config/schema.ts';

/** What asks for an action, and on what ground. */
export interface ActionRequest {
  incident: number | null;
  tool: string;
  arguments: Record<string, unknown>;
  title: string;
  service: string;
  risk: Risk;
  undo: string;
  reason: string;
  /** `runbook NAME`, `memory #12`, `model NAME`, `person`. */
  by: string;
  /** Checks that fail now by Nightshift's own measurement; an action that nobody asked for by hand needs at least one. */
  failingChecks: string[];
  /** True when the request comes from a person at the terminal. */
  byHand: boolean;
  /** True when a model chose it: a person at the terminal has asked for help then, not for this. */
  byModel?: boolean;
}

/** The guard's word, and the rule that decided, in a sentence. */
export interface GuardDecision {
  decision: 'allow' | 'ask' | 'deny';
  rule: string;
  reason: string;
}

export interface GuardPolicy {
  mode: Mode;
  actionsPerServicePerHour: number;
}
