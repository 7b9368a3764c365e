import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import type { ConfigProblem } from '../../src/config/problem.ts';
import type { Config } from '../../src/config/schema.ts';

/** A folder of its own for a test file, removed at the end. */
export function temporaryFolder(): { path: string; write(name: string, content: string | Uint8Array): string } {
  const path = mkdtempSync(join(tmpdir(), 'nightshift-config-'));
  afterAll(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    write(name, content) {
      const file = join(path, name);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
      return file;
    },
  };
}

export const options = { environment: {}, home: '/home/tester', platform: 'linux' };

export function problemsOf(loaded: LoadedConfig): ConfigProblem[] {
  if (loaded.ok) throw new Error('it loaded, and should not have');
  return loaded.problems;
}

export function configOf(loaded: LoadedConfig): Config {
  if (!loaded.ok) throw new Error(loaded.problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  return loaded.config;
}

export const load = (file: string): LoadedConfig => loadConfig(file, options);

let files = 0;
export const loadText = (folder: ReturnType<typeof temporaryFolder>, text: string): LoadedConfig =>
  load(folder.write(`text-${++files}.yaml`, text));
