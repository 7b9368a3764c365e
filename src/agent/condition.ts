import { showsTrouble } from '../incidents/correlate.ts';
import type { Incident } from '../incidents/incident.ts';
import { isClaimedElsewhere } from './claim.ts';
import type { AgentParts } from './parts.ts';
import { checksToProve, suspectAmong } from './scope.ts';

type Inventory = Pick<AgentParts, 'config' | 'latest'>;

/** An incident with the latest result of each of its checks, without those that are no longer configured. */
export function withLatest({ config, latest }: Inventory, incident: Incident): Incident {
  const configured = (key: string, service: string) =>
    config.services.get(service)?.checks.some((check) => check.key === key) === true;
  const checks = Object.fromEntries(
    Object.entries(incident.checks)
      .filter(([key, old]) => configured(key, old.service))
      .map(([key, old]) => [key, latest(key) ?? old]),
  );
  return { ...incident, checks };
}

/** The incident as it is in the store now. */
export function reload(parts: AgentParts, id: number): Incident {
  const incident = parts.store.incidents.get(id);
  if (incident === null) throw new Error(`incident #${id} is not in the store any more`);
  return withLatest(parts, incident);
}

export const isTroubled = (incident: Incident): boolean => Object.values(incident.checks).some(showsTrouble);

/** Nothing is done about it before a person has decided, or before it is over by itself. */
export const waitsForPerson = ({ state }: Pick<Incident, 'state'>): boolean =>
  state === 'awaiting' || state === 'escalated';

/** True when nothing that could tell how it is stands in the configuration any more. */
export function isUnwatched(parts: AgentParts, incident: Incident): boolean {
  const had = Object.keys(incident.checks).length > 0 || !parts.config.services.has(incident.service);
  const now = withLatest(parts, incident);
  return had && Object.keys(now.checks).length === 0 && checksToProve(parts, now).length === 0;
}

/**
 * Whether an incident that waits for a person is worth measuring: all of its checks pass, or the cause is well and what
 * still fails must have another one. What cannot be measured says nothing.
 */
export function mayBeOver(parts: AgentParts, incident: Incident): boolean {
  const now = withLatest(parts, incident);
  const results = Object.values(now.checks);
  if (isTroubled(now)) return causeIsWell(parts, now);
  return results.every((result) => result.verdict === 'ok') && checksToProve(parts, now).length > 0;
}

/** The suspected service itself passes, while something else of the incident fails: that is a fault of its own. */
export const causeIsWell = (parts: AgentParts, incident: Incident): boolean =>
  isTroubled(incident) &&
  suspectAmong(parts, incident) !== incident.service &&
  !Object.values(incident.checks).some((result) => result.service === incident.service && showsTrouble(result));

/** Whether there is something to do about an incident that nobody works on at the moment. */
export function needsWork(parts: AgentParts, incident: Incident): boolean {
  if (isClaimedElsewhere(parts.store, incident.id, process.pid, parts.clock.now())) return false;
  if (!waitsForPerson(incident)) return incident.state !== 'resolved';
  return (
    parts.store.approvals.list({ state: 'approved', incident: incident.id }).length > 0 ||
    isUnwatched(parts, incident) ||
    mayBeOver(parts, incident)
  );
}
