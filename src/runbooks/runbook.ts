import type { Facts, PlanStep } from '../incidents/incident.ts';

/** A symptom as written and as compiled. `unknown` when a fact it needs was not measured. */
export interface Expression {
  text: string;
  /** Names of the facts it reads. */
  reads: string[];
  evaluate(facts: Facts): boolean | 'unknown';
}

/** A command that a person wrote into a runbook. It runs only once a person has allowed it, at the risk chosen then. */
export interface RunbookCommand {
  /** `RUNBOOK#2`: what it is allowed by. */
  id: string;
  host: string;
  /** May hold `{name}`, `{service}`, `{host}`, `{unit}`: names of the inventory. */
  argv: string[];
  /** The line as written. */
  text: string;
}

export type RunbookStep = PlanStep | { kind: 'command'; command: RunbookCommand };

/** A known problem: what shows, what is behind it, what to do, what proves that it is over. */
export interface Runbook {
  name: string;
  file: string;
  /** True for those that come with Nightshift. */
  shipped: boolean;
  /** A short id of the mechanism, such as `process-down`. */
  cause: string;
  /** In a sentence, with `{service}` and other facts as slots. */
  because: string;
  /** All must hold. */
  symptoms: Expression[];
  /** None may hold: facts that refute it. */
  unless: Expression[];
  steps: RunbookStep[];
  /** What a person should do afterwards, or if it does not help. */
  advice: string | null;
  /** Higher goes first among those that match. Default 0. */
  priority: number;
  /** Nothing is done before the service's own time limit for starting (or recovering) has passed. Default false. */
  leaveAlone?: boolean;
}
