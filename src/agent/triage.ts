import type { CheckResult } from '../health/check.ts';
import { showsTrouble } from '../incidents/correlate.ts';
import type { Diagnosis, Incident } from '../incidents/incident.ts';
import type { Approval } from '../store/store.ts';
import { isClaimedElsewhere } from './claim.ts';
import { causeIsWell, isTroubled, isUnwatched, mayBeOver, reload, waitsForPerson, withLatest } from './condition.ts';
import { isTakenOver } from './diagnose.ts';
import type { OpsAgent } from './ops-agent.ts';
import { closeUnwatched, closeWell, didNotHold, pendingActions } from './outcome.ts';
import type { AgentParts } from './parts.ts';
import { prove } from './prove.ts';
import { suspectAmong } from './scope.ts';
import { release, standingSignal, takeSignal } from './signals.ts';

const HOUR = 3_600_000;
/** Between two rounds that led to nothing: whatever happens, an incident never spins. */
const BREATH_MS = 1000;
/** What is still starting after so many waits within an hour is not starting: a person looks. */
const MOST_WAITS = 3;

export interface TriageOptions {
  /** Only proves that it is over; does nothing when it is not. */
  onlyProve?: boolean;
  /** A person asked for it: it is diagnosed and acted on though its checks may pass. */
  asked?: boolean;
}

/**
 * Takes one incident as far as it can go now: diagnose, act, prove, hold, resolve, or hand over. It returns when the
 * incident is resolved, escalated or waits for a person; the watch calls it again when there is something new.
 */
export async function triage(
  agent: OpsAgent,
  parts: AgentParts,
  id: number,
  signal: AbortSignal,
  options: TriageOptions = {},
): Promise<void> {
  for (let round = 0; ; round += 1) {
    if (signal.aborted || isClaimedElsewhere(parts.store, id, process.pid, parts.clock.now())) return;
    const incident = refresh(parts, id);
    if (incident === null) return;
    if (isUnwatched(parts, incident)) return closeUnwatched(parts, incident);
    const approval = parts.store.approvals.list({ state: 'approved', incident: id })[0];
    const asked = options.asked === true && round === 0;
    const mustProve = !asked && (isBeingProved(incident) || !isTroubled(incident));
    if (waitsForPerson(incident) && !approval && !asked) {
      if (!mayBeOver(parts, incident) || !(await settle(agent, parts, incident, signal))) return;
    } else if (mustProve) {
      if (!(await settle(agent, parts, incident, signal)) || options.onlyProve) return;
    } else {
      if (round > 0) await parts.clock.sleep(BREATH_MS, signal);
      if (!(await mend(agent, parts, incident, approval, signal))) return;
    }
  }
}

const isBeingProved = ({ state }: Incident): boolean => state === 'acting' || state === 'holding';

/** Diagnoses and acts. True when it should be looked at again. */
async function mend(
  agent: OpsAgent,
  parts: AgentParts,
  incident: Incident,
  approval: Approval | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const { id } = incident;
  const diagnosis = approval && incident.diagnosis ? incident.diagnosis : await agent.diagnose(incident, signal);
  if (signal.aborted) return false;
  if (isTakenOver(reload(parts, id))) return true;
  if (mayWait(parts, id, diagnosis)) {
    await waitFor(parts, id, diagnosis, signal);
    return true;
  }
  const result = await agent.attemptResolve(reload(parts, id), diagnosis, { signal, approval: approval?.id });
  if (signal.aborted) return false;
  const now = reload(parts, id);
  if (now.state === 'resolved' || result.outcome === 'asked') return false;
  if (result.alert) {
    await agent.escalate(now, result.alert);
    // A person knows; whether it holds is measured all the same.
    if (result.outcome === 'acted')
      parts.record(id, { type: 'verify', text: 'told, and measured on' }, { state: 'acting' });
  }
  if (result.outcome === 'acted') return true;
  if (result.outcome === 'nothing-to-do' && !isTroubled(now)) return true;
  if (result.outcome === 'failed' && pendingActions(parts, id).length > 0) {
    // Also what failed may have changed something: the host says what, before anything else is tried.
    parts.record(id, { type: 'verify', text: result.summary }, { state: 'acting' });
    return true;
  }
  // What broke off half way has not helped, and no later recovery is to be put down to it.
  if (pendingActions(parts, id).length > 0) didNotHold(parts, id, result.summary, {});
  const after = reload(parts, id);
  const decision = agent.shouldEscalate(after, result);
  await agent.escalate(after, decision.escalate ? decision.reason : result.summary);
  return false;
}

/** Proves that it is well now. True when the incident should be looked at once more. */
async function settle(agent: OpsAgent, parts: AgentParts, incident: Incident, signal: AbortSignal): Promise<boolean> {
  const { id } = incident;
  // What waits for a person goes on waiting until it has been seen to hold: a flap is not worth a line each time.
  const quiet = waitsForPerson(incident);
  const proof = await prove(parts, incident, signal, (results) => {
    if (!quiet) tellHolding(parts, incident, results);
  });
  const now = reload(parts, id);
  const over = now.state === 'resolved' || isClaimedElsewhere(parts.store, id, process.pid, parts.clock.now());
  if (over || (proof.held === null && proof.stage === 'stopped')) return false;
  if (proof.held === true) {
    // Something failed between the last look and now: it is looked at again.
    if (isTroubled(now)) return true;
    await closeWell(agent, parts, now, { credit: !quiet });
    return false;
  }
  if (quiet) return letGo(parts, now);
  const failing = proof.failing.map((result) => `${result.check} ${result.summary}`).join('; ');
  if (proof.held === null) {
    didNotHold(parts, id, `it cannot be measured whether it is over: ${failing || 'it has no check'}`, {
      learn: false,
    });
    if (isTroubled(reload(parts, id))) return true;
    await agent.escalate(
      reload(parts, id),
      `it cannot be measured whether it is over: ${failing || 'it has no check'}`,
    );
    return false;
  }
  if (proof.failing.every((result) => !(result.check in now.checks))) return takeAlong(parts, now, proof.failing);
  const text = `${proof.stage === 'not-fixed' ? 'not fixed' : 'it did not hold'}: ${failing}`;
  didNotHold(parts, id, text, { stage: proof.stage, failing: proof.failing });
  const after = reload(parts, id);
  const decision = agent.shouldEscalate(after);
  if (after.escalatedAt === null && !decision.escalate) return true;
  await agent.escalate(after, after.escalatedAt === null ? `${decision.reason}: ${text}` : text);
  return false;
}

/**
 * What the incident was about is well, and something that depends on it is not, for a reason of its own: it joins, so that
 * the suspicion can move to it. What was done is not held against whatever suggested it.
 */
function takeAlong(parts: AgentParts, incident: Incident, failing: CheckResult[]): boolean {
  const names = failing.map((result) => `${result.check} ${result.summary}`).join('; ');
  parts.record(
    incident.id,
    { type: 'signal', text: `${incident.service} is well, and this still fails: ${names}`, data: { failing } },
    {
      state: 'open',
      holdingSince: null,
      checks: { ...incident.checks, ...Object.fromEntries(failing.map((result) => [result.check, result])) },
    },
  );
  return true;
}

function tellHolding(
  parts: AgentParts,
  incident: Incident,
  results: { check: string; summary: string; verdict: string }[],
): void {
  const passing = results
    .filter((result) => result.verdict === 'ok')
    .map((result) => `${result.check} ${result.summary}`);
  const holdMs = parts.config.services.get(incident.service)?.hold ?? 0;
  parts.record(
    incident.id,
    {
      type: 'holding',
      text: `${passing.slice(0, 4).join(' · ')} · holding ${Math.round(holdMs / 1000)} s`,
      data: { results: passing, holdMs },
    },
    { state: 'holding', holdingSince: parts.clock.now() },
  );
}

/** The cause that a person was told of is well, and something else still fails: that is taken out, and up, for itself. */
async function letGo(parts: AgentParts, incident: Incident): Promise<boolean> {
  if (!causeIsWell(parts, incident)) return false;
  const failing = Object.values(incident.checks).filter(showsTrouble);
  const names = failing.map((result) => result.check);
  release(parts, incident, names, `${incident.service} is well again, and ${names.join(', ')} still fails`);
  for (const result of failing) await takeSignal(parts, standingSignal(result));
  return true;
}

/** The incident with its latest results, its suspicion moved to what fails deepest now; null when it is resolved. */
function refresh(parts: AgentParts, id: number): Incident | null {
  const stored = parts.store.incidents.get(id);
  if (stored === null || stored.state === 'resolved') return null;
  const incident = withLatest(parts, stored);
  const suspect = suspectAmong(parts, incident);
  if (suspect === incident.service || isBeingProved(incident) || waitsForPerson(incident)) return incident;
  return parts.record(
    id,
    { type: 'note', text: `the suspected cause is now ${suspect}, not ${incident.service}` },
    { service: suspect, signature: null, checks: incident.checks },
  );
}

/** Waiting can be right, but not for ever: what starts again and again never gets to its limit. */
function mayWait(parts: AgentParts, id: number, { waitUntil }: Diagnosis): boolean {
  if (waitUntil === undefined || waitUntil <= parts.clock.now()) return false;
  const since = parts.clock.now() - HOUR;
  const waits = parts.store.incidents.timeline(id).filter((entry) => entry.type === 'waiting' && entry.at > since);
  return waits.length < MOST_WAITS;
}

async function waitFor(parts: AgentParts, id: number, diagnosis: Diagnosis, signal: AbortSignal): Promise<void> {
  const until = diagnosis.waitUntil ?? 0;
  const seconds = Math.ceil((until - parts.clock.now()) / 1000);
  parts.record(id, { type: 'waiting', text: `left alone for up to ${seconds} s: ${diagnosis.rootCause}` });
  while (parts.clock.now() < until && !signal.aborted) {
    await parts.clock.sleep(Math.min(2000, until - parts.clock.now()), signal);
    const now = reload(parts, id);
    if (isTakenOver(now) || !isTroubled(now)) return;
  }
}
