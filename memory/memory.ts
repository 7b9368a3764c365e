import type { Risk } from '../src/config/schema.ts';
import { actionTitle } from '../src/incidents/action-title.ts';
import type { Incident, ProposedAction, Resolution } from '../src/incidents/incident.ts';
import type { MemoryCase, MemoryStore } from '../src/store/store.ts';

/** A past fix that may be used once more, and why. */
export interface Recalled {
  case: MemoryCase;
  why: string;
}

/** What happened before, and what to make of it. */
export interface Memory {
  /** The fix to reuse for exactly this signature; null when there is none that may be. */
  recall(signature: string): Recalled | null;
  /** Everything remembered of this signature, for people and for the model: what held and what did not. */
  known(signature: string): MemoryCase[];
  /** Remembers how an incident ended, what did not help as firmly as what did. A sentence for people, or null. */
  learn(incident: Incident, resolution: Resolution, signature?: string | null): string | null;
}

interface MemoryOptions {
  /** The static risk of an action; null when there is no such tool. Default: those known to be reversible. */
  riskOf?: (action: ProposedAction) => Risk | null;
}

/** Tools whose action can be taken back, or needs no taking back. Anything else is never done from memory alone. */
const reversibleTools = new Set([
  'start_service',
  'restart_service',
  'reload_service',
  'continue_process',
  'rotate_log',
  'restore_file',
  'activate_release',
]);

const usualRisk = ({ tool }: ProposedAction): Risk => (reversibleTools.has(tool) ? 'reversible' : 'disruptive');

/** An action on one process, session or release by its short-lived id: the same id is another thing the next time. */
const namesOneOfThen = ({ arguments: args }: ProposedAction): boolean =>
  Object.entries(args).some(([name, value]) => name !== 'service' && [value].flat().some(isShortLived));

const isShortLived = (value: unknown): boolean =>
  typeof value === 'string' && /^(pid|release|session|file)-\d+$/.test(value);

/** Memory over what the store keeps. It decides only what is worth doing again; whether it may be done is the guard's word. */
export function createMemory(store: MemoryStore, { riskOf = usualRisk }: MemoryOptions = {}): Memory {
  const mayBeReused = (each: MemoryCase): boolean =>
    each.actions.length > 0 &&
    each.held > each.failed &&
    !each.actions.some(namesOneOfThen) &&
    each.actions.every((action) => {
      const risk = riskOf(action);
      return risk === 'reversible' || risk === 'read';
    });

  return {
    recall(signature) {
      const [best] = store
        .bySignature(signature)
        .filter(mayBeReused)
        .sort((a, b) => b.held - b.failed - (a.held - a.failed) || b.lastAt - a.lastAt);
      if (!best) return null;
      const words = best.actions.map(actionTitle).join(', then ');
      const tried = best.held + best.failed;
      return {
        case: best,
        why: `the same signature as #${best.incident}, where "${words}" held (${best.held} of ${tried})`,
      };
    },

    known: (signature) => store.bySignature(signature),

    learn(incident, resolution, signature = incident.signature) {
      // What healed by itself teaches no fix.
      if (!signature || resolution.by === 'itself') return null;
      if (resolution.actions.length === 0 && resolution.summary.trim() === '') return null;
      const kept = store.record(
        {
          signature,
          service: incident.service,
          cause: incident.diagnosis?.cause ?? 'unknown',
          incident: incident.id,
          actions: resolution.actions,
          foundBy: foundBy(incident, resolution),
          resolution: resolution.summary,
        },
        resolution.held,
      );
      const words = kept.actions.length > 0 ? `"${kept.actions.map(actionTitle).join(', then ')}"` : 'what was done';
      if (!resolution.held)
        return `${words} did not hold for this signature (${kept.failed} of ${kept.held + kept.failed})`;
      if (kept.actions.length === 0) return 'kept as words: no action of ours is named in them, so nothing is repeated';
      return mayBeReused(kept)
        ? `next time with the same signature: ${words} (held ${kept.held} of ${kept.held + kept.failed})`
        : `${words} is remembered, and is not repeated without a person`;
    },
  };
}

function foundBy(incident: Incident, resolution: Resolution): string {
  if (resolution.by === 'person') return 'person';
  const source = incident.diagnosis?.source ?? 'none';
  return source === 'none' ? 'nightshift' : `${source} ${incident.diagnosis?.sourceName ?? ''}`.trim();
}
