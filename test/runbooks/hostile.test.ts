import { chmodSync, chownSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compileExpression } from '../../src/runbooks/expression.ts';
import { loadRunbooks } from '../../src/runbooks/load.ts';
import { configOf } from '../support/config.ts';

describe('a log line that a stranger wrote against a careless pattern', () => {
  it('does not hold Nightshift up: the symptom is unknown', { timeout: 5000 }, async () => {
    const compiled = await compileExpression('log_error matches "^(a+)+$"');
    if (!compiled.ok) throw new Error(compiled.error);
    expect(compiled.value.evaluate({ log_error: `${'a'.repeat(40)}!` })).toBe('unknown');
    expect(compiled.value.evaluate({ log_error: 'aaa' })).toBe(true);
  });
});

describe('a runbook that a stranger may write', () => {
  const written = async (change: (file: string) => void) => {
    const file = join(mkdtempSync(join(tmpdir(), 'nightshift-runbook-')), 'mine.yaml');
    writeFileSync(
      file,
      'common_issues:\n  - name: down\n    symptoms: ["reason == \\"refused\\""]\n    auto_resolve: [{ restart: "{service}" }]\n',
    );
    chmodSync(file, 0o644);
    change(file);
    return loadRunbooks({ paths: [file], config: configOf('services: {}\n'), shippedFolder: null });
  };

  it('is left out, and said so', async () => {
    const loaded = await written((file) => chmodSync(file, 0o666));
    expect(loaded.runbooks).toEqual([]);
    expect(loaded.problems[0]?.message).toContain('every user of this machine may write it');
    expect((await written(() => undefined)).runbooks).toHaveLength(1);
  });

  it.runIf(process.getuid?.() === 0)('also when it merely belongs to another user', async () => {
    const loaded = await written((file) => chownSync(file, 4711, 4711));
    expect(loaded.runbooks).toEqual([]);
  });
});
