import { chownSync, lchownSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { Host } from '../../src/hosts/host.ts';
import { createLocalHost } from '../../src/hosts/local.ts';
import { createSshHost } from '../../src/hosts/ssh.ts';
import { installFakeSsh } from './fake-ssh.ts';

const STRANGER = 4711;
const isRoot = process.getuid?.() === 0;

/** Only root can make a link that belongs to somebody else, so elsewhere there is nothing to try. */
describe.runIf(isRoot).each<[string, () => Host]>([
  ['local', () => createLocalHost(systemClock)],
  ['ssh', () => createSshHost({ name: 'pc', destination: 'somewhere' }, systemClock)],
])('a link that another user put where we read or write (%s)', (_, make) => {
  let folder = '';
  let ssh: ReturnType<typeof installFakeSsh>;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nightshift-links-'));
    ssh = installFakeSsh();
    writeFileSync(join(folder, 'private'), 'only ours', { mode: 0o600 });
  });
  afterEach(() => {
    ssh.dispose();
    rmSync(folder, { recursive: true });
  });
  const linkOf = (owner: number, target = 'private') => {
    symlinkSync(join(folder, target), join(folder, 'app.log'));
    lchownSync(join(folder, 'app.log'), owner, owner);
    return join(folder, 'app.log');
  };

  it('a log that became a link to a private file is not read', async () => {
    const read = await make().readFile(linkOf(STRANGER));
    expect(read).toMatchObject({ ok: false, error: expect.stringContaining('not followed') });
  });

  it('a watched file that became a link to a private file is not kept as a good copy', async () => {
    expect(await make().readBytes(linkOf(STRANGER))).toMatchObject({ ok: false });
  });

  it('a pid file or a backup that became a link does not overwrite what it leads to', async () => {
    expect(await make().writeFile(linkOf(STRANGER), '1234\n')).toMatchObject({ ok: false });
    expect(readFileSync(join(folder, 'private'), 'utf8')).toBe('only ours');
  });

  it('nor does it make a file where there is none yet', async () => {
    expect(await make().writeFile(linkOf(STRANGER, 'authorized_keys'), 'x')).toMatchObject({ ok: false });
  });

  it('a link of our own, and one to what belongs to its maker, are followed', async () => {
    const own = linkOf(0);
    expect(await make().readFile(own)).toMatchObject({ ok: true, value: { text: 'only ours' } });
    rmSync(own);
    chownSync(join(folder, 'private'), STRANGER, STRANGER);
    const theirs = linkOf(STRANGER);
    expect(await make().readFile(theirs)).toMatchObject({ ok: true });
    expect(await make().writeFile(theirs, 'new')).toMatchObject({ ok: true });
  });
});
