import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { WatchEvent } from '../../src/agent/watch-events.ts';
import { buildMeasuring, type Measuring, runWatch } from '../../src/app.ts';
import { layStack } from '../../src/cli/demo/stack.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import type { Incident, TimelineEntry, TimelineType } from '../../src/incidents/incident.ts';

type Told = { entry: TimelineEntry; incident: Incident };

/** The demo's stack with a real watch over it: real processes, sockets, files and SQLite. */
export interface RunningWatch {
  config: Config;
  folder: string;
  told: Told[];
  pidOf(service: string): Promise<number>;
  manager: Measuring['manager'];
  /** The first entry of a kind, of an incident after `after`; rejects after 30 s with what was told instead. */
  until(type: TimelineType, after?: number): Promise<Told>;
  stopWatch(): Promise<void>;
  end(): Promise<void>;
}

const PATIENCE_MS = 30_000;

/** Starts the stack and the watch. `change` may rewrite the configuration's text first. */
export async function startWatch(change: (yaml: string) => string = (yaml) => yaml): Promise<RunningWatch> {
  const { folder, configFile } = await layStack();
  writeFileSync(configFile, change(readFileSync(configFile, 'utf8')));
  const surroundings = { environment: {} };
  const loaded = loadConfig(configFile, { environment: {}, home: folder, platform: process.platform });
  if (!loaded.ok) throw new Error(loaded.problems.map((problem) => problem.message).join('\n'));
  const { config } = loaded;
  const measuring = await buildMeasuring(config, surroundings);
  for (const name of ['cache', 'api', 'worker']) {
    const started = await measuring.manager(name)?.start();
    if (!started?.ok) throw new Error(`${name} did not start: ${started?.error}`);
  }
  const stop = new AbortController();
  const told: Told[] = [];
  const listeners = new Set<() => void>();
  let well: () => void = () => undefined;
  const firstReport = new Promise<void>((resolve) => {
    well = resolve;
  });
  const take = (event: WatchEvent) => {
    if (event.type === 'report' && event.report.counts.ok === event.report.results.length) well();
    if (event.type !== 'timeline') return;
    told.push(event);
    for (const listener of listeners) listener();
  };
  const watching = (async () => {
    for await (const event of runWatch({ config, surroundings, signal: stop.signal })) take(event);
  })();
  await Promise.race([firstReport, watching]);
  const stopWatch = async () => {
    stop.abort();
    await watching;
  };
  return {
    config,
    folder,
    told,
    stopWatch,
    manager: measuring.manager,
    async pidOf(service) {
      const status = await measuring.manager(service)?.status();
      if (!status?.ok || status.value.mainPid === null) throw new Error(`${service} does not run`);
      return status.value.mainPid;
    },
    until: (type, after = 0) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          listeners.delete(look);
          reject(
            new Error(
              `no ${type} was told within ${PATIENCE_MS} ms, but:\n${told.map(({ entry }) => `#${entry.incident} ${entry.type}: ${entry.text}`).join('\n')}`,
            ),
          );
        }, PATIENCE_MS);
        const look = () => {
          const found = told.find(({ entry }) => entry.type === type && entry.incident > after);
          if (!found) return;
          clearTimeout(timer);
          listeners.delete(look);
          resolve(found);
        };
        listeners.add(look);
        look();
      }),
    async end() {
      await stopWatch();
      for (const name of ['api', 'worker', 'cache']) await measuring.manager(name)?.stop();
      measuring.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
