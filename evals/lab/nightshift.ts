import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { z } from 'zod';
import { packageFile } from '../../src/base/package-root.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Bench, Running } from './bench.ts';

const incidentsSchema = z.array(
  z.object({
    incident_id: z.int(),
    state: z.string(),
    service: z.string(),
    title: z.string(),
    resolved_by: z.string().nullable(),
  }),
);
export type ListedIncident = z.output<typeof incidentsSchema>[number];

const reportSchema = z.object({
  state: z.string(),
  resolved_by: z.string().nullable(),
  diagnosed_by: z.string().nullable(),
  actions: z.array(z.object({ action: z.string(), state: z.string(), at: z.string() })),
  timeline: z.array(z.object({ type: z.string(), text: z.string() })),
});
export type ShownIncident = z.output<typeof reportSchema>;

interface WatchOptions {
  services: NonNullable<ConfigInput['services']>;
  more?: Partial<ConfigInput>;
  environment?: Record<string, string>;
  /** Put before the command: how to get to where it should run. */
  through?: readonly string[];
  /** Where it keeps configuration and state, as it sees it itself. Default: the folder of the bench. */
  folder?: string;
  /** The same folder as this process sees it. */
  folderHere?: string;
}

/** `nightshift watch` in mode act, and what it says of its incidents. */
export interface Watch {
  running: Running;
  incidents(): Promise<ListedIncident[]>;
  show(id: number): Promise<ShownIncident>;
  /** Another one over the same state, after this one has ended. */
  again(): Promise<Watch>;
}

const PROGRAM = packageFile('bin', 'nightshift.js');
const READY_MS = 60_000;

/** Starts `nightshift watch` on these services with short intervals, and returns after its first report without a failing check. */
export async function startWatch(bench: Bench, options: WatchOptions): Promise<Watch> {
  const here = options.folderHere ?? bench.folder;
  const there = options.folder ?? bench.folder;
  const { writeFile } = await import('node:fs/promises');
  const config = {
    ...{ name: 'lab', mode: 'act', every: '1s', state: join(there, 'state') },
    ...options.more,
    services: options.services,
  } satisfies ConfigInput;
  await writeFile(join(here, 'nightshift.yaml'), stringify(config));
  return launch(bench, options, join(there, 'nightshift.yaml'), 1);
}

async function launch(bench: Bench, options: WatchOptions, file: string, attempt: number): Promise<Watch> {
  const command = (...words: string[]): [string, ...string[]] => {
    const [first = process.execPath, ...rest] = [...(options.through ?? []), process.execPath];
    return [first, ...rest, PROGRAM, ...words, '--config', file];
  };
  const { environment = {} } = options;
  const running = await bench.start(`watch-${attempt}`, command('watch', '--json'), { environment });
  await bench.until('the first report of nightshift watch', READY_MS, async () => {
    if (running.exited())
      throw new Error(`nightshift watch ended: ${(await readFile(running.logFile, 'utf8')).slice(-600)}`);
    return (await readFile(running.logFile, 'utf8')).includes('"type":"report"');
  });
  const ask = async (...words: string[]): Promise<unknown> =>
    JSON.parse((await bench.run(command(...words, '--json'), { environment })).stdout);
  return {
    running,
    incidents: async () => incidentsSchema.parse(await ask('incidents')),
    show: async (id) => reportSchema.parse(await ask('show', String(id))),
    again: () => launch(bench, options, file, attempt + 1),
  };
}

/** The one incident about a service; throws when there are several. Null while there is none. */
export async function incidentOf(watch: Watch, service: string): Promise<ListedIncident | null> {
  const all = await watch.incidents();
  if (all.length > 1)
    throw new Error(`one fault, ${all.length} incidents: ${all.map(({ title }) => title).join('; ')}`);
  const [only] = all;
  if (only && only.service !== service) throw new Error(`the incident is about ${only.service}, not ${service}`);
  return only ?? null;
}
