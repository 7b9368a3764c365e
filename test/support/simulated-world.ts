import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import type { Model } from '../../src/agent/parts.ts';
import { type WatchParts, watch } from '../../src/agent/watch.ts';
import type { WatchEvent } from '../../src/agent/watch-events.ts';
import { createAgentParts } from '../../src/app.ts';
import type { Clock } from '../../src/base/clock.ts';
import type { Config } from '../../src/config/schema.ts';
import { createRedactor } from '../../src/guard/redact.ts';
import type { CheckResult } from '../../src/health/check.ts';
import type { Monitor } from '../../src/health/monitor.ts';
import { createReport } from '../../src/health/report.ts';
import type { Host } from '../../src/hosts/host.ts';
import type { Incident, PlanStep } from '../../src/incidents/incident.ts';
import type { Runbook } from '../../src/runbooks/runbook.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { defineTool, type Tool } from '../../tools/tool.ts';
import { configOf } from './config.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { Things } from './simulated-things.ts';

export interface WorldOptions {
  /** The `services:` of a nightshift.yaml. */
  services: string;
  mode?: 'observe' | 'propose' | 'act';
  runbooks?: Runbook[];
  model?: Model | null;
  /** How long one measurement takes. */
  measuringMs?: number;
  /** How an action goes: what it returns, or throws. Default: it acts and says so. */
  run?: (tool: string, service: string, act: () => void) => Promise<boolean>;
  answer?: (message: unknown) => number;
  more?: string;
}

/** One process: it can be killed at any of its writes, and then does nothing more. */
interface Life {
  dead: boolean;
  writes: number;
  diesAt: number;
  stop: AbortController;
  ended: Promise<void>;
  parts: WatchParts;
}

const never = <Value>(): Promise<Value> => new Promise<Value>(() => undefined);

/** A person's runbook: what shows as `reason` at a service is ended by these steps. */
export function runbook(reason: string, steps: PlanStep[], more: Partial<Runbook> = {}): Runbook {
  return {
    name: `when ${reason}`,
    file: 'test',
    shipped: false,
    cause: reason,
    because: `{service} is ${reason}`,
    symptoms: [
      {
        text: `reason is ${reason}`,
        reads: [],
        evaluate: (facts) =>
          Object.entries(facts).some(([name, value]) => /^check_.*_reason$/.test(name) && value === reason),
      },
    ],
    unless: [],
    steps,
    advice: null,
    priority: 0,
    ...more,
  };
}
export const doing = (tool: string, service = '{service}'): PlanStep => ({
  kind: 'action',
  action: { tool, arguments: { service }, reason: '' },
});

/** A whole Nightshift over simulated services: real store, guard, memory, hysteresis and correlation; no waiting. */
export class World {
  readonly clock = new SimulatedClock();
  readonly things: Things;
  readonly told: WatchEvent[] = [];
  /** Questions that the webhook was sent: each is heard when it is asked, not when it has expired. */
  readonly asked: { incident: number; reason: string; severity: string; at: string }[] = [];
  /** What else the webhook was sent. */
  readonly sent: { incident: number; reason: string; severity: string; at: string }[] = [];
  config: Config;
  store!: Store;
  life!: Life;
  readonly #options: WorldOptions;
  readonly #folder: string;
  readonly #listeners: ((event: WatchEvent) => void)[] = [];
  #ended = false;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#folder = mkdtempSync(join(tmpdir(), 'nightshift-world-'));
    this.config = this.configured(options.services);
    this.things = new Things(
      () => this.config,
      () => this.clock.now(),
    );
    this.open();
    onTestFinished(() => this.end());
  }

  /** Nothing of it is left; may be called twice. */
  async end(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.life?.stop.abort();
    await this.clock.pass(1000);
    this.store.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  configured(services: string): Config {
    return configOf(
      `mode: ${this.#options.mode ?? 'act'}\nstate: ${this.#folder}\nevery: 20s\nescalate: { webhook: "http://127.0.0.1:9/hook" }\n${this.#options.more ?? ''}\nservices:\n${services}`,
    );
  }

  open(): void {
    const opened = openStore(this.#folder, { clock: this.clock });
    if (!opened.ok) throw new Error(opened.error);
    // A day's backup is real work on a real disk, which no simulated clock waits for.
    this.store = { ...opened.value, backup: undefined };
  }

  /** Hears every event as it is told. */
  hear(listener: (event: WatchEvent) => void): void {
    this.#listeners.push(listener);
  }

  /** Starts a watch, as a process would. `diesAt` kills it right after so many writes. */
  async start({ diesAt = Number.POSITIVE_INFINITY, once = false } = {}): Promise<void> {
    const life = { dead: false, writes: 0, diesAt, stop: new AbortController() } as Life;
    this.life = life;
    life.parts = await this.partsFor(life);
    life.ended = (async () => {
      for await (const event of watch(life.parts, life.stop.signal, { once })) {
        this.told.push(event);
        if (!life.dead) for (const listener of this.#listeners) listener(event);
      }
    })();
    life.ended.catch(() => undefined);
  }

  /** `kill -9`: nothing of it goes on, and what it had not written is lost. */
  kill(): void {
    this.life.dead = true;
    this.store.close();
    this.open();
  }

  /** Ctrl-C. */
  async stop(): Promise<void> {
    this.life.stop.abort();
    await this.stopped();
  }

  /** Waits until the watch has ended by itself. */
  async stopped(): Promise<void> {
    let over = false;
    void this.life.ended.then(() => {
      over = true;
    });
    if (!(await this.clock.pass(600_000, () => over))) throw new Error('the watch did not stop');
  }

  /** Lets time pass until something is so; throws with the timelines when it is not within the time. */
  async until(isSo: () => boolean, milliseconds = 600_000): Promise<void> {
    if (!(await this.clock.pass(milliseconds, isSo))) throw new Error(`it did not come to that:\n${this.story()}`);
  }

  pass = (milliseconds: number): Promise<boolean> => this.clock.pass(milliseconds);

  incidents = (): Incident[] => this.store.incidents.list().reverse();
  incident(id: number): Incident {
    const incident = this.store.incidents.get(id);
    if (!incident) throw new Error(`there is no incident #${id}:\n${this.story()}`);
    return incident;
  }
  untilState = (state: Incident['state'], id = 1, milliseconds?: number): Promise<void> =>
    this.until(() => this.store.incidents.get(id)?.state === state, milliseconds);
  entries = (id: number, type: string) => this.store.incidents.timeline(id).filter((entry) => entry.type === type);
  /** What was done in the world, in order: `restart cache`. */
  done = (): string[] =>
    this.things.log.filter(({ what }) => what !== 'measured').map(({ what, service }) => `${what} ${service}`);

  story = (): string =>
    this.incidents()
      .flatMap((incident) => [
        `#${incident.id} ${incident.service} ${incident.state}`,
        ...this.store.incidents
          .timeline(incident.id)
          .map((entry) => `  ${new Date(entry.at).toISOString().slice(11, 23)} ${entry.type}: ${entry.text}`),
      ])
      .join('\n');

  async partsFor(life: Pick<Life, 'dead' | 'writes' | 'diesAt'>): Promise<WatchParts> {
    const clock: Clock = {
      now: () => this.clock.now(),
      sleep: async (milliseconds, signal) => {
        await this.clock.sleep(milliseconds, signal);
        if (life.dead) await never();
      },
    };
    const redactor = createRedactor();
    return createAgentParts({
      config: this.config,
      surroundings: { environment: {} },
      store: mortal(this.store, life),
      clock,
      world: {
        measuring: {
          monitor: this.#monitor(life, clock),
          host: () => noHost,
          manager: () => null,
          secret: () => '',
          redactor,
        },
        tools: [
          this.#tool('restart_service', 'reversible', 'restart', life, clock),
          this.#tool('end_idle_sessions', 'disruptive', 'drain', life, clock),
        ],
        runbooks: this.#options.runbooks ?? [runbook('stuck', [doing('restart_service')])],
        model: this.#options.model ?? null,
        fetch: async (_url, init) => {
          if (life.dead) return never();
          const message = JSON.parse(String(init?.body));
          const status = this.#options.answer?.(message) ?? 200;
          if (status === 200) (/^A\d+: may I/.test(message.reason) ? this.asked : this.sent).push(message);
          return new Response(null, { status });
        },
      },
    });
  }

  #monitor(life: Pick<Life, 'dead'>, clock: Clock): Monitor {
    const measure: Monitor['measure'] = async (checks) => {
      const results: CheckResult[] = [];
      for (const check of checks) results.push(this.things.measure(check));
      await clock.sleep(this.#options.measuringMs ?? 10);
      return life.dead ? never() : results;
    };
    const every = () => [...this.config.services.values()].flatMap((service) => service.checks);
    return {
      measure,
      all: async () => createReport(this.config.name, clock.now(), await measure(every())),
      async *run(signal) {
        const checks = every();
        while (!signal.aborted) {
          yield await measure(checks);
          await clock.sleep(2000, signal);
        }
      },
    };
  }

  #tool(name: string, risk: Tool['risk'], does: 'restart' | 'drain', life: Pick<Life, 'dead'>, clock: Clock): Tool {
    const run =
      this.#options.run ??
      (async (_tool, _service, act) => {
        act();
        return true;
      });
    return defineTool({
      name,
      description: `${does} a service`,
      risk,
      input: (scope) => z.object({ service: z.enum(scope.services), part: z.string().optional() }),
      output: z.object({}),
      plan: async ({ service }) => ({
        plan: { title: `${does} ${service}`, service: String(service), risk, undo: 'none needed' },
      }),
      run: async ({ service }) => {
        if (life.dead) return never();
        const ok = await run(name, String(service), () => this.things.act(does, String(service)));
        await clock.sleep(500);
        return { ok, content: ok ? 'done' : 'exit 1', details: {} };
      },
    }) as unknown as Tool;
  }
}

/** A store that takes nothing more from a process that is dead, and kills it right after a chosen write. */
function mortal(store: Store, life: Pick<Life, 'dead' | 'writes' | 'diesAt'>): Store {
  const WRITES = new Set([
    'open',
    'append',
    'intend',
    'end',
    'setHeld',
    'ask',
    'decide',
    'use',
    'expire',
    'withdraw',
    'set',
  ]);
  const guarded = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get(target, name, receiver) {
        const value = Reflect.get(target, name, receiver);
        if (typeof value !== 'function') return typeof value === 'object' && value !== null ? guarded(value) : value;
        return (...args: unknown[]) => {
          if (life.dead) throw new Error('killed');
          const result = value.apply(target, args);
          if (WRITES.has(String(name))) {
            life.writes += 1;
            if (life.writes >= life.diesAt) {
              life.dead = true;
              throw new Error('killed');
            }
          }
          return result;
        };
      },
    });
  return guarded(store);
}

const failed = { ok: false as const, error: 'there is nothing here' };
const noHost: Host = {
  name: 'local',
  kind: 'local',
  platform: async () => 'linux',
  run: async ({ argv }) => ({
    argv,
    exitCode: null,
    signal: null,
    stdout: '',
    stderr: '',
    durationMs: 0,
    truncated: false,
    failure: 'not-found',
  }),
  start: async () => failed,
  endOf: () => null,
  readFile: async () => failed,
  readBytes: async () => failed,
  writeFile: async () => failed,
  fileFacts: async () => failed,
  list: async () => failed,
  rename: async () => failed,
  remove: async () => failed,
  relink: async () => failed,
  reach: async () => failed,
};
