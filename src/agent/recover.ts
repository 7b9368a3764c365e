import type { AgentParts } from './parts.ts';

/**
 * Takes up what a killed process left behind, this one's forerunner or another verb's: its effect is measured, it is not
 * run again.
 */
export function recoverActions(parts: AgentParts): void {
  for (const action of parts.guard.recover()) {
    const incident = action.incident === null ? null : parts.store.incidents.get(action.incident);
    if (incident === null || incident.state === 'resolved') continue;
    parts.record(
      incident.id,
      {
        type: 'interrupted',
        text: `${action.tool} was begun when Nightshift stopped: its effect is measured, it is not run again`,
        data: { action: action.id },
      },
      { state: 'acting' },
    );
  }
}
