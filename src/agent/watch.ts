import { createChannel } from '../base/channel.ts';
import { messageOf } from '../base/outcome.ts';
import type { HealthReport } from '../health/check.ts';
import { countVerdicts } from '../health/report.ts';
import { hostIsGone, isFailing } from '../incidents/correlate.ts';
import type { Incident, Signal } from '../incidents/incident.ts';
import { isClaimedElsewhere } from './claim.ts';
import { housekeeping } from './housekeeping.ts';
import { OpsAgent } from './ops-agent.ts';
import type { AgentParts } from './parts.ts';
import { takeSignal, withLatest } from './signals.ts';
import { triage } from './triage.ts';
import type { WatchEvent } from './watch-events.ts';

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
  const tasks = new Map<number, Promise<void>>();
  let cursor = parts.store.incidents.lastEntryId();
  let lastCounts = '';
  const startedAt = parts.clock.now();
  const total = [...parts.config.services.values()].reduce((sum, service) => sum + service.checks.length, 0);
  const warn = (text: string) => channel.push({ type: 'warning', at: parts.clock.now(), text: parts.redact(text) });

  const tell = () => {
    for (const entry of parts.store.incidents.entriesAfter(cursor)) {
      cursor = entry.id;
      const incident = parts.store.incidents.get(entry.incident);
      if (incident) channel.push({ type: 'timeline', entry, incident });
    }
  };
  parts.listen(tell);
  parts.onAgent((incident, event) => channel.push({ type: 'agent', incident, event }));

  const work = () => {
    for (const incident of parts.store.incidents.unresolved()) {
      if (signal.aborted || tasks.has(incident.id) || !needsWork(parts, incident)) continue;
      const task = triage(agent, parts, incident.id, signal)
        .catch((error: unknown) => {
          parts.record(incident.id, { type: 'note', text: `triage broke off: ${messageOf(error)}` });
          return agent.escalate(incident, `Nightshift itself failed while working on it: ${messageOf(error)}`);
        })
        .finally(() => tasks.delete(incident.id));
      tasks.set(incident.id, task);
    }
  };

  /** Signals are taken one after another: each may open the incident that the next one joins. */
  let taking = Promise.resolve();
  const take = (signals: Signal[]) => {
    for (const each of signals) {
      taking = taking
        .then(async () => {
          if (signal.aborted) return;
          if (each.verdict === 'unknown' && !hostIsGone({ verdict: each.verdict, reason: each.reason ?? undefined })) {
            warn(`${each.check} cannot be measured: ${each.summary}`);
            return;
          }
          await takeSignal(parts, each);
        })
        .catch((error: unknown) => warn(`a signal of ${each.check} could not be taken in: ${messageOf(error)}`));
    }
    return taking;
  };

  const recovered = parts.guard.recover();
  for (const action of recovered) {
    if (action.incident === null) continue;
    parts.record(
      action.incident,
      {
        type: 'interrupted',
        text: `${action.tool} was begun when Nightshift stopped: its effect is measured, it is not run again`,
        data: { action: action.id },
      },
      { state: 'acting' },
    );
  }

  const measuring = options.once
    ? oneCycle()
    : (async () => {
        for await (const results of parts.monitor.run(signal)) {
          parts.ingest(results);
          await take(parts.takeSignals());
          const report = reportOf(parts, startedAt);
          const counts = JSON.stringify(report.counts);
          // A first report that lacks half of the checks would only alarm.
          if (report.results.length >= total) {
            channel.push({ type: 'report', report, changed: counts !== lastCounts });
            lastCounts = counts;
          }
          work();
        }
      })().catch((error: unknown) => warn(`the checks stopped: ${messageOf(error)}`));

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
      await take(parts.takeSignals());
    }
    channel.push({ type: 'report', report: reportOf(parts, startedAt), changed: true });
    await take(unheld(parts));
    do {
      work();
      await Promise.all(tasks.values());
    } while (!signal.aborted && parts.store.incidents.unresolved().some((incident) => needsWork(parts, incident)));
    await housekeeping(parts, agent, warn);
    channel.push({ type: 'report', report: reportOf(parts, startedAt), changed: true });
    finished.abort();
  }

  const polling = (async () => {
    let nextChores = 0;
    while (!signal.aborted) {
      await parts.clock.sleep(POLL_MS, signal);
      tell();
      await take(parts.takeSignals());
      if (parts.clock.now() >= nextChores) {
        nextChores = parts.clock.now() + Math.min(parts.config.every, 30_000);
        await take(unheld(parts));
        parts.saveHysteresis();
        await housekeeping(parts, agent, warn).catch((error: unknown) => warn(`chores failed: ${messageOf(error)}`));
      }
      work();
    }
  })().catch((error: unknown) => warn(`the watch loop stopped: ${messageOf(error)}`));

  const models = await parts.probeModels(signal);
  yield {
    type: 'watch-start',
    at: parts.clock.now(),
    services: [...parts.config.services.values()].filter((service) => !service.machine).length,
    checks: total,
    models,
  };
  void Promise.all([measuring, polling])
    .then(() => taking)
    .then(() => Promise.all(tasks.values()))
    .then(tell)
    .finally(() => {
      channel.push({ type: 'watch-end', at: parts.clock.now() });
      channel.close();
    });
  yield* channel;
}

/** The latest result of every check of this configuration that was measured since. */
function reportOf(parts: AgentParts, since: number): HealthReport {
  const results = [...parts.config.services.values()]
    .flatMap((service) => service.checks)
    .flatMap((check) => parts.latest(check.key) ?? [])
    .filter((result) => result.at >= since);
  return { name: parts.config.name, at: parts.clock.now(), results, counts: countVerdicts(results) };
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

const isDoubtful = (parts: AgentParts, check: string): boolean => (parts.latest(check)?.verdict ?? 'unknown') !== 'ok';

/** Whether there is something to do about an incident that nobody works on at the moment. */
function needsWork(parts: AgentParts, incident: Incident): boolean {
  if (isClaimedElsewhere(parts.store, incident.id, process.pid)) return false;
  if (incident.state === 'awaiting' || incident.state === 'escalated') {
    const approved = parts.store.approvals.list({ state: 'approved', incident: incident.id }).length > 0;
    return (
      approved ||
      !Object.values(withLatest(parts, incident).checks).some((result) => isFailing(result) || hostIsGone(result))
    );
  }
  return true;
}
