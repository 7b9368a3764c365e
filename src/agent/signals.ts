import { findSuspect, hostIsGone, incidentFor, isFailing, severityOf, titleOf } from '../incidents/correlate.ts';
import type { Incident, Signal } from '../incidents/incident.ts';
import type { AgentParts } from './parts.ts';

/**
 * Makes a signal part of an incident: a failing one joins the open incident of its cause or opens one, a recovery is
 * noted. A signal for a check that an open incident already holds is only noted, so nothing is told twice.
 */
export async function takeSignal(parts: AgentParts, signal: Signal): Promise<Incident | null> {
  const open = parts.store.incidents.unresolved();
  const holder = open.find((incident) => signal.check in incident.checks);
  const failing = isFailing(signal) || hostIsGone({ verdict: signal.verdict, reason: signal.reason ?? undefined });
  if (!failing) {
    if (!holder || signal.verdict !== 'ok') return null;
    return parts.record(
      holder.id,
      { type: 'recovered', text: `${signal.check}: ${signal.summary}`, data: { signal } },
      { checks: withLatest(parts, holder).checks },
    );
  }
  if (holder) {
    const checks = withLatest(parts, holder).checks;
    return parts.record(
      holder.id,
      { type: 'signal', text: `${signal.check}: ${signal.summary}`, data: { signal } },
      { checks },
    );
  }
  const measure = async (service: string) => {
    const results = await parts.monitor.measure(parts.config.services.get(service)?.checks ?? []);
    parts.ingest(results);
    return results;
  };
  const suspect = await findSuspect(signal, parts.config, parts.graph, measure);
  const own = [parts.latest(signal.check)].filter((result) => result !== undefined);
  const results = [...own, ...suspect.results.filter((result) => isFailing(result) || hostIsGone(result))];
  const checks = Object.fromEntries(results.map((result) => [result.check, result]));
  // Measuring took time: another signal may have opened the incident meanwhile.
  const joined = incidentFor(suspect.service, parts.store.incidents.unresolved(), parts.graph);
  if (joined) {
    const merged = { ...withLatest(parts, joined).checks, ...checks };
    return parts.record(
      joined.id,
      { type: 'signal', text: `${signal.check}: ${signal.summary}`, data: { signal } },
      { checks: merged, severity: worse(joined.severity, severityOf(results)) },
    );
  }
  const now = parts.clock.now();
  return parts.open(
    {
      state: 'open',
      severity: severityOf(results),
      service: suspect.service,
      title: titleOf(suspect.service, results),
      checks,
      openedAt: now,
      since: signal.since,
      updatedAt: now,
      resolvedAt: null,
      resolvedBy: null,
      resolution: null,
      diagnosis: null,
      signature: null,
      holdingSince: null,
      reopened: 0,
      escalatedAt: null,
      modelTokens: 0,
    },
    { type: 'opened', text: titleOf(suspect.service, results), data: { signal, suspect: suspect.service } },
  );
}

/** An incident with the latest result of each of its checks. */
export function withLatest(parts: Pick<AgentParts, 'latest'>, incident: Incident): Incident {
  const checks = Object.fromEntries(
    Object.entries(incident.checks).map(([key, old]) => [key, parts.latest(key) ?? old]),
  );
  return { ...incident, checks };
}

const worse = (one: Incident['severity'], other: Incident['severity']): Incident['severity'] =>
  one === 'emergency' || other === 'emergency'
    ? 'emergency'
    : one === 'critical' || other === 'critical'
      ? 'critical'
      : 'warn';
