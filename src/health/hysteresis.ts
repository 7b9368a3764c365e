import { z } from 'zod';
import type { CheckConfig } from '../config/checks.ts';
import type { Signal } from '../incidents/incident.ts';
import { type CheckResult, type Verdict, verdicts } from './check.ts';

const verdict = z.enum(verdicts);
const stateSchema = z.object({
  settled: verdict,
  since: z.number(),
  /** True until the first verdict has settled. */
  fresh: z.boolean(),
  /** The last `of` results, oldest first. */
  window: z.array(z.object({ verdict, at: z.number() })),
});
type State = z.output<typeof stateSchema>;

/** What hysteresis remembers of each check, as JSON. */
export type SavedHysteresis = Record<string, State>;

export interface Hysteresis {
  /** Takes a result, and says so when it changes the settled verdict of its check. */
  push(result: CheckResult, check: Pick<CheckConfig, 'key' | 'fails' | 'of'>): Signal | null;
  /** The verdict that holds after `fails` of the last `of`; `unknown` until there was one. */
  settled(check: string): Verdict;
  /** When the first of the results that led to the settled verdict was measured; null when nothing was yet. */
  since(check: string): number | null;
  /** Forgets checks that are no longer configured. */
  retain(checks: Iterable<string>): void;
  save(): SavedHysteresis;
}

/**
 * Lets a verdict change only after `fails` of the last `of` results, for the worse and for the better alike. `saved` is
 * what `save()` gave, as read back from anywhere; what does not fit is left out.
 */
export function createHysteresis({ saved }: { saved?: unknown } = {}): Hysteresis {
  const states = new Map<string, State>(Object.entries(restore(saved)));

  return {
    push(result, check) {
      const state = states.get(check.key) ?? { settled: 'unknown', since: result.at, fresh: true, window: [] };
      states.set(check.key, state);
      state.window = [...state.window, { verdict: result.verdict, at: result.at }].slice(
        -Math.max(check.of, check.fails),
      );
      const next = settle(state, check.fails);
      if (next === state.settled) return null;
      const previous = state.settled;
      const silent = state.fresh && next === 'ok';
      state.settled = next;
      state.since = firstOf(state.window, previous, next) ?? result.at;
      state.fresh = false;
      if (silent) return null;
      return {
        check: check.key,
        service: result.service,
        verdict: next,
        previous,
        summary: result.summary,
        reason: result.reason ?? null,
        since: state.since,
        at: result.at,
      };
    },
    settled: (check) => states.get(check)?.settled ?? 'unknown',
    since: (check) => states.get(check)?.since ?? null,
    retain(checks) {
      const kept = new Set(checks);
      for (const key of states.keys()) if (!kept.has(key)) states.delete(key);
    },
    save: () => structuredClone(Object.fromEntries(states)),
  };
}

function restore(saved: unknown): SavedHysteresis {
  const entries = z.record(z.string(), z.unknown()).safeParse(saved).data ?? {};
  return Object.fromEntries(
    Object.entries(entries).flatMap(([key, value]) => {
      const state = stateSchema.safeParse(value).data;
      return state ? [[key, state]] : [];
    }),
  );
}

/** How bad a verdict is. `unknown` says nothing of the service and stands apart. */
const LEVELS: readonly Verdict[] = ['ok', 'warn', 'critical'];
const levelOf = (word: Verdict): number => LEVELS.indexOf(word);

function settle({ settled, fresh, window }: State, fails: number): Verdict {
  const levels = window.map((result) => levelOf(result.verdict)).filter((level) => level >= 0);
  const count = (fits: (level: number) => boolean): number => levels.filter(fits).length;
  const latest = window.at(-1)?.verdict;
  // The first good word is believed at once: nothing changed, so there is nothing to be sure of.
  if (fresh && latest === 'ok' && levels.every((level) => level === 0)) return 'ok';

  const bad = [2, 1].find((floor) => count((level) => level >= floor) >= fails) ?? 0;
  const current = levelOf(settled);
  if (bad > current && bad > 0) return LEVELS[bad] ?? settled;
  const good = [0, 1, 2].find((ceiling) => ceiling >= bad && count((level) => level <= ceiling) >= fails);
  if (good === 0 ? current !== 0 : good !== undefined && good < current) return LEVELS[good ?? 0] ?? settled;
  if (bad === 0 && window.length - levels.length >= fails && latest === 'unknown') return 'unknown';
  return settled;
}

/** When the results that led from one verdict to the other began. */
function firstOf(window: State['window'], previous: Verdict, next: Verdict): number | undefined {
  const level = levelOf(next);
  if (level > 0 && level > levelOf(previous)) return window.find((result) => levelOf(result.verdict) >= level)?.at;
  const unlike = (word: Verdict): boolean => (level < 0 ? word !== next : levelOf(word) > level || word === 'unknown');
  return window.at(window.findLastIndex((result) => unlike(result.verdict)) + 1)?.at;
}
