import type { Clock } from '../base/clock.ts';
import { messageOf } from '../base/outcome.ts';
import type { CheckConfig } from '../config/checks.ts';
import type { Config } from '../config/schema.ts';
import type { CheckContext, CheckResult, HealthReport } from './check.ts';
import { unmeasured } from './finding.ts';
import { measureCheck, preload } from './measure.ts';
import { createReport } from './report.ts';
import { runSchedule } from './schedule.ts';

interface MonitorOptions {
  config: Pick<Config, 'name' | 'services'>;
  clock: Clock;
  /** What a check is handed, but for its signal. */
  context: (check: CheckConfig) => Omit<CheckContext, 'signal'>;
  /** How many checks are measured at once. */
  concurrency: number;
  /** From 0 up to 1; default `Math.random`. */
  random?: () => number;
}

/** Measures the checks of one configuration. For a changed configuration make a new one: nothing is kept between measurements. */
export interface Monitor {
  /** These checks, side by side up to the limit, in the order given. Each result was measured after the call began. */
  measure(checks: readonly CheckConfig[]): Promise<CheckResult[]>;
  /** Every check of the configuration, once. */
  all(): Promise<HealthReport>;
  /**
   * Measures each check at its own `every` until the signal aborts, and hands out results as they come, in batches.
   * Breaking out of the iteration ends it, too; measurements under way are then ended, unheard.
   */
  run(signal: AbortSignal): AsyncGenerator<CheckResult[], void, undefined>;
}

export function createMonitor({ config, clock, context, concurrency, random = Math.random }: MonitorOptions): Monitor {
  const everyCheck = [...config.services.values()].flatMap((service) => service.checks);
  /** What is being measured now, by check: the next measurement of the same check waits for it. */
  const underWay = new Map<string, Promise<CheckResult>>();

  const measureNow = async (check: CheckConfig, controller?: AbortController): Promise<CheckResult> => {
    try {
      return await measureCheck(check, context(check), clock, controller);
    } catch (thrown) {
      const measurement = unmeasured('failed', `${check.key} cannot be measured: ${messageOf(thrown)}`);
      return {
        ...measurement,
        check: check.key,
        service: check.service,
        kind: check.kind,
        at: clock.now(),
        durationMs: 0,
      };
    }
  };

  const measureOne = async (check: CheckConfig, controller?: AbortController): Promise<CheckResult> => {
    for (let other = underWay.get(check.key); other; other = underWay.get(check.key)) await other;
    const measuring = measureNow(check, controller);
    underWay.set(check.key, measuring);
    const result = await measuring;
    underWay.delete(check.key);
    return result;
  };

  const measure = async (checks: readonly CheckConfig[]): Promise<CheckResult[]> => {
    await preload(new Set(checks.map((check) => check.kind)));
    const results: CheckResult[] = [];
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < checks.length) {
        const index = next++;
        const check = checks[index];
        if (check) results[index] = await measureOne(check);
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, checks.length) }, worker));
    return results;
  };

  return {
    measure,
    all: async () => {
      const results = await measure(everyCheck);
      return createReport(config.name, clock.now(), results);
    },
    run: (signal) => runSchedule({ checks: everyCheck, measureOne, clock, concurrency, random }, signal),
  };
}
