import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';

/** A configuration as a person would write it, loaded the way the product loads it. Throws with its problems. */
export function configOf(yaml: string): Config {
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-config-'));
  try {
    const file = join(folder, 'nightshift.yaml');
    writeFileSync(file, yaml);
    const loaded = loadConfig(file, { environment: {}, home: folder, platform: 'linux' });
    if (!loaded.ok) throw new Error(loaded.problems.map((problem) => problem.message).join('\n'));
    return loaded.config;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
