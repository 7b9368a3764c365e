import type { CheckConfig } from '../config/checks.ts';
import type { CheckResult } from '../health/check.ts';
import type { Incident } from '../incidents/incident.ts';
import type { AgentParts } from './parts.ts';

/** What the host itself says after an action. The model's word counts for nothing here. */
export type Proof =
  | { held: true; results: CheckResult[] }
  | { held: false; stage: 'not-fixed' | 'not-held'; failing: CheckResult[] }
  | { held: null; stage: 'stopped' };

/**
 * Measures until the checks that failed and those of every dependant pass, then until they have gone on passing for the
 * hold window of the service. One bad result starts the window anew; as many as the check's own `fails` end it.
 */
export async function prove(
  parts: AgentParts,
  incident: Incident,
  signal: AbortSignal,
  onHolding: (results: CheckResult[]) => void,
): Promise<Proof> {
  const { clock } = parts;
  const checks = checksToProve(parts, incident);
  const own = new Set(Object.keys(incident.checks));
  const services = new Set(checks.map((check) => check.service));
  const startsWithin = Math.max(
    ...[...services].map((name) => parts.config.services.get(name)?.starts_within ?? 0),
    5000,
  );
  const hold = parts.config.services.get(incident.service)?.hold ?? 30_000;
  const pause = Math.min(
    Math.max(Math.min(...checks.map((check) => check.everyMs)), 500),
    5000,
    Math.max(hold / 4, 250),
  );
  const measure = async () => {
    const results = await parts.monitor.measure(checks);
    parts.ingest(results);
    return results;
  };
  const bad = (results: CheckResult[]) => results.filter((result) => !passes(result, own.has(result.check)));

  const settleUntil = clock.now() + startsWithin;
  let results = await measure();
  while (bad(results).length > 0) {
    if (signal.aborted) return { held: null, stage: 'stopped' };
    if (clock.now() >= settleUntil) return { held: false, stage: 'not-fixed', failing: bad(results) };
    await clock.sleep(pause, signal);
    results = await measure();
  }
  onHolding(results);
  let since = clock.now();
  const streaks = new Map<string, number>();
  const giveUpAt = since + hold * 3 + startsWithin;
  while (clock.now() - since < hold) {
    await clock.sleep(Math.min(pause, Math.max(hold - (clock.now() - since), 1)), signal);
    if (signal.aborted) return { held: null, stage: 'stopped' };
    results = await measure();
    const failing = bad(results);
    for (const check of checks) {
      const fails = failing.some((result) => result.check === check.key);
      streaks.set(check.key, fails ? (streaks.get(check.key) ?? 0) + 1 : 0);
      if ((streaks.get(check.key) ?? 0) >= check.fails) return { held: false, stage: 'not-held', failing };
    }
    if (failing.length > 0) since = clock.now();
    if (clock.now() > giveUpAt) return { held: false, stage: 'not-held', failing };
  }
  return { held: true, results };
}

/** What failed must be well again. A dependant must not be down; what could not be measured there is no proof against. */
const passes = (result: CheckResult, own: boolean): boolean =>
  own ? result.verdict === 'ok' : result.verdict !== 'critical';

/** The incident's own checks and those of its service and every dependant, less what another open incident already accounts for. */
function checksToProve(parts: AgentParts, incident: Incident): CheckConfig[] {
  const elsewhere = new Set(
    parts.store.incidents
      .unresolved()
      .filter((other) => other.id !== incident.id)
      .flatMap((other) => Object.keys(other.checks)),
  );
  const services = new Set([
    incident.service,
    ...parts.graph.dependants(incident.service),
    ...Object.values(incident.checks).map((result) => result.service),
  ]);
  return [...services]
    .flatMap((name) => parts.config.services.get(name)?.checks ?? [])
    .filter((check) => check.key in incident.checks || !elsewhere.has(check.key));
}
