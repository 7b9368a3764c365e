import { chmodSync, chownSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { strangeFolder } from '../../src/store/folder.ts';
import { openStore } from '../../src/store/open.ts';
import { takeWatchLock } from '../../src/store/watch-lock.ts';
import { manualClock, temporaryFolder } from './support.ts';

describe('a state folder into which a stranger may write', () => {
  it('is not used: approvals could be forged there', () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o1777);
    expect(openStore(folder, { clock: manualClock() })).toMatchObject({ ok: false });
    expect(existsSync(join(folder, 'nightshift.sqlite'))).toBe(false);
  });

  it('gets no lock and no pid file, which could be links there', () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o777);
    expect(takeWatchLock(folder)).toMatchObject({ ok: false });
    expect(existsSync(join(folder, 'watch.pid'))).toBe(false);
  });

  it('root may use the folder of an ordinary user, and a group may share one', () => {
    const folder = temporaryFolder();
    chmodSync(folder, 0o770);
    if (process.getuid?.() === 0) chownSync(folder, 4711, 4711);
    expect(strangeFolder(folder)).toBeNull();
  });
});
