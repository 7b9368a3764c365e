import type { ToolScope } from '../../tools/tool.ts';
import type { CheckConfig } from '../config/checks.ts';
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

/** The deepest service whose checks of this incident fail now; the one suspected so far when none does. */
export function suspectAmong(parts: Pick<AgentParts, 'graph'>, incident: Incident): string {
  const failing = new Set(
    Object.values(incident.checks)
      .filter((result) => isFailing(result) || hostIsGone(result))
      .map((result) => result.service),
  );
  if (failing.size === 0 || failing.has(incident.service)) {
    const deeper = parts.graph.dependencies(incident.service).find((service) => failing.has(service));
    return deeper ?? incident.service;
  }
  return (
    [...failing].find((service) => !parts.graph.dependencies(service).some((below) => failing.has(below))) ??
    incident.service
  );
}
