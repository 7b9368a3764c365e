import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/outcome.ts';
import type { CheckConfig, CheckKind } from '../config/checks.ts';
import type { CheckContext, CheckResult, CheckRunner, Measurement } from './check.ts';
import { checkRunners } from './checks/index.ts';
import { down, unmeasured } from './finding.ts';
import { formatSpan } from './format.ts';

/** How long a runner may take to end by itself after its signal has aborted, before it is given up on. */
const MARGIN_MS = 250;

/** Kinds that ask the service itself: no answer in time is the service's failure. The others only could not look. */
const ASKS_THE_SERVICE: ReadonlySet<CheckKind> = new Set(['http', 'tcp', 'redis', 'postgres', 'ollama', 'command']);

type AnyRunner = CheckRunner<CheckKind>;
const loaded = new Map<CheckKind, AnyRunner>();

/** The runner of a kind, loaded once. */
async function load(kind: CheckKind): Promise<AnyRunner> {
  // A config's kind and settings always belong together, which a table by kind cannot tell the compiler.
  const runner = (await checkRunners[kind]()) as unknown as AnyRunner;
  loaded.set(kind, runner);
  return runner;
}

/** Loads what these checks need, so that the first of them is not slower than the rest. */
export async function preload(kinds: Iterable<CheckKind>): Promise<void> {
  for (const kind of kinds) if (!loaded.has(kind)) await load(kind);
}

/**
 * Measures one check. Always resolves, at the latest a quarter of a second after the check's time limit: the signal
 * aborts at the limit, and a runner that ignores it is given up on. What a runner throws becomes an `unknown` result.
 * A caller that gives the controller can end it sooner. The time limit is real time also under a simulated clock, because what it waits for is real.
 */
export async function measureCheck(
  check: CheckConfig,
  context: Omit<CheckContext, 'signal'>,
  clock: Clock,
  controller = new AbortController(),
): Promise<CheckResult> {
  const startedAt = performance.now();
  const runner = loaded.get(check.kind) ?? (await load(check.kind));
  const measurement = await withinLimit(check, context, runner, controller);
  return {
    ...measurement,
    check: check.key,
    service: check.service,
    kind: check.kind,
    at: clock.now(),
    durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
  };
}

function withinLimit(
  check: CheckConfig,
  context: Omit<CheckContext, 'signal'>,
  runner: AnyRunner,
  controller: AbortController,
): Promise<Measurement> {
  return new Promise((resolve) => {
    let timer = setTimeout(() => {
      timer = setTimeout(() => resolve(gaveUp(check, context)), MARGIN_MS);
      controller.abort();
    }, check.withinMs);
    const end = (measurement: Measurement): void => {
      clearTimeout(timer);
      resolve(measurement);
    };
    run(check, { ...context, signal: controller.signal }, runner).then(end, (thrown) => end(threw(check, thrown)));
  });
}

// An async function of its own, so that a runner that throws before its first await is a rejection, too.
const run = async (check: CheckConfig, context: CheckContext, runner: AnyRunner): Promise<Measurement> =>
  runner(check, context);

function gaveUp(check: CheckConfig, { host }: Pick<CheckContext, 'host'>): Measurement {
  const summary = `no result within ${formatSpan(check.withinMs)}: given up on`;
  // Behind ssh it may as well be the way there that hangs.
  return ASKS_THE_SERVICE.has(check.kind) && host.kind === 'local'
    ? down(check, 'timed-out', summary)
    : unmeasured('timed-out', summary);
}

const threw = (check: CheckConfig, thrown: unknown): Measurement =>
  unmeasured('failed', `measuring ${check.kind} for ${check.key} failed: ${messageOf(thrown)}`);
