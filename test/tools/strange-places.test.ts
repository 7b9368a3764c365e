import { chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { createLocalHost } from '../../src/hosts/local.ts';
import { plain } from '../../tools/shared/places.ts';

const STRANGER = 4711;

/** What `clear_directory`, `rotate_log` and `restore_file` look at before they touch anything. */
describe.runIf(process.getuid?.() === 0)('a folder on the way that its owner turned into a link', () => {
  const host = createLocalHost(systemClock);
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nightshift-places-'));
    mkdirSync(join(folder, 'victim', 'cache'), { recursive: true });
    writeFileSync(join(folder, 'victim', 'app.log'), 'x');
    symlinkSync(join(folder, 'victim'), join(folder, 'tmp'));
    lchownSync(join(folder, 'tmp'), STRANGER, STRANGER);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("does not make clear_directory empty somebody else's folder of the same name", async () => {
    expect(await plain(host, join(folder, 'tmp', 'cache'), 'directory')).toMatchObject({
      ok: false,
      error: expect.stringContaining('a link of another user'),
    });
  });

  it("does not make rotate_log or restore_file touch somebody else's file of the same name", async () => {
    expect(await plain(host, join(folder, 'tmp', 'app.log'), 'file')).toMatchObject({ ok: false });
  });

  it('a link to what belongs to its maker, such as a release, is followed', async () => {
    chownSync(join(folder, 'victim', 'cache'), STRANGER, STRANGER);
    expect(await plain(host, join(folder, 'tmp', 'cache'), 'directory')).toMatchObject({ ok: true });
  });
});
