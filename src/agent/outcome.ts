import { actionTitle } from '../incidents/action-title.ts';
import type { ActionRecord, Incident, Resolution } from '../incidents/incident.ts';
import { reload } from './condition.ts';
import type { OpsAgent } from './ops-agent.ts';
import type { AgentParts } from './parts.ts';

/** Actions of an incident that have begun and ended, and whose fate is not known yet. */
export const pendingActions = (parts: AgentParts, id: number): ActionRecord[] =>
  parts.store.actions
    .of(id)
    .filter((action) => action.held === null && action.state !== 'intended' && action.state !== 'refused');

/** Several writes as one, so that being killed between two of them leaves no half truth. */
const together = <Value>(parts: AgentParts, work: () => Value): Value =>
  parts.store.transaction ? parts.store.transaction(work) : work();

/**
 * What was tried did not help: it is open again, and that counts against whatever suggested it. `learn: false` where
 * nobody could measure whether it helped: then nothing is known, and nothing is remembered.
 */
export function didNotHold(
  parts: AgentParts,
  id: number,
  text: string,
  { learn = true, ...data }: { learn?: boolean; [name: string]: unknown },
): void {
  const incident = reload(parts, id);
  const tried = pendingActions(parts, id);
  const by = [...new Set(tried.map((action) => action.by))];
  together(parts, () => {
    for (const action of tried) parts.store.actions.setHeld(action.id, false);
    parts.record(
      id,
      { type: 'not-held', text, data: { ...data, by } },
      {
        state: 'open',
        reopened: incident.reopened + (tried.length > 0 ? 1 : 0),
        holdingSince: null,
      },
    );
    // An action of which nobody knows whether it ran has not been shown to be useless.
    if (learn && tried.length > 0 && tried.every((action) => action.state !== 'unknown'))
      parts.memory.learn(incident, { by: 'nightshift', summary: titles(tried), actions: tried, held: false });
  });
}

/**
 * Closes an incident that was seen to hold. `credit` is false when it held without anything being done just before: then
 * what was done earlier, and did not help when it was looked at, is not what helped.
 */
export async function closeWell(
  agent: OpsAgent,
  parts: AgentParts,
  incident: Incident,
  { credit }: { credit: boolean },
): Promise<void> {
  const resolution = resolutionOf(parts, incident, credit);
  const tried = pendingActions(parts, incident.id).filter((action) => action.state !== 'failed');
  await agent.learnFromResolution(incident, resolution);
  for (const action of tried) parts.store.actions.setHeld(action.id, resolution.by === 'nightshift');
}

/** Nothing of it is in the configuration any more: nobody can say how it went, and nothing is learned. */
export function closeUnwatched(parts: AgentParts, incident: Incident): void {
  const text = 'it is not watched any more: the configuration has none of its checks';
  const by = parts.config.file === null ? 'itself' : 'person';
  together(parts, () => {
    parts.store.approvals.withdraw?.(incident.id);
    parts.record(
      incident.id,
      { type: 'resolved', text, data: { by } },
      { state: 'resolved', resolvedAt: parts.clock.now(), resolvedBy: by, resolution: text },
    );
  });
}

function resolutionOf(parts: AgentParts, incident: Incident, credit: boolean): Resolution {
  const person = personsWord(parts, incident.id);
  if (person) return { by: 'person', summary: person.words, actions: person.actions, held: true };
  const acted = credit ? pendingActions(parts, incident.id).filter((action) => action.state !== 'failed') : [];
  if (acted.length === 0)
    return { by: 'itself', summary: 'it passed without anything being done', actions: [], held: true };
  // Only what is known to have run, to its end, is worth doing again.
  const certain = acted.every((action) => action.state === 'succeeded');
  return { by: 'nightshift', summary: titles(acted), actions: certain ? acted : [], held: true };
}

/** What a person said helped, if that was the last thing done about it: not before something else was tried, or it failed again. */
function personsWord(parts: AgentParts, id: number): { words: string; actions: Resolution['actions'] } | null {
  const timeline = parts.store.incidents.timeline(id);
  const said = timeline.findLastIndex((entry) => entry.type === 'note' && entry.data.resolvedByPerson === true);
  const since = timeline.findLastIndex(({ type }) => ['not-held', 'reopened', 'action-end'].includes(type));
  if (said < 0 || said < since) return null;
  const { by, actions } = timeline[said]?.data ?? {};
  return {
    words: typeof by === 'string' && by !== '' ? by : 'a person says that it is over',
    actions: Array.isArray(actions) ? actions : [],
  };
}

const titles = (actions: readonly ActionRecord[]): string => actions.map(actionTitle).join(', then ');
