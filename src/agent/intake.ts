import { messageOf } from '../base/outcome.ts';
import { showsTrouble } from '../incidents/correlate.ts';
import type { Signal } from '../incidents/incident.ts';
import { takeSignal } from './signals.ts';
import type { WatchParts } from './watch.ts';

/** Where signals become incidents, one after another: each may open the incident that the next one joins. */
export interface Intake {
  /** Takes in what `ingest` found since the last call. Resolves once it, and all before it, was taken in; never rejects. */
  take(): Promise<void>;
  /** As `take`, and then what fails and is in no incident: nothing that fails is left out for long. */
  takeAll(): Promise<void>;
}

export function createIntake(parts: WatchParts, signal: AbortSignal, warn: (text: string) => void): Intake {
  let taking = Promise.resolve();

  const takeOne = async (each: Signal): Promise<void> => {
    if (signal.aborted) return;
    if (each.verdict === 'unknown' && !showsTrouble({ verdict: 'unknown', reason: each.reason ?? undefined }))
      warn(`${each.check} cannot be measured: ${each.summary}`);
    else await takeSignal(parts, each);
  };

  const line = (signals: () => Signal[]): Promise<void> => {
    taking = taking.then(async () => {
      for (const each of signals())
        await takeOne(each).catch((error: unknown) =>
          warn(`a signal of ${each.check} could not be taken in: ${messageOf(error)}`),
        );
    });
    // What was not taken in fails still, and is found again by `takeAll`.
    taking = taking.catch((error: unknown) => warn(`signals could not be taken in: ${messageOf(error)}`));
    return taking;
  };

  return {
    take: () => line(parts.takeSignals),
    takeAll: async () => {
      await line(parts.takeSignals);
      await line(() => unheld(parts));
    },
  };
}

/** Failing checks without an incident, but for those that were resolved (by another verb) after they were last measured here. */
function unheld(parts: WatchParts): Signal[] {
  const open = parts.store.incidents.unresolved();
  const over = parts.store.incidents.list({ limit: 20 }).filter((incident) => incident.resolvedAt !== null);
  return parts
    .standingSignals()
    .filter(
      ({ check, at }) =>
        !open.some((incident) => check in incident.checks) &&
        !over.some((incident) => check in incident.checks && (incident.resolvedAt ?? 0) >= at),
    );
}
