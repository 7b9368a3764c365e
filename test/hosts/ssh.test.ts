import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { createHosts } from '../../src/hosts/create.ts';
import { createSshHost } from '../../src/hosts/ssh.ts';
import { parseFacts } from '../../src/hosts/ssh-files.ts';
import { installFakeSsh } from './fake-ssh.ts';

describe('an ssh host', () => {
  let fake: ReturnType<typeof installFakeSsh>;
  beforeEach(() => {
    fake = installFakeSsh();
  });
  afterEach(() => fake.dispose());
  const calls = () => readFileSync(join(fake.folder, 'calls'), 'utf8').trim().split('\n').length;

  it('that cannot be reached is asked once, not once for every command', async () => {
    let now = 1000;
    const host = createSshHost({ name: 'pc', destination: 'gone' }, { ...systemClock, now: () => now });
    const results = await Promise.all(Array.from({ length: 20 }, () => host.run({ argv: ['true'] })));
    for (const result of results) {
      expect(result).toMatchObject({ failure: 'unreachable', exitCode: null });
      expect(result.stderr).toContain('No route to host');
    }
    expect((await host.readFile('/etc/hosts')).ok).toBe(false);
    expect(await host.platform()).toBe('unknown');
    expect(calls()).toBe(1);
    now += 60_000;
    await host.run({ argv: ['true'] });
    expect(calls()).toBe(2);
  });

  it('that nobody vouched for is refused with what to do', async () => {
    const host = createSshHost({ name: 'pc', destination: 'stranger', port: 2222 }, systemClock);
    const result = await host.run({ argv: ['true'] });
    expect(result.failure).toBe('unreachable');
    expect(result.stderr).toContain('ssh -p 2222 stranger');
  });

  it('notices a connection that is lost without a word', async () => {
    const host = createSshHost({ name: 'pc', destination: 'pc' }, systemClock);
    await host.platform();
    const ssh = join(fake.folder, 'ssh');
    writeFileSync(ssh, readFileSync(ssh, 'utf8').replace('wait $!\n', 'sleep 0.3; exit 255\n'));
    expect(await host.run({ argv: ['sleep', '1'] })).toMatchObject({ failure: 'unreachable', exitCode: null });
  });

  it('tells a lost connection from a command that ends with 255', async () => {
    const host = createSshHost({ name: 'pc', destination: 'pc' }, systemClock);
    expect((await host.run({ argv: ['sh', '-c', 'exit 255'] })).exitCode).toBe(255);
    const drop = join(fake.folder, 'drop');
    writeFileSync(drop, '');
    const lost = await host.run({ argv: ['echo', 'x'] });
    expect(lost).toMatchObject({ failure: 'unreachable', exitCode: null });
    expect(lost.stderr).toContain('was lost');
    rmSync(drop);
    expect((await host.run({ argv: ['echo', 'x'] })).stdout).toBe('x\n');
  });

  it('replaces no file when the content does not arrive whole', async () => {
    const host = createSshHost({ name: 'pc', destination: 'pc' }, systemClock);
    const place = join(fake.folder, 'settings');
    writeFileSync(place, 'old');
    await host.platform();
    const ssh = join(fake.folder, 'ssh');
    // A far side that gets only the first bytes of what is sent.
    writeFileSync(
      ssh,
      readFileSync(ssh, 'utf8').replace('exec 3<&0', `printf new >${place}.part; exec 3<${place}.part`),
    );
    const written = await host.writeFile(place, 'new content');
    expect(written).toMatchObject({ ok: false, error: expect.stringContaining('did not arrive whole') });
    expect(readFileSync(place, 'utf8')).toBe('old');
  });

  it('reads what stat of macOS prints', () => {
    const [file, link] = parseFacts(
      'T 0100644 12 1700000000 501 20 77 /Users/a/b c\nT 0120755 3 1700000001 0 0 78 /l\n',
      'T',
    );
    expect(file).toMatchObject({ path: '/Users/a/b c', kind: 'file', mode: 0o644, sizeBytes: 12, owner: 501 });
    expect(link).toMatchObject({ path: '/l', kind: 'link', modifiedAt: 1_700_000_001_000 });
  });
});

describe('createHosts', () => {
  it('makes each host once and names the known ones for an unknown', () => {
    const hosts = createHosts({ pc: { ssh: 'pc' } }, systemClock);
    const first = hosts('pc');
    expect(first.ok && first.value.kind).toBe('ssh');
    expect(hosts('pc')).toEqual(first);
    expect(hosts('toString')).toEqual({ ok: false, error: 'there is no host "toString"; known are local, pc' });
  });
});
