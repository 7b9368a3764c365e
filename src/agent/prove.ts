import type { CheckConfig } from '../config/checks.ts';
import type { CheckResult } from '../health/check.ts';
import type { Incident } from '../incidents/incident.ts';
import { reload } from './condition.ts';
import type { AgentParts } from './parts.ts';
import { checksToProve } from './scope.ts';

/** What the host itself says after an action. The model's word counts for nothing here. */
export type Proof =
  | { held: true; results: CheckResult[] }
  | { held: false; stage: 'not-fixed' | 'not-held'; failing: CheckResult[] }
  /** Nobody knows: it was stopped, or what should tell cannot be measured. */
  | { held: null; stage: 'stopped' | 'unmeasured'; failing: CheckResult[] };

/** One look at everything that must pass. */
interface Look {
  checks: CheckConfig[];
  results: CheckResult[];
  bad: CheckResult[];
}

/**
 * Measures until the checks that failed and those of every dependant pass, then until they have gone on passing for the
 * hold window of the service. One bad result starts the window anew; as many as the check's own `fails` end it. Checks
 * that join the incident meanwhile must pass as well.
 */
export async function prove(
  parts: AgentParts,
  incident: Incident,
  signal: AbortSignal,
  onHolding: (results: CheckResult[]) => void,
): Promise<Proof> {
  const { clock } = parts;
  const { startsWithin, hold, pause } = timesFor(parts, incident);
  const look = () => lookAt(parts, incident.id);
  const failed = (stage: 'not-fixed' | 'not-held', failing: CheckResult[]): Proof =>
    failing.length > 0 && failing.every((result) => result.verdict === 'unknown')
      ? { held: null, stage: 'unmeasured', failing }
      : { held: false, stage, failing };

  const settleUntil = clock.now() + startsWithin;
  let { checks, results, bad } = await look();
  if (checks.length === 0) return { held: null, stage: 'unmeasured', failing: [] };
  while (bad.length > 0) {
    if (signal.aborted) return { held: null, stage: 'stopped', failing: bad };
    if (clock.now() >= settleUntil) return failed('not-fixed', bad);
    await clock.sleep(pause, signal);
    ({ checks, results, bad } = await look());
  }
  if (signal.aborted) return { held: null, stage: 'stopped', failing: [] };
  onHolding(results);
  let since = clock.now();
  const streaks = new Map<string, number>();
  const giveUpAt = since + hold * 3 + startsWithin;
  while (clock.now() - since < hold) {
    await clock.sleep(Math.min(pause, Math.max(hold - (clock.now() - since), 1)), signal);
    if (signal.aborted) return { held: null, stage: 'stopped', failing: [] };
    ({ checks, results, bad } = await look());
    for (const check of checks) {
      const fails = bad.some((result) => result.check === check.key);
      streaks.set(check.key, fails ? (streaks.get(check.key) ?? 0) + 1 : 0);
      if ((streaks.get(check.key) ?? 0) >= check.fails) return failed('not-held', bad);
    }
    if (bad.length > 0) since = clock.now();
    if (bad.length > 0 && clock.now() > giveUpAt) return failed('not-held', bad);
  }
  return { held: true, results };
}

/** Measures what must pass; once more when another check has joined the incident while that was measured. */
async function lookAt(parts: AgentParts, id: number): Promise<Look> {
  for (;;) {
    const checks = checksToProve(parts, reload(parts, id));
    const results = await parts.monitor.measure(checks);
    parts.ingest(results);
    const own = reload(parts, id).checks;
    const measured = new Set(results.map((result) => result.check));
    if (Object.keys(own).some((key) => !measured.has(key))) continue;
    return { checks, results, bad: results.filter((result) => !passes(result, result.check in own)) };
  }
}

/** What failed must be well again. A dependant must not be down; what could not be measured there is no proof against. */
const passes = (result: CheckResult, own: boolean): boolean =>
  own ? result.verdict === 'ok' : result.verdict !== 'critical';

function timesFor(parts: AgentParts, incident: Incident): { startsWithin: number; hold: number; pause: number } {
  const checks = checksToProve(parts, incident);
  const limits = checks.map((check) => parts.config.services.get(check.service)?.starts_within ?? 0);
  const hold = parts.config.services.get(incident.service)?.hold ?? 30_000;
  const every = Math.min(...checks.map((check) => check.everyMs));
  const pause = Math.min(Math.max(every, 500), 5000, Math.max(hold / 4, 250));
  return { startsWithin: Math.max(5000, ...limits), hold, pause };
}
