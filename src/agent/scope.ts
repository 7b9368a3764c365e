import type { ToolScope } from '../../tools/tool.ts';
import type { CheckConfig } from '../config/checks.ts';
import { machineName } from '../config/schema.ts';
import { hostIsGone, isFailing } from '../incidents/correlate.ts';
import type { Incident } from '../incidents/incident.ts';
import type { AgentParts } from './parts.ts';

/** What tools may name in an incident: its dependency group. */
export function scopeOf(
  parts: Pick<AgentParts, 'graph' | 'config'>,
  incident: Pick<Incident, 'service' | 'checks'>,
): ToolScope {
  const seen = new Set([incident.service, ...Object.values(incident.checks).map((result) => result.service)]);
  const own = parts.config.services.get(incident.service);
  // What is wrong with a machine is mended through what runs on it.
  const onIt = own?.machine
    ? [...parts.config.services.values()].filter((service) => service.host === own.host).map((service) => service.name)
    : [];
  const services = [...new Set([...[...seen].flatMap((service) => parts.graph.group(service)), ...onIt])];
  const hosts = [...new Set(services.map((service) => parts.config.services.get(service)?.host ?? 'local'))];
  return { services, hosts };
}

/** The checks an incident is about, or those of them that are named. */
export function incidentChecks(parts: Pick<AgentParts, 'config'>, incident: Incident, only?: string[]): CheckConfig[] {
  const keys = new Set(only ?? Object.keys(incident.checks));
  return [...parts.config.services.values()].flatMap((service) =>
    service.checks.filter((check) => keys.has(check.key)),
  );
}

/** The incident's own checks and those of its service and every dependant, less what another open incident already accounts for. */
export function checksToProve(
  parts: Pick<AgentParts, 'config' | 'graph' | 'store'>,
  incident: Incident,
): CheckConfig[] {
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

/**
 * Which service the incident's results speak against now: a host that does not answer before all that runs there, else
 * the deepest of those that fail worst. The one suspected so far stays while it is among them, or when none fails.
 */
export function suspectAmong(parts: Pick<AgentParts, 'graph' | 'config'>, incident: Incident): string {
  const results = Object.values(incident.checks);
  const gone = results.find(hostIsGone);
  if (gone) return machineName(parts.config.services.get(gone.service)?.host ?? 'local');
  // A dependency that only warns does not explain why something on it is down.
  const worst = results.some((result) => result.verdict === 'critical') ? 'critical' : 'warn';
  const failing = new Set(
    results.filter((result) => isFailing(result) && result.verdict === worst).map((result) => result.service),
  );
  const deepest = [...failing].filter(
    (service) => !parts.graph.dependencies(service).some((below) => failing.has(below)),
  );
  if (deepest.length === 0 || deepest.includes(incident.service)) return incident.service;
  const below = new Set(parts.graph.dependencies(incident.service));
  return deepest.find((service) => below.has(service)) ?? deepest[0] ?? incident.service;
}
