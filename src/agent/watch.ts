import { createChannel } from '../base/channel.ts';
import { messageOf } from '../base/outcome.ts';
import type { CheckResult, HealthReport } from '../health/check.ts';
import { countVerdicts } from '../health/report.ts';
import type { Signal } from '../incidents/incident.ts';
import { needsWork } from './condition.ts';
import { housekeeping } from './housekeeping.ts';
import { createIntake } from './intake.ts';
import { OpsAgent } from './ops-agent.ts';
import type { AgentParts } from './parts.ts';
import { recoverActions } from './recover.ts';
import type { WatchEvent } from './watch-events.ts';
import { createWork } from './work.ts';

/** What the watch needs beside the agent's parts. */
export interface WatchParts extends AgentParts {
  /** Signals that `ingest` found since the last call. */
  takeSignals: () => Signal[];
  /** Checks whose settled verdict is failing, as signals: what a killed watch may have left without an incident. */
  standingSignals: () => Signal[];
  /** The models as they answer now. */
  probeModels: (signal: AbortSignal) => Promise<{ name: string; ready: boolean; message: string }[]>;
  /** Keeps the windows of the hysteresis, so that a restart forgets none. */
  saveHysteresis: () => void;
  /** What was wrong with the owner's runbooks. */
  runbookProblems: { file: string; line: number; column: number; message: string }[];
}

const POLL_MS = 500;
const SAY_AGAIN_MS = 300_000;

/**
 * The autonomous loop: measures on schedule, makes incidents of what changed, and works on each incident in a task of its
 * own, so that a long fix never holds up a check. Ends when the signal aborts, after its tasks have stopped.
 */
export async function* watch(
  parts: WatchParts,
  outer: AbortSignal,
  options: { once: boolean } = { once: false },
): AsyncGenerator<WatchEvent> {
  const finished = new AbortController();
  const signal = AbortSignal.any([outer, finished.signal]);
  const channel = createChannel<WatchEvent>();
  const agent = new OpsAgent(parts);
  let cursor = parts.store.incidents.lastEntryId();
  let lastCounts = '';
  const startedAt = parts.clock.now();
  const total = [...parts.config.services.values()].reduce((sum, service) => sum + service.checks.length, 0);
  const warned = new Map<string, number>();
  /** What goes on being wrong is said once in a while, not twice a second. */
  const warn = (text: string) => {
    const at = parts.clock.now();
    if (at - (warned.get(text) ?? Number.NEGATIVE_INFINITY) < SAY_AGAIN_MS) return;
    if (warned.size > 200) warned.clear();
    warned.set(text, at);
    channel.push({ type: 'warning', at, text: parts.redact(text) });
  };

  const tell = () => {
    for (const entry of parts.store.incidents.entriesAfter(cursor)) {
      cursor = entry.id;
      const incident = parts.store.incidents.get(entry.incident);
      if (incident) channel.push({ type: 'timeline', entry, incident });
    }
  };
  parts.listen(tell);
  parts.onAgent((incident, event) => channel.push({ type: 'agent', incident, event }));

  /** Whatever goes wrong once must not end what goes on for months. */
  const keepGoing = async (what: string, step: () => unknown): Promise<void> => {
    try {
      await step();
    } catch (error) {
      warn(`${what}: ${messageOf(error)}`);
    }
  };

  const work = createWork(parts, agent, signal, warn);
  const intake = createIntake(parts, signal, warn);
  await keepGoing('what was left behind could not be taken up', () => recoverActions(parts));

  const takeIn = (results: CheckResult[]): void => {
    parts.ingest(results);
    // Not waited for: looking for a cause takes time, and nothing new is measured while this loop is busy.
    void intake.take().then(() => work.start());
    const report = reportOf(parts, startedAt);
    const counts = JSON.stringify(report.counts);
    // A first report that lacks half of the checks would only alarm.
    if (report.results.length < total) return;
    channel.push({ type: 'report', report, changed: counts !== lastCounts });
    lastCounts = counts;
  };

  const measuring = (async () => {
    if (options.once) return keepGoing('the cycle broke off', oneCycle).finally(() => finished.abort());
    while (!signal.aborted) {
      await keepGoing('the checks stopped, and are started anew', async () => {
        for await (const results of parts.monitor.run(signal))
          await keepGoing('results could not be taken in', () => takeIn(results));
      });
      await parts.clock.sleep(POLL_MS, signal);
    }
  })();

  /** Each check as often as it takes to settle, then whatever that leads to. */
  async function oneCycle(): Promise<void> {
    const checks = [...parts.config.services.values()].flatMap((service) => service.checks);
    const rounds = Math.max(1, ...checks.map((check) => check.fails));
    for (let round = 0; round < rounds && !signal.aborted; round += 1) {
      if (round > 0) await parts.clock.sleep(1000, signal);
      const standing = new Set(parts.standingSignals().map((each) => each.check));
      // A check that passes at once is not asked again: only doubt takes more than one look.
      const results = await parts.monitor.measure(
        round === 0 ? checks : checks.filter((check) => isDoubtful(parts, check.key) || standing.has(check.key)),
      );
      parts.ingest(results);
      await intake.take();
    }
    channel.push({ type: 'report', report: reportOf(parts, startedAt), changed: true });
    await intake.takeAll();
    do {
      work.start();
      await work.ended();
    } while (!signal.aborted && parts.store.incidents.unresolved().some((incident) => needsWork(parts, incident)));
    await housekeeping(parts, agent, warn);
    channel.push({ type: 'report', report: reportOf(parts, startedAt), changed: true });
  }

  const chores = async (): Promise<void> => {
    await intake.takeAll();
    recoverActions(parts);
    parts.saveHysteresis();
    await housekeeping(parts, agent, warn);
  };

  const polling = (async () => {
    let nextChores = 0;
    while (!signal.aborted) {
      await parts.clock.sleep(POLL_MS, signal);
      await keepGoing('the incidents could not be followed', tell);
      void intake.take().then(() => work.start());
      if (parts.clock.now() < nextChores) continue;
      nextChores = parts.clock.now() + Math.min(parts.config.every, 30_000);
      await keepGoing('chores failed', chores);
    }
  })();

  const ended = (async () => {
    await Promise.all([measuring, polling]);
    await intake.take();
    await work.ended();
    await keepGoing('the end was not clean', () => {
      parts.saveHysteresis();
      tell();
    });
    channel.push({ type: 'watch-end', at: parts.clock.now() });
    channel.close();
  })();
  try {
    const models = await parts.probeModels(signal);
    yield {
      type: 'watch-start',
      at: parts.clock.now(),
      services: [...parts.config.services.values()].filter((service) => !service.machine).length,
      checks: total,
      models,
    };
    yield* channel;
  } finally {
    // Also when the reader leaves early: nothing goes on over a store that may be closed next.
    finished.abort();
    await ended;
  }
}

/** The latest result of every check of this configuration that was measured since. */
function reportOf(parts: AgentParts, since: number): HealthReport {
  const results = [...parts.config.services.values()]
    .flatMap((service) => service.checks)
    .flatMap((check) => parts.latest(check.key) ?? [])
    .filter((result) => result.at >= since);
  return { name: parts.config.name, at: parts.clock.now(), results, counts: countVerdicts(results) };
}

const isDoubtful = (parts: AgentParts, check: string): boolean => (parts.latest(check)?.verdict ?? 'unknown') !== 'ok';
