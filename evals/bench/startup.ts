import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { packageFile } from '../../src/base/package-root.ts';
import { median } from './median.ts';

const RUNS = 15;

/** Whole-process time of `--version` and of `status` over that of an empty program, in turn, medians of 15 runs each. */
export async function benchStartup(): Promise<{ version_ratio: number; status_ratio: number; empty_ms: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-bench-'));
  try {
    const empty = join(folder, 'empty.mjs');
    const config = join(folder, 'nightshift.yaml');
    writeFileSync(empty, '');
    writeFileSync(
      config,
      'name: bench\nstate: ./state\nservices:\n  web:\n    manager: process\n    match: never-there\n    checks:\n      - tcp: 127.0.0.1:9\n        within: 300ms\n',
    );
    const program = packageFile('bin/nightshift.js');
    // The store is made first: a status that finds none would have less to do.
    spawnSync(process.execPath, [program, 'watch', '--once', '--config', config], { stdio: 'ignore', cwd: folder });
    const commands = {
      empty: [empty],
      version: [program, '--version'],
      status: [program, 'status', '--config', config],
    };
    const times: Record<keyof typeof commands, number[]> = { empty: [], version: [], status: [] };
    for (let run = -2; run < RUNS; run += 1) {
      for (const name of ['empty', 'version', 'status'] as const) {
        const started = performance.now();
        const ended = spawnSync(process.execPath, commands[name], { stdio: 'ignore', cwd: folder });
        if (ended.status === 2) throw new Error(`${commands[name].join(' ')} could not run`);
        if (run >= 0) times[name].push(performance.now() - started);
      }
    }
    const base = median(times.empty);
    return { version_ratio: median(times.version) / base, status_ratio: median(times.status) / base, empty_ms: base };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How many packages a production install brings, itself not counted: what the lock file has and does not mark as for development. */
export function countProductionPackages(): number {
  const lock = z
    .object({ packages: z.record(z.string(), z.object({ dev: z.boolean().optional() })) })
    .parse(JSON.parse(readFileSync(packageFile('package-lock.json'), 'utf8')));
  return Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && dev !== true).length;
}
