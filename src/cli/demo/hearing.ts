import type { WatchEvent } from '../../agent/watch-events.ts';
import type { Incident, TimelineType } from '../../incidents/incident.ts';
import { span } from '../terminal.ts';

/** How long one thing may take before the demo says that it has failed. */
const PATIENCE_MS = 60_000;

/** Lets the demo wait for what a watch says. */
export interface Hearing {
  take(event: WatchEvent): void;
  /** The next report in which every check passes. */
  allWell(): Promise<void>;
  /** The next timeline entry of a type about an incident with a higher number than `after`. */
  told(type: TimelineType, after: number): Promise<Incident>;
}

/** Waiting ends with an error when the signal aborts, or when nothing of the kind is heard within a minute. */
export function createHearing(signal: AbortSignal): Hearing {
  const waiting = new Set<(event: WatchEvent) => void>();
  const until = <Value>(what: string, pick: (event: WatchEvent) => Value | null): Promise<Value> =>
    new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        waiting.delete(look);
        signal.removeEventListener('abort', onAbort);
      };
      const look = (event: WatchEvent): void => {
        const found = pick(event);
        if (found === null) return;
        end();
        resolve(found);
      };
      const fail = (text: string): void => {
        end();
        reject(new Error(text));
      };
      const onAbort = (): void => fail('the demo was stopped');
      const timer = setTimeout(() => fail(`the demo waited ${span(PATIENCE_MS)} for ${what}, in vain`), PATIENCE_MS);
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      waiting.add(look);
    });
  return {
    take(event) {
      for (const look of [...waiting]) look(event);
    },
    allWell: () =>
      until('all checks to pass', (event) =>
        event.type === 'report' && event.report.counts.ok === event.report.results.length ? undefined : null,
      ),
    told: (type, after) =>
      until(`an incident to be ${type}`, (event) =>
        event.type === 'timeline' && event.entry.type === type && event.incident.id > after ? event.incident : null,
      ),
  };
}
