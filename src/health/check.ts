import type { Clock } from '../base/clock.ts';
import type { Scalar } from '../base/scalar.ts';
import type { CheckConfig, CheckKind } from '../config/checks.ts';
import type { Service } from '../config/schema.ts';
import type { Host } from '../hosts/host.ts';
import type { Manager } from '../services/manager.ts';

export const verdicts = ['ok', 'warn', 'critical', 'unknown'] as const;
export type Verdict = (typeof verdicts)[number];

/** What one measurement of a check found. */
export interface Measurement {
  verdict: Verdict;
  /** One line for people: `502 in 4 ms`, `no answer within 2 s`. */
  summary: string;
  /** A short word for how it failed, stable over time, for signatures: `refused`, `timed-out`, `status 502`, `over-limit`. */
  reason?: string;
  value?: number;
  unit?: string;
  /** Facts beside the value that runbooks may ask for. */
  facts?: Record<string, Scalar>;
}

/** One result of one check. */
export interface CheckResult extends Measurement {
  /** SERVICE/NAME. */
  check: string;
  service: string;
  kind: CheckKind;
  /** When the measurement ended, in milliseconds since the epoch. */
  at: number;
  durationMs: number;
}

/** Every check's latest result at one time. */
export interface HealthReport {
  name: string;
  at: number;
  results: CheckResult[];
  counts: Record<Verdict, number>;
}

/** What checks remember from one measurement to the next, kept by the store. */
export interface CheckHistory {
  /** Values of a check measured at or after `since`, oldest first. */
  samples(check: string, since: number): { at: number; value: number }[];
  /** When `nightshift ping NAME` was last called. */
  lastPing(name: string): number | null;
  /** A small position a check keeps for itself, such as an offset in a log. */
  position(check: string): string | null;
  setPosition(check: string, position: string): void;
}

/** All that a check is handed. It starts no process and opens no file but through these. */
export interface CheckContext {
  service: Service;
  host: Host;
  manager: Manager | null;
  clock: Clock;
  history: CheckHistory;
  /** The latest result of another check, for `metric: { check: SERVICE/NAME }`. */
  latest(check: string): CheckResult | undefined;
  /** The value behind `env:NAME` or `file:PATH`. */
  secret(reference: string): string;
  /** Aborts at the check's time limit. */
  signal: AbortSignal;
}

/** Measures one kind of check. It may throw: the monitor turns that into a failing result that says what was tried. */
export type CheckRunner<Kind extends CheckKind> = (
  check: CheckConfig<Kind>,
  context: CheckContext,
) => Promise<Measurement>;
