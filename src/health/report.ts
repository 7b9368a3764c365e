import type { CheckResult, HealthReport, Verdict } from './check.ts';

/** How many results have each verdict. */
export function countVerdicts(results: readonly Pick<CheckResult, 'verdict'>[]): Record<Verdict, number> {
  const counts: Record<Verdict, number> = { ok: 0, warn: 0, critical: 0, unknown: 0 };
  for (const { verdict } of results) counts[verdict] += 1;
  return counts;
}

/** A report of these results, in the order they are given. `at` is in milliseconds since the epoch. */
export const createReport = (name: string, at: number, results: CheckResult[]): HealthReport => ({
  name,
  at,
  results,
  counts: countVerdicts(results),
});

const WEIGHT: Record<Verdict, number> = { ok: 0, unknown: 1, warn: 2, critical: 3 };

/** The verdict of several together: critical before warn before unknown before ok; `ok` of none. */
export const worstVerdict = (all: Iterable<Verdict>): Verdict =>
  [...all].reduce<Verdict>((worst, verdict) => (WEIGHT[verdict] > WEIGHT[worst] ? verdict : worst), 'ok');
