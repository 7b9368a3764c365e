import type { ToolContext } from '../../tools/tool.ts';
import { messageOf } from '../base/outcome.ts';
import { machineName } from '../config/schema.ts';
import type { CheckResult } from '../health/check.ts';
import type { Evidence, Facts, Incident } from '../incidents/incident.ts';
import type { ServiceStatus } from '../services/manager.ts';
import { checkFacts } from './facts/checks.ts';
import { type Collector, createCollector, type FactContext, type FactSource } from './facts/collect.ts';
import { configFacts, logSizeFacts, releaseFacts } from './facts/files.ts';
import { logFacts } from './facts/logs.ts';
import { machineFacts } from './facts/machine.ts';
import { portFacts } from './facts/port.ts';
import { processFacts } from './facts/process.ts';
import { dependencyFacts, triedFacts } from './facts/surroundings.ts';

/** Where facts come from. Where two tell of one fact, the earlier source here goes before the later. */
const sources: Record<string, FactSource> = {
  checks: checkFacts,
  process: processFacts,
  logs: logFacts,
  'log sizes': logSizeFacts,
  configuration: configFacts,
  releases: releaseFacts,
  port: portFacts,
  machine: machineFacts,
  dependencies: dependencyFacts,
  tried: triedFacts,
};

/** The longest one source may take; what it has found by then counts. */
const LIMIT_MS = 10_000;

interface GatherRequest {
  incident: Incident;
  context: ToolContext;
  /** Per source, in real time, for what it waits for is real. Default 10 s. */
  limitMs?: number;
}

/** Facts, what they rest on, and which sources gave nothing and why. */
interface Gathered {
  facts: Facts;
  evidence: Evidence[];
  missing: { source: string; why: string }[];
}

/**
 * Measures what is so now at the incident's suspected service, all sources side by side. It never rejects, and one slow
 * or broken source holds up no other. The facts are described in `fact-names.ts`; what was not measured is absent.
 */
export async function gatherFacts({ incident, context, limitMs = LIMIT_MS }: GatherRequest): Promise<Gathered> {
  const service = context.config.services.get(incident.service);
  if (!service) {
    return {
      facts: { service: incident.service },
      evidence: [],
      missing: [{ source: 'all', why: `${incident.service} is not in the inventory` }],
    };
  }
  const shared = share(incident, service, context);
  const gone = Object.values(incident.checks).some(
    (result) => result.service === service.name && result.reason === 'host-unreachable',
  );
  const collected = await Promise.all(
    Object.entries(sources).map(async ([name, source]) => {
      const collect = createCollector();
      const why = await within(source(shared, collect), limitMs);
      return { name, collect, why };
    }),
  );
  const facts: Facts = {
    service: service.name,
    host: service.host,
    unit: service.unit,
    manager: service.manager,
    is_machine: service.machine,
    ...(service.kind === undefined ? {} : { kind: service.kind }),
    ...(gone ? { host_unreachable: true } : {}),
  };
  for (const { collect } of collected) merge(facts, collect);
  return {
    facts,
    evidence: collected.flatMap(({ collect }) => collect.evidence),
    missing: collected.flatMap(({ name, why }) => (why === null ? [] : [{ source: name, why }])),
  };
}

function merge(facts: Facts, { facts: found }: Collector): void {
  for (const [name, value] of Object.entries(found)) if (!(name in facts)) facts[name] = value;
}

/** What several sources need, asked for once. A failure of one of these is no facts, not an error of all. */
function share(incident: Incident, service: FactContext['service'], tools: ToolContext): FactContext {
  const machine = machineName(service.host);
  const own = Object.values(incident.checks).filter((result) => result.service === service.name);
  const measure = async (name: string, otherwise: CheckResult[]): Promise<CheckResult[]> => {
    const measured = await tools.measure(name);
    return measured.length > 0 ? measured : otherwise;
  };
  const results = measure(service.name, own).catch(() => own);
  const isMachine = service.machine || !tools.config.services.has(machine);
  return {
    incident,
    service,
    host: tools.host(service.host),
    tools,
    results,
    machine: isMachine ? results.then((found) => (service.machine ? found : [])) : measure(machine, []).catch(() => []),
    status: settled(statusOf(service.name, tools)),
  };
}

async function statusOf(service: string, tools: ToolContext): Promise<ServiceStatus | null> {
  const status = await tools.manager(service)?.status();
  return status?.ok ? status.value : null;
}

/** Each source that waits for it hears of its failure; until one does, it is not an unhandled one. */
function settled<Value>(work: Promise<Value>): Promise<Value> {
  work.catch(() => undefined);
  return work;
}

/** Null when it ended in time, else why not. */
async function within(work: Promise<void>, limitMs: number): Promise<string | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no result within ${limitMs} ms`), limitMs);
  });
  const done = work.then(
    () => null,
    (error: unknown) => messageOf(error),
  );
  const ended = await Promise.race([done, late]);
  clearTimeout(timer);
  return ended;
}
