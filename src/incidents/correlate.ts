import { type Config, machineName } from '../config/schema.ts';
import type { CheckResult } from '../health/check.ts';
import type { DependencyGraph } from './graph.ts';
import { type Incident, type Severity, type Signal, severities } from './incident.ts';

export const isFailing = (result: Pick<CheckResult, 'verdict'>): boolean =>
  result.verdict === 'warn' || result.verdict === 'critical';

/** True when nothing could be measured because the host itself does not answer. */
export const hostIsGone = (result: Pick<CheckResult, 'verdict' | 'reason'>): boolean =>
  result.verdict === 'unknown' && result.reason === 'host-unreachable';

/** Something to look into: it fails, or nobody can tell because its host does not answer. */
export const showsTrouble = (result: Pick<CheckResult, 'verdict' | 'reason'>): boolean =>
  isFailing(result) || hostIsGone(result);

/** Where a signal's cause is sought, and what was measured on the way there. */
export interface Suspect {
  service: string;
  results: CheckResult[];
}

/**
 * Walks from the failing service down its dependencies, measuring each of them now: the deepest one that fails is the
 * suspect, and what stands above it is a symptom. A dependency that only warns is not why something on it is down. A host
 * that cannot be reached is the suspect for all that runs there.
 */
export async function findSuspect(
  signal: Pick<Signal, 'service' | 'verdict' | 'reason'>,
  config: Config,
  graph: DependencyGraph,
  measure: (service: string) => Promise<CheckResult[]>,
): Promise<Suspect> {
  const machineOf = (service: string) => machineName(config.services.get(service)?.host ?? 'local');
  if (hostIsGone({ verdict: signal.verdict, reason: signal.reason ?? undefined })) {
    const machine = machineOf(signal.service);
    return { service: machine, results: await measure(machine) };
  }
  const explains = (result: CheckResult) =>
    result.verdict === 'critical' || (result.verdict === 'warn' && signal.verdict !== 'critical');
  const results: CheckResult[] = [];
  let suspect = signal.service;
  const seen = new Set<string>([suspect]);
  for (let searching = true; searching; ) {
    const below = (config.services.get(suspect)?.dependsOn ?? []).filter((service) => !seen.has(service));
    const measured = await Promise.all(below.map(async (service) => ({ service, results: await measure(service) })));
    for (const each of measured) {
      seen.add(each.service);
      results.push(...each.results);
    }
    const gone = measured.find((each) => each.results.some(hostIsGone));
    if (gone) return { service: machineOf(gone.service), results };
    // A failing dependency that itself has failing dependencies is passed through in the next round; a critical one goes before a warning.
    const failing = measured.filter((each) => each.results.some(explains));
    const worst = failing.find((each) => each.results.some((result) => result.verdict === 'critical')) ?? failing[0];
    if (worst) suspect = worst.service;
    searching = worst !== undefined;
  }
  // A failing dependency of an unfailing one is found too: an API may cache while the database behind its cache is gone.
  if (suspect === signal.service) {
    const deeper = graph.dependencies(suspect).filter((service) => !seen.has(service));
    for (const service of deeper) {
      const measured = await measure(service);
      results.push(...measured);
      if (measured.some((result) => result.verdict === 'critical')) suspect = service;
    }
  }
  return { service: suspect, results };
}

/**
 * Which open incident a suspect belongs to: its own, that of something it needs while that is still broken or being
 * mended (a symptom may lag behind its cause), or that of something that needs it and is still being worked on. What
 * was handed over as a warning does not swallow a failure: nobody works on it any more.
 */
export function incidentFor(
  suspect: { service: string; severity: Severity },
  open: readonly Incident[],
  graph: DependencyGraph,
): Incident | null {
  const waits = ({ state }: Incident) => state === 'escalated' || state === 'awaiting';
  const own = open.find(
    (incident) =>
      incident.service === suspect.service &&
      (!waits(incident) || worseSeverity(incident.severity, suspect.severity) === incident.severity),
  );
  if (own) return own;
  const below = new Set(graph.dependencies(suspect.service));
  const cause = open.find(
    (incident) =>
      below.has(incident.service) &&
      (beingMended(incident) ||
        (worseSeverity(incident.severity, suspect.severity) === incident.severity &&
          Object.values(incident.checks).some((result) => result.service === incident.service && isFailing(result)))),
  );
  if (cause) return cause;
  const above = new Set(graph.dependants(suspect.service));
  return open.find((incident) => above.has(incident.service) && !waits(incident)) ?? null;
}

const beingMended = (incident: Incident): boolean => ['diagnosing', 'acting', 'holding'].includes(incident.state);

/** A critical check makes a critical incident, anything less a warning. */
export function severityOf(results: Iterable<CheckResult>): Severity {
  let severity: Severity = 'warn';
  for (const result of results) if (result.verdict === 'critical' || hostIsGone(result)) severity = 'critical';
  return severity;
}

/** The worse of two. */
export const worseSeverity = (one: Severity, other: Severity): Severity =>
  severities.indexOf(one) >= severities.indexOf(other) ? one : other;

/** `api answers 502 in 4 ms`: the service and what its most telling failing check says. */
export function titleOf(service: string, results: readonly CheckResult[]): string {
  const failing = results.filter(showsTrouble);
  const own = failing.filter((result) => result.service === service);
  const telling = [...(own.length > 0 ? own : failing)].sort((a, b) => rank(a) - rank(b))[0];
  if (!telling) return `${service} is not well`;
  const about = telling.service === service ? service : `${service} (seen at ${telling.service})`;
  return `${about}: ${telling.summary}`;
}

const rank = (result: CheckResult): number => (result.verdict === 'critical' ? 0 : result.verdict === 'warn' ? 1 : 2);
