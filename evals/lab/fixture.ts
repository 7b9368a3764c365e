import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageFile } from '../../src/base/package-root.ts';
import type { ConfigInput } from '../../src/config/schema.ts';
import type { Bench } from './bench.ts';
import { httpStatus } from './probes.ts';
import { isAlive } from './processes.ts';

type ServiceInput = NonNullable<ConfigInput['services']>[string];

/** The small HTTP service that most cases break. */
export interface Server {
  port: number;
  argv: [string, ...string[]];
  /** Pids of all its starts, one a line. */
  startsFile: string;
  healthy(): Promise<boolean>;
  /** Its latest start, if that still runs. */
  mainPid(): Promise<number | null>;
  starts(): Promise<number[]>;
}

export const fixturePath = (name: string): string => packageFile('evals', 'lab', 'fixtures', name);

/** Prepares the server of a bench without starting it. */
export async function createServer(bench: Bench, program = fixturePath('server.mjs')): Promise<Server> {
  const port = await bench.port();
  const startsFile = join(bench.folder, 'starts');
  const starts = async () => {
    const text = await readFile(startsFile, 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean).map(Number);
  };
  return {
    port,
    argv: [process.execPath, program, String(port), startsFile],
    startsFile,
    starts,
    healthy: async () => (await httpStatus(port)) === 200,
    async mainPid() {
      const last = (await starts()).at(-1);
      return last !== undefined && (await isAlive(last)) ? last : null;
    },
  };
}

/** What all services of the lab have: an HTTP check that fails after two failures, and a short hold. */
export const watched = (port: number, service: ServiceInput): ServiceInput => ({
  hold: '3s',
  drain: '2s',
  checks: [{ http: `http://127.0.0.1:${port}/`, within: '1s', every: '1s', fails: 2 }],
  ...service,
});
