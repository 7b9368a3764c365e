import { messageOf } from '../base/outcome.ts';
import { needsWork } from './condition.ts';
import type { OpsAgent } from './ops-agent.ts';
import type { AgentParts } from './parts.ts';
import { triage } from './triage.ts';

/** How long an incident is left after its triage ended with work still to do: whatever is wrong then, it must not spin. */
const REST_MS = 5000;

/** The watch's hands: one task for each incident that needs work, and never two for one. */
export interface Work {
  /** Takes up whatever needs work and is not worked on. Never throws. */
  start(): void;
  /** Resolves once the tasks that run now have ended. */
  ended(): Promise<void>;
}

export function createWork(
  parts: AgentParts,
  agent: OpsAgent,
  signal: AbortSignal,
  warn: (text: string) => void,
): Work {
  const tasks = new Map<number, Promise<void>>();

  /** Never rejects. An incident that Nightshift itself fails at goes to a person, or is tried again when even that fails. */
  const workOn = async (id: number): Promise<void> => {
    try {
      await triage(agent, parts, id, signal).catch((error: unknown) => giveUp(id, error));
      const after = parts.store.incidents.get(id);
      if (after && needsWork(parts, after)) await parts.clock.sleep(REST_MS, signal);
    } catch (error) {
      warn(`#${id} could not be handed over: ${messageOf(error)}`);
      await parts.clock.sleep(REST_MS, signal);
    }
  };

  const giveUp = async (id: number, error: unknown): Promise<void> => {
    const text = `Nightshift itself failed while working on it: ${messageOf(error)}`;
    warn(`#${id}: ${text}`);
    const incident = parts.store.incidents.get(id);
    if (incident) await agent.escalate(incident, text);
  };

  return {
    start() {
      try {
        for (const incident of parts.store.incidents.unresolved()) {
          if (signal.aborted || tasks.has(incident.id) || !needsWork(parts, incident)) continue;
          tasks.set(
            incident.id,
            workOn(incident.id).finally(() => tasks.delete(incident.id)),
          );
        }
      } catch (error) {
        warn(`the incidents could not be looked through: ${messageOf(error)}`);
      }
    },
    async ended() {
      await Promise.all(tasks.values());
    },
  };
}
