import { createMemory } from '../memory/memory.ts';
import { actTools, allTools, lookTools } from '../tools/index.ts';
import { createHandles } from '../tools/shared/handles.ts';
import type { Tool, ToolContext } from '../tools/tool.ts';
import { type AskEvent, ask } from './agent/ask.ts';
import { claimIncident, releaseIncident } from './agent/claim.ts';
import { condenseLines } from './agent/condense.ts';
import type { AgentEvent } from './agent/events.ts';
import { type Fixed, type FixOptions, fixIncident } from './agent/fix.ts';
import { OpsAgent } from './agent/ops-agent.ts';
import type { Model } from './agent/parts.ts';
import { standingSignal } from './agent/signals.ts';
import { triage } from './agent/triage.ts';
import { type WatchParts, watch } from './agent/watch.ts';
import type { WatchEvent } from './agent/watch-events.ts';
import { type Clock, systemClock } from './base/clock.ts';
import { messageOf } from './base/outcome.ts';
import type { Config } from './config/schema.ts';
import { createGuard } from './guard/guard.ts';
import { redactDeep, redactResult } from './guard/redact-values.ts';
import type { CheckHistory, CheckResult } from './health/check.ts';
import { createHysteresis } from './health/hysteresis.ts';
import { worstVerdict } from './health/report.ts';
import { hostIsGone, isFailing, showsTrouble } from './incidents/correlate.ts';
import { createEscalationOutbox } from './incidents/escalation.ts';
import { dependencyGraph } from './incidents/graph.ts';
import type { Incident, Signal, TimelineEntry } from './incidents/incident.ts';
import { createMeasuring, type Measuring, type Surroundings } from './measuring.ts';
import { createModels } from './models/router.ts';
import { createCommandTool } from './runbooks/command-tool.ts';
import { loadRunbooks } from './runbooks/load.ts';
import type { Runbook } from './runbooks/runbook.ts';
import { createGoodCopies } from './services/good-copies.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';

export type { Measuring, Surroundings } from './measuring.ts';

/** For verbs that only measure once: reads the store's history when there is one, and writes nothing to it. */
export async function buildMeasuring(config: Config, surroundings: Surroundings): Promise<Measuring> {
  const opened = openStore(config.stateFolder, { clock: systemClock, readOnly: true });
  const store = opened.ok ? opened.value : null;
  const positions = new Map<string, string>();
  const history: CheckHistory = {
    samples: (check, since) => store?.health.samples(check, since) ?? [],
    lastPing: (name) => store?.health.lastPing(name) ?? null,
    position: (check) => positions.get(check) ?? store?.health.position(check) ?? null,
    setPosition: (check, position) => void positions.set(check, position),
  };
  const latest = new Map((store?.health.latest() ?? []).map((result) => [result.check, result]));
  const measuring = createMeasuring(config, surroundings, history, (check) => latest.get(check));
  return { ...measuring, close: () => store?.close() };
}

/** What stands between the agent and the world. Handed in, the same agent works in a simulated one. */
export interface World {
  measuring: Omit<Measuring, 'close'>;
  tools: readonly Tool[];
  runbooks: Runbook[];
  model: Model | null;
  fetch: typeof fetch;
}

/** How often it is told that nothing can be kept. */
const TELL_AGAIN_MS = 600_000;

/** The whole agent over one store. What `world` leaves out is the real one. */
export async function createAgentParts(options: {
  config: Config;
  surroundings: Surroundings;
  store: Store;
  clock?: Clock;
  world?: Partial<World>;
}): Promise<WatchParts> {
  const { config, surroundings, store, clock = systemClock, world = {} } = options;
  const latest = new Map(store.health.latest().map((result) => [result.check, result]));
  const measuring =
    world.measuring ?? createMeasuring(config, surroundings, store.health, (check) => latest.get(check), clock);
  const { redactor, host, manager, secret } = measuring;
  const redact = (text: string): string => redactor.redact(text);
  const checks = new Map(
    [...config.services.values()].flatMap((service) => service.checks.map((check) => [check.key, check] as const)),
  );
  const hysteresis = createHysteresis({ saved: store.settings.get('hysteresis') });
  hysteresis.retain(checks.keys());
  let signals: Signal[] = [];
  const listeners: ((entry: TimelineEntry, incident: Incident) => void)[] = [];
  const agentListeners: ((incident: number, event: AgentEvent) => void)[] = [];
  // One for the process: what a model saw in its run is named again when its plan is carried out.
  const handles = createHandles(clock);
  const goodCopies = createGoodCopies({ folder: config.stateFolder, clock });
  const loaded = world.runbooks
    ? { runbooks: world.runbooks, problems: [] }
    : await loadRunbooks({ paths: config.runbooks, config });
  const commandTool = createCommandTool({ runbooks: loaded.runbooks, settings: store.settings });
  const tools = world.tools ?? [...lookTools, ...actTools, ...(commandTool === null ? [] : [commandTool])];
  const models = createModels(config.models, { secret, clock, redact, keepSent: (sent) => store.keepSent(sent) });

  const outbox = createEscalationOutbox({
    store,
    clock,
    fetch: world.fetch ?? fetch,
    webhook: () => {
      const { webhook } = config.escalate;
      return webhook === undefined ? null : /^(env|file):/.test(webhook) ? secret(webhook) : webhook;
    },
  });
  let cannotKeepSince = Number.NEGATIVE_INFINITY;
  /** Without its store Nightshift can open no incident and do nothing: then somebody must hear that, and what fails. */
  const cannotKeep = (error: unknown, results: CheckResult[]): void => {
    if (clock.now() - cannotKeepSince < TELL_AGAIN_MS) return;
    cannotKeepSince = clock.now();
    const failing = results.filter(isFailing).map((result) => `${result.check}: ${result.summary}`);
    void outbox.sendNow({
      incident: 0,
      severity: 'critical',
      title: `${config.name}: Nightshift cannot keep its state, and does nothing until it can`,
      reason: redact(messageOf(error)),
      action_taken: 'none',
      what_to_do: `make room or mend ${config.stateFolder}; nightshift doctor`,
      at: new Date(clock.now()).toISOString(),
      report: { failing },
    });
  };

  const saveHysteresis = () => store.settings.set('hysteresis', hysteresis.save());
  const ingest = (given: CheckResult[]): void => {
    const results = given.map((result) => redactResult(result, redact));
    const touched = new Set<string>();
    const before = signals.length;
    for (const result of results) {
      latest.set(result.check, result);
      const check = checks.get(result.check);
      const signal = check ? hysteresis.push(result, check) : null;
      if (signal) signals.push(signal);
      touched.add(result.service);
    }
    // What was seen counts even where it cannot be kept: a full disk must not make the watch blind.
    try {
      store.health.record(results);
      for (const service of touched) {
        const own = config.services.get(service)?.checks ?? [];
        store.health.setServiceVerdict(service, worstVerdict(own.map((check) => hysteresis.settled(check.key))));
      }
      if (signals.length > before) saveHysteresis();
    } catch (error) {
      cannotKeep(error, results);
    }
  };

  const tell = (entry: TimelineEntry, incident: Incident) => {
    for (const listener of listeners) listener(entry, incident);
  };

  return {
    config,
    clock,
    store,
    redact,
    host,
    manager,
    graph: dependencyGraph(config),
    monitor: measuring.monitor,
    guard: createGuard({
      store,
      clock,
      redact,
      policy: () => ({ mode: config.mode, actionsPerServicePerHour: config.limits.actions_per_service_per_hour }),
    }),
    memory: createMemory(store.memory, {
      riskOf: (action) => (world.tools ?? allTools).find((tool) => tool.name === action.tool)?.risk ?? null,
    }),
    runbooks: loaded.runbooks,
    runbookProblems: loaded.problems,
    tools,
    model: world.model ?? (models.length > 0 ? models.router : null),
    outbox,
    toolContext: (scope, signal): ToolContext => ({
      config,
      scope,
      clock,
      host,
      manager,
      secret,
      signal,
      goodCopies,
      service: (name) => {
        const service = config.services.get(name);
        if (!service) throw new Error(`there is no service ${name}`);
        return service;
      },
      measure: async (service) => {
        const results = await measuring.monitor.measure(config.services.get(service)?.checks ?? []);
        ingest(results);
        return results;
      },
      latest: (service) => store.health.latest(service),
      archive: {
        recent: (filter) => store.incidents.list(filter),
        timeline: (incident) => store.incidents.timeline(incident),
        actions: (incident) => store.actions.of(incident),
      },
      handles,
      condense: condenseLines,
    }),
    open: (draft, entry) => {
      const incident = store.incidents.open(redactDeep(draft, redact), redactDeep(entry, redact));
      const first = store.incidents.timeline(incident.id)[0];
      if (first) tell(first, incident);
      return incident;
    },
    record: (id, entry, change) => {
      const appended = store.incidents.append(
        id,
        redactDeep(entry, redact),
        change && redactDeep({ ...change, updatedAt: clock.now() }, redact),
      );
      tell(appended.entry, appended.incident);
      return appended.incident;
    },
    ingest,
    latest: (check) => latest.get(check),
    saveHysteresis,
    listen: (listener) => void listeners.push(listener),
    onAgent: (listener) => void agentListeners.push(listener),
    tellAgent: (incident, event) => {
      for (const listener of agentListeners) listener(incident, event);
    },
    keepGoodCopy: (service, path, bytes) => goodCopies.keep(service, path, bytes),
    takeSignals: () => {
      const taken = signals;
      signals = [];
      return taken;
    },
    standingSignals: () =>
      [...checks.keys()].flatMap((key): Signal[] => {
        const result = latest.get(key);
        const settled = hysteresis.settled(key);
        // A host that does not answer settles as `unknown`, and needs somebody as much as a failure does.
        if (!result || settled === 'ok' || !showsTrouble(result)) return [];
        if (!isFailing({ verdict: settled }) && !hostIsGone(result)) return [];
        const signal = standingSignal(result, hysteresis.since(key) ?? result.at);
        return [{ ...signal, verdict: hostIsGone(result) ? 'unknown' : settled }];
      }),
    probeModels: (signal) => models.probe(signal),
  };
}

/** The watch, over and over: a changed configuration is taken up without losing anything; a bad one is reported and the old one goes on. */
export async function* runWatch(options: {
  config: Config;
  surroundings: Surroundings;
  signal: AbortSignal;
  /** One cycle: every check once, then whatever that leads to, then the end. */
  once?: boolean;
  /** The configuration as it is now, when its file has changed; null when it has not; a text when it is bad. */
  reload?: () => Promise<Config | string | null>;
}): AsyncGenerator<WatchEvent> {
  const { surroundings, signal } = options;
  const opened = openStore(options.config.stateFolder, { clock: systemClock });
  if (!opened.ok) throw new Error(opened.error);
  const store = opened.value;
  try {
    for (const text of store.warnings) yield { type: 'warning', at: systemClock.now(), text };
    let { config } = options;
    for (let first = true; !signal.aborted; first = false) {
      const turn = new AbortController();
      const parts = await createAgentParts({ config, surroundings, store });
      for (const problem of parts.runbookProblems) {
        yield {
          type: 'warning',
          at: systemClock.now(),
          text: `${problem.file}:${problem.line}:${problem.column} ${problem.message}`,
        };
      }
      let next: Config | null = null;
      for await (const event of watch(parts, AbortSignal.any([signal, turn.signal]), { once: options.once === true })) {
        // One watch to whoever listens, however often its configuration changes.
        if ((first || event.type !== 'watch-start') && (next === null || event.type !== 'watch-end')) yield event;
        if (event.type !== 'report' || next !== null) continue;
        const changed = (await options.reload?.()) ?? null;
        const problem =
          typeof changed === 'string'
            ? changed
            : changed && (await whyUnusable({ ...options, config: changed, store }));
        if (problem) yield { type: 'warning', at: systemClock.now(), text: problem };
        else if (changed !== null && typeof changed !== 'string') {
          next = changed;
          turn.abort();
          yield {
            type: 'config-changed',
            at: systemClock.now(),
            text: `${changed.file ?? 'the configuration'} has changed and is used from here on`,
          };
        }
      }
      if (next === null) return;
      config = next;
    }
  } finally {
    store.close();
  }
}

/** Why the watch cannot go on with this configuration; null when it can. */
async function whyUnusable(options: {
  config: Config;
  surroundings: Surroundings;
  store: Store;
}): Promise<string | null> {
  const { config, store } = options;
  if (config.stateFolder !== store.folder)
    return `state: now names ${config.stateFolder}, but a running watch keeps ${store.folder}: start it anew for that; the old configuration goes on`;
  try {
    await createAgentParts(options);
    return null;
  } catch (error) {
    return `the changed configuration cannot be used: ${messageOf(error)}; the old one goes on`;
  }
}

/** Proves by itself that an incident which a person resolved is over: for `resolve` while no watch runs. */
export async function settleIncident(options: {
  config: Config;
  surroundings: Surroundings;
  incident: number;
}): Promise<Incident> {
  const opened = openStore(options.config.stateFolder, { clock: systemClock });
  if (!opened.ok) throw new Error(opened.error);
  const store = opened.value;
  try {
    const parts = await createAgentParts({ ...options, store });
    await triage(
      new OpsAgent(parts),
      { ...parts, runbooks: [], model: null },
      options.incident,
      new AbortController().signal,
      { onlyProve: true },
    );
    const incident = store.incidents.get(options.incident);
    if (incident === null) throw new Error(`incident #${options.incident} is not in the store any more`);
    return incident;
  } finally {
    store.close();
  }
}

/** `nightshift fix`: what the loop would do, now, because a person asks. */
export async function fixByHand(options: { config: Config; surroundings: Surroundings } & FixOptions): Promise<Fixed> {
  const opened = openStore(options.config.stateFolder, { clock: systemClock });
  if (!opened.ok) throw new Error(opened.error);
  const store = opened.value;
  try {
    const parts = await createAgentParts({ ...options, store });
    return await fixIncident(parts, options, {
      claim: (incident) => claimIncident(store, incident, process.pid, systemClock.now()),
      release: (incident) => releaseIncident(store, incident),
    });
  } finally {
    store.close();
  }
}

/** `nightshift ask`: a question answered from live evidence, with looking tools only. */
export async function* askQuestion(options: {
  config: Config;
  surroundings: Surroundings;
  question: string;
  earlier?: { question: string; answer: string }[];
  signal: AbortSignal;
}): AsyncGenerator<AskEvent> {
  const opened = openStore(options.config.stateFolder, { clock: systemClock });
  if (!opened.ok) throw new Error(opened.error);
  const store = opened.value;
  try {
    const parts = await createAgentParts({ ...options, store });
    yield* ask({ ...parts, tools: lookTools }, options.question, options.earlier ?? [], options.signal);
  } finally {
    store.close();
  }
}
