import type { CheckConfig } from '../../src/config/checks.ts';
import type { Config } from '../../src/config/schema.ts';
import type { CheckResult, Verdict } from '../../src/health/check.ts';

/** What is wrong with a service, and until when. */
export interface Fault {
  verdict?: Verdict;
  /** The reason its checks give: what runbooks go by. */
  reason: string;
  /** What ends it; default: a restart. */
  endsBy?: 'restart' | 'drain' | 'nothing';
  /** It heals by itself then. */
  endsAt?: number;
  /** After what ended it, it is back this much later, so many times. */
  backAfter?: number;
  times?: number;
  /** It shows for this long, then hides for as long, over and over. */
  flapsEvery?: number;
}

interface Standing extends Fault {
  since: number;
}

/** What happened in the world, as the world saw it. */
export interface Happened {
  at: number;
  what: 'measured' | 'restart' | 'drain';
  service: string;
}

/** The services of a configuration, as they would be if they were there: faults, and what actions do to them. */
export class Things {
  readonly log: Happened[] = [];
  readonly #faults = new Map<string, Standing>();
  readonly #config: () => Config;
  readonly #now: () => number;

  constructor(config: () => Config, now: () => number) {
    this.#config = config;
    this.#now = now;
  }

  break(service: string, fault: Fault): void {
    this.#faults.set(service, { ...fault, since: this.#now() });
  }

  /** A person mends it, and says nothing. */
  mend(service: string): void {
    this.#faults.delete(service);
  }

  act(what: 'restart' | 'drain', service: string): void {
    this.log.push({ at: this.#now(), what, service });
    const fault = this.#faults.get(service);
    if (!fault || (fault.endsBy ?? 'restart') !== what) return;
    const times = fault.times ?? Number.POSITIVE_INFINITY;
    if (fault.backAfter === undefined || times <= 0) this.#faults.delete(service);
    else this.#faults.set(service, { ...fault, since: this.#now() + fault.backAfter, times: times - 1 });
  }

  measure(check: CheckConfig): CheckResult {
    this.log.push({ at: this.#now(), what: 'measured', service: check.service });
    const found = this.#look(check.service);
    return {
      check: check.key,
      service: check.service,
      kind: check.kind,
      verdict: found?.verdict ?? 'ok',
      summary: found ? `fails: ${found.reason}` : 'passes',
      ...(found ? { reason: found.reason } : {}),
      at: this.#now(),
      durationMs: 1,
    };
  }

  /** True when it has failed for at least this long without a break, by its own fault or one below. */
  fails(service: string, forMs = 0): boolean {
    const fault = this.#faults.get(service);
    const now = this.#now();
    const from = now - forMs;
    let shows = fault !== undefined && fault.since <= from;
    for (let at = from; fault && shows && at <= now; at += 500) shows = this.#shows(fault, at);
    if (shows) return true;
    const below = this.#config().services.get(service)?.dependsOn ?? [];
    return below.some((name) => this.#look(name)?.verdict === 'critical' && this.fails(name, forMs));
  }

  /** Its own fault, else that of something it needs: then it fails as well. */
  #look(service: string): { verdict: Verdict; reason: string } | null {
    const fault = this.#faults.get(service);
    if (fault && this.#shows(fault)) return { verdict: fault.verdict ?? 'critical', reason: fault.reason };
    const below = this.#config().services.get(service)?.dependsOn ?? [];
    const down = below.find((name) => this.#look(name)?.verdict === 'critical');
    return down ? { verdict: 'critical', reason: 'symptom' } : null;
  }

  #shows({ since, endsAt, flapsEvery }: Standing, now = this.#now()): boolean {
    if (now < since || (endsAt !== undefined && now >= endsAt)) return false;
    return flapsEvery === undefined || Math.floor((now - since) / flapsEvery) % 2 === 0;
  }
}
