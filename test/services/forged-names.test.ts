import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { createLocalHost } from '../../src/hosts/local.ts';
import { parseSs } from '../../src/services/listeners.ts';
import { createProcessManager } from '../../src/services/process.ts';
import { vitalBecause } from '../../src/services/vital.ts';
import { errorOf, isAlive, serviceOf, unwrap } from './fixture.ts';

describe('a program that calls itself what `ss` writes', () => {
  const line = (owners: string) => `LISTEN 0 128 127.0.0.1:47123 0.0.0.0:* users:(${owners})`;

  it.each([
    // Recorded: prctl(PR_SET_NAME, 'x",pid=4242,f') on a listener of process 2596.
    ['("x",pid=4242,f",pid=2596,fd=3)'],
    ['("",pid=999,fd=3)",pid=2596,fd=3)'],
    ['("",pid=7,fd=1),("",pid=2596,fd=3)'],
  ])('does not make another process the owner of its port: %s', (owners) => {
    expect(parseSs(line(owners))).toEqual([{ address: '127.0.0.1', port: 47123, pid: null, program: null }]);
  });

  it('names with blanks and brackets are still read', () => {
    expect(parseSs(line('("next (v1)",pid=12,fd=18),("node",pid=13,fd=18)')).map(({ pid }) => pid)).toEqual([12, 13]);
  });
});

describe('a pid file that names somebody else', () => {
  let folder = '';
  let bystander: ChildProcess;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nightshift-pid-'));
    bystander = spawn('sleep', ['60'], { stdio: 'ignore' });
    writeFileSync(join(folder, 'api.pid'), `${bystander.pid}\n`);
  });
  afterEach(() => {
    bystander.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });
  const manager = () =>
    createProcessManager({
      service: serviceOf({ manager: 'process', pid_file: join(folder, 'api.pid'), start: ['sleep', '61'] }),
      host: createLocalHost(systemClock),
      clock: systemClock,
    });

  it.runIf(process.getuid?.() === 0)('written by a user who may not end that process, ends nobody', async () => {
    chownSync(join(folder, 'api.pid'), 4711, 4711);
    await manager().stop();
    expect(isAlive(bystander.pid ?? 0)).toBe(true);
    expect(unwrap(await manager().status()).summary).toContain('belongs to another user');
  });

  it('that everybody may write, ends nobody', async () => {
    chmodSync(join(folder, 'api.pid'), 0o666);
    await manager().stop();
    expect(isAlive(bystander.pid ?? 0)).toBe(true);
  });

  it('naming what the machine needs, ends nobody', async () => {
    const login = spawn('bash', ['-c', 'exec -a /usr/sbin/sshd sleep 60'], { stdio: 'ignore' });
    try {
      await systemClock.sleep(200);
      writeFileSync(join(folder, 'api.pid'), `${login.pid}\n`);
      expect(errorOf(await manager().stop())).toContain('which the machine needs');
      expect(errorOf(await manager().restart())).toContain('which the machine needs');
      expect(isAlive(login.pid ?? 0)).toBe(true);
    } finally {
      login.kill('SIGKILL');
    }
  });

  it.each([
    '/usr/sbin/sshd -D',
    'sshd: root@pts/0',
    '/lib/systemd/systemd --user',
    'node /opt/bin/nightshift.js watch',
    '[kworker/0:1]',
  ])('never: %s', (command) => {
    expect(vitalBecause({ pid: 400, parent: 1, command })).not.toBeNull();
  });
});
