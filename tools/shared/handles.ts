import type { Clock } from '../../src/base/clock.ts';
import type { HandleKind, Handles } from '../tool.ts';

/**
 * How long an id stands for a thing after it was last seen: through the run of the model that names it, and the half hour
 * for which a person may be asked. The thing itself is looked at again before anything is done to it.
 */
export const HANDLE_LIFE_MS = 60 * 60_000;

const PREFIX: Readonly<Record<HandleKind, string>> = {
  process: 'pid',
  file: 'file',
  session: 'session',
  release: 'release',
};

interface Remembered {
  kind: HandleKind;
  host: string;
  value: Record<string, string | number>;
  key: string;
  seenAt: number;
}

/** Short-lived ids for things that tools found: `pid-1`. An id is never given to a second thing. */
export function createHandles(clock: Clock): Handles {
  const byId = new Map<string, Remembered>();
  const idOf = new Map<string, string>();
  const counts = new Map<HandleKind, number>();

  const forgetOld = () => {
    for (const [id, { seenAt, key }] of byId) {
      if (clock.now() - seenAt <= HANDLE_LIFE_MS) continue;
      byId.delete(id);
      idOf.delete(key);
    }
  };
  return {
    remember(kind, host, value) {
      forgetOld();
      const key = JSON.stringify([kind, host, Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))]);
      let id = idOf.get(key);
      if (id === undefined) {
        const number = (counts.get(kind) ?? 0) + 1;
        counts.set(kind, number);
        id = `${PREFIX[kind]}-${number}`;
        idOf.set(key, id);
      }
      byId.set(id, { kind, host, value: { ...value }, key, seenAt: clock.now() });
      return id;
    },
    recall(kind, id) {
      forgetOld();
      const found = byId.get(id);
      return found?.kind === kind ? { host: found.host, value: { ...found.value } } : null;
    },
  };
}
