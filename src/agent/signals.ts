import type { CheckResult } from '../health/check.ts';
import { findSuspect, incidentFor, severityOf, showsTrouble, titleOf, worseSeverity } from '../incidents/correlate.ts';
import type { Incident, Signal } from '../incidents/incident.ts';
import { waitsForPerson, withLatest } from './condition.ts';
import type { AgentParts } from './parts.ts';

/**
 * Makes a signal part of an incident: a failing one joins the open incident of its cause or opens one, a recovery is
 * noted. A signal for a check that an open incident already holds is only noted, so nothing is told twice.
 */
export async function takeSignal(parts: AgentParts, signal: Signal): Promise<Incident | null> {
  const holder = parts.store.incidents.unresolved().find((incident) => signal.check in incident.checks);
  if (!showsTrouble({ verdict: signal.verdict, reason: signal.reason ?? undefined })) {
    if (!holder || signal.verdict !== 'ok') return null;
    return parts.record(
      holder.id,
      { type: 'recovered', text: `${signal.check}: ${signal.summary}`, data: { signal } },
      { checks: withLatest(parts, holder).checks },
    );
  }
  if (holder && !isAnotherFault(parts, holder, signal)) return join(parts, holder, signal, {});
  if (holder) release(parts, holder, [signal.check], `${signal.check} had recovered and fails again`);
  return openOrJoin(parts, signal);
}

/** A result that fails, as the signal that it would be if it were new. */
export const standingSignal = (result: CheckResult, since = result.at): Signal => ({
  check: result.check,
  service: result.service,
  verdict: result.verdict,
  previous: 'ok',
  summary: result.summary,
  reason: result.reason ?? null,
  since,
  at: result.at,
});

async function openOrJoin(parts: AgentParts, signal: Signal): Promise<Incident> {
  const measure = async (service: string) => {
    const measured = await parts.monitor.measure(parts.config.services.get(service)?.checks ?? []);
    parts.ingest(measured);
    return measured;
  };
  const suspect = await findSuspect(signal, parts.config, parts.graph, measure);
  const own = [parts.latest(signal.check)].filter((result) => result !== undefined);
  const results = [...own, ...suspect.results.filter(showsTrouble)];
  // Measuring took time: another signal may have opened the incident meanwhile.
  const open = parts.store.incidents.unresolved();
  const held = new Set(open.flatMap((incident) => Object.keys(incident.checks)));
  const checks = Object.fromEntries(
    results.filter(({ check }) => check === signal.check || !held.has(check)).map((result) => [result.check, result]),
  );
  const severity = severityOf(results);
  const joined = incidentFor({ service: suspect.service, severity }, open, parts.graph);
  if (joined) return join(parts, joined, signal, checks);
  const now = parts.clock.now();
  const title = titleOf(suspect.service, results);
  return parts.open(
    {
      state: 'open',
      severity,
      service: suspect.service,
      title,
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
    { type: 'opened', text: title, data: { signal, suspect: suspect.service } },
  );
}

/** Adds a signal to an incident. One that was handed over as a warning and becomes critical is taken up, and told, anew. */
function join(parts: AgentParts, incident: Incident, signal: Signal, more: Incident['checks']): Incident {
  const checks = { ...withLatest(parts, incident).checks, ...more };
  const severity = worseSeverity(incident.severity, severityOf(Object.values(checks)));
  const worse = incident.state === 'escalated' && severity !== incident.severity;
  return parts.record(
    incident.id,
    {
      type: worse ? 'reopened' : 'signal',
      text: `${worse ? `it is ${severity} now: ` : ''}${signal.check}: ${signal.summary}`,
      data: { signal },
    },
    { checks, severity, ...(worse ? { state: 'open' as const, escalatedAt: null } : {}) },
  );
}

/** Takes checks out of an incident that a person has been told of: what fails there now is not what they were told. */
export function release(parts: AgentParts, incident: Incident, keys: string[], why: string): Incident {
  const kept = Object.entries(withLatest(parts, incident).checks).filter(([key]) => !keys.includes(key));
  return parts.record(
    incident.id,
    { type: 'note', text: `${why}: that is an incident of its own`, data: { released: keys } },
    { checks: Object.fromEntries(kept) },
  );
}

/**
 * A check that had recovered while its incident waits for a person, and fails again at something the incident's cause
 * does not carry: left in there, nobody would look at it.
 */
function isAnotherFault(parts: AgentParts, holder: Incident, signal: Signal): boolean {
  if (!waitsForPerson(holder) || signal.previous !== 'ok' || signal.service === holder.service) return false;
  const cause = parts.config.services.get(holder.service);
  const service = parts.config.services.get(signal.service);
  if (!cause || !service || (cause.machine && cause.host === service.host)) return false;
  return !parts.graph.dependants(holder.service).includes(signal.service);
}
