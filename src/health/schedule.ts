import type { Clock } from '../base/clock.ts';
import type { CheckConfig } from '../config/checks.ts';
import type { CheckResult } from './check.ts';

interface ScheduleOptions {
  checks: readonly CheckConfig[];
  /** Never rejects; ends early when the controller aborts. */
  measureOne: (check: CheckConfig, controller: AbortController) => Promise<CheckResult>;
  clock: Clock;
  concurrency: number;
  random: () => number;
}

/** The part of `every` over which starts are spread, so that checks of one period do not all fall on one instant. */
const JITTER = 0.1;
/** The first report should be there soon: its starts are spread over no more than this. */
const FIRST_SPREAD_MS = 500;
/** Without anything due sooner, the loop looks at the clock this often: it may have been set, or the machine slept. */
const LONGEST_SLEEP_MS = 30_000;

interface Entry {
  check: CheckConfig;
  /** The even grid its starts lie on: `anchor + n * every`. Jitter is added to it and never adds up. */
  anchor: number;
  dueAt: number;
  running: boolean;
}

/**
 * The continuous schedule: one loop and one sleep for all checks. A check that is still running when it is due again
 * leaves that turn out. While the reader is busy with a batch nothing new starts. Turns that passed while the machine slept are left out, too, and the rest is spread anew.
 */
export async function* runSchedule(
  { checks, measureOne, clock, concurrency, random }: ScheduleOptions,
  signal: AbortSignal,
): AsyncGenerator<CheckResult[], void, undefined> {
  const startedAt = clock.now();
  const entries = checks.map((check): Entry => {
    const anchor = startedAt + random() * Math.min(FIRST_SPREAD_MS, check.everyMs * JITTER);
    return { check, anchor, dueAt: anchor, running: false };
  });
  let finished: CheckResult[] = [];
  let running = 0;
  const controllers = new Set<AbortController>();
  let alarm = new AbortController();
  let closed = false;

  const start = (entry: Entry): void => {
    entry.running = true;
    running += 1;
    const controller = new AbortController();
    controllers.add(controller);
    void measureOne(entry.check, controller).then((result) => {
      controllers.delete(controller);
      entry.running = false;
      running -= 1;
      if (closed) return;
      entry.dueAt = nextTurn(entry, clock.now(), random);
      finished.push(result);
      alarm.abort();
    });
  };
  const onAbort = (): void => alarm.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    while (!signal.aborted) {
      const now = clock.now();
      const waiting = entries.filter((entry) => !entry.running);
      for (const entry of waiting) respread(entry, now, random);
      const due = waiting.filter((entry) => entry.dueAt <= now).sort((a, b) => a.dueAt - b.dueAt);
      for (const entry of due.slice(0, Math.max(concurrency - running, 0))) start(entry);
      if (finished.length === 0) {
        const wakeAt = running < concurrency ? earliest(entries) : Number.POSITIVE_INFINITY;
        await clock.sleep(Math.max(Math.min(wakeAt - now, LONGEST_SLEEP_MS), 1), alarm.signal);
      }
      // What ends in the same turn of the event loop is handed out together.
      await new Promise((resolve) => setImmediate(resolve));
      alarm = new AbortController();
      if (signal.aborted || finished.length === 0) continue;
      const batch = finished;
      finished = [];
      yield batch;
    }
  } finally {
    closed = true;
    for (const controller of controllers) controller.abort();
    signal.removeEventListener('abort', onAbort);
  }
}

const earliest = (entries: Entry[]): number =>
  entries.reduce(
    (soonest, entry) => (entry.running ? soonest : Math.min(soonest, entry.dueAt)),
    Number.POSITIVE_INFINITY,
  );

/** The first turn on the grid that is still to come, and up to a tenth of `every` later. */
function nextTurn({ anchor, check: { everyMs } }: Entry, now: number, random: () => number): number {
  const turn = anchor + (Math.floor((now - anchor) / everyMs) + 1) * everyMs;
  return turn + random() * everyMs * JITTER;
}

/** After a jump of the clock (the machine slept, the time was set) a check is measured soon, but not all at one instant. */
function respread(entry: Entry, now: number, random: () => number): void {
  const { everyMs } = entry.check;
  const missed = now - entry.dueAt > Math.max(everyMs, LONGEST_SLEEP_MS);
  const farAway = entry.dueAt - now > everyMs * (1 + JITTER) + FIRST_SPREAD_MS;
  if (!missed && !farAway) return;
  entry.anchor = now + random() * Math.min(everyMs * JITTER, LONGEST_SLEEP_MS);
  entry.dueAt = entry.anchor;
}
