import { actionTitle } from '../incidents/action-title.ts';
import { hostIsGone, isFailing } from '../incidents/correlate.ts';
import type { ActionRecord, Incident, Resolution } from '../incidents/incident.ts';
import type { OpsAgent } from './ops-agent.ts';
import type { AgentParts } from './parts.ts';
import { prove } from './prove.ts';
import { suspectAmong } from './scope.ts';
import { withLatest } from './signals.ts';

const HOUR = 3_600_000;

/**
 * Takes one incident as far as it can go now: diagnose, act, prove, hold, resolve, or hand over. It returns when the
 * incident is resolved, escalated or waits for a person; the watch calls it again when there is something new.
 */
export async function triage(
  agent: OpsAgent,
  parts: AgentParts,
  id: number,
  signal: AbortSignal,
  options: { onlyProve?: boolean } = {},
): Promise<void> {
  for (;;) {
    const incident = await refresh(parts, id);
    if (incident === null || signal.aborted) return;
    if (incident.state === 'acting' || incident.state === 'holding') {
      if (!(await finish(agent, parts, incident, signal)) || options.onlyProve) return;
      continue;
    }
    if (!Object.values(incident.checks).some((result) => isFailing(result) || hostIsGone(result))) {
      if (!(await finish(agent, parts, incident, signal))) return;
      continue;
    }
    const approval = parts.store.approvals.list({ state: 'approved', incident: id })[0];
    if (incident.state === 'awaiting' && !approval) return;
    if (incident.state === 'escalated' && !approval) return;

    const diagnosis = approval && incident.diagnosis ? incident.diagnosis : await agent.diagnose(incident, signal);
    if (signal.aborted) return;
    const now = parts.clock.now();
    if (diagnosis.waitUntil !== undefined && diagnosis.waitUntil > now) {
      await waitFor(parts, incident, diagnosis.waitUntil, diagnosis.rootCause, signal);
      continue;
    }
    const result = await agent.attemptResolve(reload(parts, id), diagnosis, { signal, approval: approval?.id });
    if (signal.aborted) return;
    if (result.outcome === 'acted') continue;
    if (result.outcome === 'asked') return;
    if (result.outcome === 'nothing-to-do' && !(await stillFails(parts, id))) continue;
    if (result.outcome === 'failed' && attemptsInLastHour(parts, incident) < 3 && result.actions.length > 0) {
      markHeld(parts, incident, false);
      parts.record(id, { type: 'not-held', text: result.summary }, { state: 'open' });
      continue;
    }
    const decision = agent.shouldEscalate(reload(parts, id), result);
    if (decision.escalate) await agent.escalate(reload(parts, id), decision.reason);
    return;
  }
}

/** Proves that it is well now; true when the incident should be looked at once more. */
async function finish(agent: OpsAgent, parts: AgentParts, incident: Incident, signal: AbortSignal): Promise<boolean> {
  const acted = actionsOf(parts, incident);
  const proof = await prove(parts, incident, signal, (results) => {
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
  });
  if (proof.held === null) return false;
  if (proof.held) {
    markHeld(parts, incident, true);
    await agent.learnFromResolution(reload(parts, incident.id), resolutionOf(parts, reload(parts, incident.id), acted));
    return false;
  }
  markHeld(parts, incident, false);
  const text = `${proof.stage === 'not-fixed' ? 'not fixed' : 'it did not hold'}: ${proof.failing.map((result) => `${result.check} ${result.summary}`).join('; ')}`;
  const current = reload(parts, incident.id);
  parts.record(
    incident.id,
    { type: 'not-held', text, data: { stage: proof.stage, failing: proof.failing } },
    {
      state: current.escalatedAt !== null ? 'escalated' : 'open',
      reopened: current.reopened + (acted.length > 0 ? 1 : 0),
      holdingSince: null,
      signature: null,
    },
  );
  if (acted.length > 0)
    parts.memory.learn(current, { ...resolutionOf(parts, current, acted), by: 'nightshift', held: false });
  if (acted.length === 0 && current.escalatedAt !== null) return false;
  if (attemptsInLastHour(parts, incident) < 3) return true;
  await agent.escalate(reload(parts, incident.id), `the third attempt within an hour did not hold: ${text}`);
  return false;
}

/** Measures the incident anew, moves the suspicion to the deepest service that fails now, and drops out when it is resolved. */
async function refresh(parts: AgentParts, id: number): Promise<Incident | null> {
  const stored = parts.store.incidents.get(id);
  if (stored === null || stored.state === 'resolved') return null;
  const incident = withLatest(parts, stored);
  const suspect = suspectAmong(parts, incident);
  if (suspect === incident.service || incident.state === 'acting' || incident.state === 'holding') return incident;
  return parts.record(
    id,
    { type: 'note', text: `the suspected cause is now ${suspect}, not ${incident.service}` },
    { service: suspect, signature: null, checks: incident.checks },
  );
}

async function stillFails(parts: AgentParts, id: number): Promise<boolean> {
  return Object.values(reload(parts, id).checks).some(isFailing);
}

async function waitFor(
  parts: AgentParts,
  incident: Incident,
  until: number,
  why: string,
  signal: AbortSignal,
): Promise<void> {
  const seconds = Math.ceil((until - parts.clock.now()) / 1000);
  parts.record(incident.id, { type: 'waiting', text: `left alone for up to ${seconds} s: ${why}` });
  while (parts.clock.now() < until && !signal.aborted) {
    await parts.clock.sleep(Math.min(2000, until - parts.clock.now()), signal);
    const current = parts.store.incidents.get(incident.id);
    if (!current || current.state === 'resolved' || !Object.values(current.checks).some(isFailing)) return;
  }
}

/** Actions of this incident that ran and whose fate is not known yet. */
const actionsOf = (parts: AgentParts, incident: Incident): ActionRecord[] =>
  parts.store.actions
    .of(incident.id)
    .filter((action) => action.held === null && ['succeeded', 'unknown'].includes(action.state));

function markHeld(parts: AgentParts, incident: Incident, held: boolean): void {
  for (const action of actionsOf(parts, incident)) parts.store.actions.setHeld(action.id, held);
}

const attemptsInLastHour = (parts: AgentParts, incident: Incident): number =>
  parts.store.actions
    .of(incident.id)
    .filter((action) => action.intendedAt > parts.clock.now() - HOUR && action.state !== 'refused').length;

function resolutionOf(parts: AgentParts, incident: Incident, acted: ActionRecord[]): Resolution {
  const person = parts.store.incidents
    .timeline(incident.id)
    .findLast((entry) => entry.type === 'note' && entry.data.resolvedByPerson === true);
  const words = typeof person?.data.by === 'string' ? person.data.by : null;
  const actions = person && Array.isArray(person.data.actions) ? person.data.actions : acted;
  return {
    by: person ? ('person' as const) : acted.length > 0 ? ('nightshift' as const) : ('itself' as const),
    summary:
      words ?? (acted.length > 0 ? acted.map(actionTitle).join(', then ') : 'it passed without anything being done'),
    actions: actions.map((action) => ({ tool: action.tool, arguments: action.arguments, reason: action.reason ?? '' })),
    held: true,
  };
}

const reload = (parts: AgentParts, id: number): Incident => {
  const incident = parts.store.incidents.get(id);
  if (incident === null) throw new Error(`incident #${id} is not in the store any more`);
  return withLatest(parts, incident);
};
