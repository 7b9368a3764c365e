import {
  lstatSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { Outcome } from '../../src/base/outcome.ts';
import type { Host } from '../../src/hosts/host.ts';
import { createLocalHost } from '../../src/hosts/local.ts';
import { createSshHost } from '../../src/hosts/ssh.ts';
import { installFakeSsh } from './fake-ssh.ts';

function unwrap<Value>(outcome: Outcome<Value>): Value {
  if (!outcome.ok) throw new Error(outcome.error);
  return outcome.value;
}

const errorOf = (outcome: Outcome<unknown>): string => (outcome.ok ? 'no error' : outcome.error);

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function eventually(what: () => boolean, milliseconds = 5000): Promise<boolean> {
  const until = Date.now() + milliseconds;
  while (!what() && Date.now() < until) await systemClock.sleep(20);
  return what();
}

const makers: [string, () => Host][] = [
  ['local', () => createLocalHost(systemClock)],
  ['ssh', () => createSshHost({ name: 'pc', destination: 'pc' }, systemClock)],
];

describe.each(makers)('a %s host', (kind, make) => {
  let fake: ReturnType<typeof installFakeSsh>;
  let host: Host;
  let folder: string;
  beforeAll(() => {
    fake = installFakeSsh();
    host = make();
    folder = mkdtempSync(join(tmpdir(), 'host-'));
  });
  afterAll(() => {
    fake.dispose();
    rmSync(folder, { recursive: true, force: true });
  });
  let count = 0;
  let place: string;
  beforeEach(() => {
    count += 1;
    place = join(folder, `-a 'file' $HOME\nno ${count}`);
  });

  describe('runs programs', () => {
    it('with arguments that reach them as they stand', async () => {
      const words = ["it's", '$HOME', '`id`', 'a\nb', '--', '', '*', 'ü'];
      const result = await host.run({ argv: ['printf', '%s|', ...words] });
      expect(result).toMatchObject({ exitCode: 0, stderr: '', truncated: false });
      expect(result.stdout).toBe(`${words.join('|')}|`);
      expect(result.failure).toBeUndefined();
    });

    it('and gives a non-zero exit code as data, 255 too', async () => {
      for (const code of [3, 127, 255]) {
        const result = await host.run({ argv: ['sh', '-c', `echo out; echo err >&2; exit ${code}`] });
        expect(result).toMatchObject({ exitCode: code, stdout: 'out\n', stderr: 'err\n' });
        expect(result.failure).toBeUndefined();
      }
    });

    it('and names the signal that ended one', async () => {
      expect((await host.run({ argv: ['sh', '-c', 'kill -9 $$'] })).signal).toBe('SIGKILL');
    });

    it('with input, directory and environment, and nothing else of ours', async () => {
      process.env.NIGHTSHIFT_TEST_KEY = 'must not be seen';
      const result = await host.run({
        argv: ['sh', '-c', 'cat; pwd -P; echo "$A|$LC_ALL|$NIGHTSHIFT_TEST_KEY"'],
        input: 'given\n',
        directory: '/usr',
        environment: { A: "b 'c'" },
      });
      delete process.env.NIGHTSHIFT_TEST_KEY;
      expect(result.stdout).toBe("given\n/usr\nb 'c'|C|\n");
    });

    it('and survives one that does not read its input', async () => {
      expect((await host.run({ argv: ['true'], input: 'x'.repeat(1_000_000) })).exitCode).toBe(0);
    });

    it('and says so when there is no such program, directory or permission', async () => {
      expect(await host.run({ argv: ['no-such-program'] })).toMatchObject({ failure: 'not-found', exitCode: null });
      expect((await host.run({ argv: ['/no/such/program'] })).failure).toBe('not-found');
      expect((await host.run({ argv: ['/etc/passwd'] })).failure).toBe('not-permitted');
      const nowhere = await host.run({ argv: ['true'], directory: '/no/such/place' });
      expect(nowhere.failure).toBe('could-not-start');
      expect(nowhere.stderr).toContain('/no/such/place');
      expect((await host.run({ argv: ['true', 'a\0b'] })).failure).toBe('could-not-start');
    });

    it('and ends all of the group at the time limit, also what ignores SIGTERM', async () => {
      const pids = join(folder, `pids-${kind}`);
      const script = `trap '' TERM; (trap '' TERM; echo $$ >>${pids}; sh -c 'echo $$ >>${pids}; exec sleep 50' ) & echo begun; sleep 50; sleep 50`;
      const result = await host.run({ argv: ['sh', '-c', script], timeoutMs: 500 });
      expect(result).toMatchObject({ failure: 'timed-out', exitCode: null, stdout: 'begun\n' });
      const started = readFileSync(pids, 'utf8').trim().split('\n').map(Number);
      expect(started).toHaveLength(2);
      expect(await eventually(() => !started.some(isAlive))).toBe(true);
    });

    it('and ends them when it is cancelled', async () => {
      const pids = join(folder, `cancelled-${kind}`);
      const controller = new AbortController();
      const running = host.run({
        argv: ['sh', '-c', `echo $$ >${pids}.part; mv ${pids}.part ${pids}; exec sleep 50`],
        signal: controller.signal,
      });
      expect(await eventually(() => lstatSync(pids, { throwIfNoEntry: false }) !== undefined)).toBe(true);
      controller.abort();
      expect((await running).failure).toBe('cancelled');
      const pid = Number(readFileSync(pids, 'utf8'));
      expect(await eventually(() => !isAlive(pid))).toBe(true);
      expect((await host.run({ argv: ['true'], signal: controller.signal })).failure).toBe('cancelled');
    });

    it('and keeps the end of an output that is too large, in whole characters', async () => {
      const script = 'i=0; while [ $i -lt 20000 ]; do echo éééééééééé; i=$((i+1)); done; echo end';
      const result = await host.run({ argv: ['sh', '-c', script], maxBytes: 1000 });
      expect(result.truncated).toBe(true);
      expect(Buffer.byteLength(result.stdout)).toBeLessThanOrEqual(1000);
      expect(result.stdout).toMatch(/^é*\n[é\n]+end\n$/);
    });
  });

  describe('keeps files', () => {
    it('byte by byte', async () => {
      const bytes = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7) % 256);
      unwrap(await host.writeFile(place, bytes, { mode: 0o640 }));
      expect(Buffer.compare(readFileSync(place), bytes)).toBe(0);
      expect(Buffer.compare(unwrap(await host.readBytes(place)), bytes)).toBe(0);
      expect(statSync(place).mode & 0o777).toBe(0o640);
      expect(errorOf(await host.readBytes(place, { maxBytes: 199_999 }))).toContain('200000 bytes');
      unwrap(await host.writeFile(place, ''));
      expect(unwrap(await host.readBytes(place))).toHaveLength(0);
    });

    it('and the mode of what it replaces, leaving nothing else behind', async () => {
      const own = mkdtempSync(join(folder, 'own-'));
      const file = join(own, 'settings');
      writeFileSync(file, 'old', { mode: 0o604 });
      const before = statSync(file).ino;
      unwrap(await host.writeFile(file, 'new'));
      expect(readFileSync(file, 'utf8')).toBe('new');
      expect(statSync(file).mode & 0o777).toBe(0o604);
      expect(statSync(file).ino).not.toBe(before);
      expect(unwrap(await host.list(own)).map((entry) => entry.path)).toEqual([file]);
    });

    it('and writes through a link into its target', async () => {
      writeFileSync(place, 'old');
      const link = `${place} link`;
      symlinkSync(place, link);
      unwrap(await host.writeFile(link, 'new'));
      expect(readlinkSync(link)).toBe(place);
      expect(readFileSync(place, 'utf8')).toBe('new');
      symlinkSync(`${place} later`, `${place} dangling`);
      unwrap(await host.writeFile(`${place} dangling`, 'made'));
      expect(readFileSync(`${place} later`, 'utf8')).toBe('made');
    });

    it('and never replaces a directory, nor writes where there is none', async () => {
      expect(errorOf(await host.writeFile(folder, 'x'))).toContain('not a file');
      expect((await host.writeFile('/no/such/place/file', 'x')).ok).toBe(false);
    });

    it('and reads a part of one', async () => {
      writeFileSync(place, '0123456789');
      expect(unwrap(await host.readFile(place))).toEqual({
        text: '0123456789',
        sizeBytes: 10,
        from: 0,
        truncated: false,
      });
      expect(unwrap(await host.readFile(place, { fromEnd: true, maxBytes: 3 }))).toMatchObject({
        text: '789',
        from: 7,
        truncated: true,
      });
      expect(unwrap(await host.readFile(place, { from: 2, maxBytes: 3 }))).toMatchObject({
        text: '234',
        from: 2,
        truncated: true,
      });
      expect(unwrap(await host.readFile(place, { from: 50 })).text).toBe('');
      writeFileSync(place, 'aéz');
      expect(unwrap(await host.readFile(place, { fromEnd: true, maxBytes: 2 }))).toMatchObject({ text: 'z', from: 3 });
      writeFileSync(place, Buffer.from([0x61, 0xff, 0x62]));
      expect(unwrap(await host.readFile(place)).text).toBe('a\uFFFDb');
    });

    it('and does not wait for ever for a named pipe', async () => {
      await createLocalHost(systemClock).run({ argv: ['mkfifo', place] });
      expect(errorOf(await host.readFile(place))).toContain('not a file');
      expect(errorOf(await host.readFile(folder))).toContain('not a file');
      expect(errorOf(await host.readFile('/no/such/file'))).toMatch(/no such file/i);
    });

    it('and tells facts of a path itself', async () => {
      writeFileSync(place, 'four', { mode: 0o600 });
      const facts = unwrap(await host.fileFacts(place));
      expect(facts).toMatchObject({ path: place, kind: 'file', sizeBytes: 4, mode: 0o600, inode: statSync(place).ino });
      expect(Math.abs((facts?.modifiedAt ?? 0) - Date.now())).toBeLessThan(60_000);
      expect(unwrap(await host.fileFacts(`${place} none`))).toBeNull();
      expect(unwrap(await host.fileFacts(`${place}/below`))).toBeNull();
      symlinkSync('/no/such\nplace', `${place} link`);
      expect(unwrap(await host.fileFacts(`${place} link`))).toMatchObject({ kind: 'link', target: '/no/such\nplace' });
    });

    it('and lists a directory whose names are hostile', async () => {
      const own = mkdtempSync(join(folder, 'hostile-'));
      const names = ['.hidden', '-rf', 'a\n81a4 5 1 0 0 9 passwd', "it's", 'ü'];
      for (const name of names) writeFileSync(join(own, name), name);
      symlinkSync('-rf', join(own, 'link'));
      const listed = unwrap(await host.list(own));
      expect(listed.map((entry) => entry.path).sort()).toEqual(
        [...names, 'link'].map((name) => join(own, name)).sort(),
      );
      expect(listed.find((entry) => entry.kind === 'link')?.target).toBe('-rf');
      expect((await host.list(`${own}/none`)).ok).toBe(false);
    });

    it('and moves, points and removes', async () => {
      writeFileSync(place, 'x');
      unwrap(await host.rename(place, `${place} moved`));
      expect(readFileSync(`${place} moved`, 'utf8')).toBe('x');
      expect((await host.rename(place, `${place} again`)).ok).toBe(false);
      const link = `${place} current`;
      unwrap(await host.relink(link, 'releases/1'));
      unwrap(await host.relink(link, 'releases/2'));
      expect(readlinkSync(link)).toBe('releases/2');
      symlinkSync(folder, `${place} folder`);
      unwrap(await host.relink(`${place} folder`, '/usr'));
      expect(readlinkSync(`${place} folder`)).toBe('/usr');
      expect(errorOf(await host.relink(`${place} moved`, 'x'))).toContain('not a link');
      unwrap(await host.remove(`${place} moved`));
      unwrap(await host.remove(`${place} moved`));
      unwrap(await host.remove(link));
      expect(lstatSync(link, { throwIfNoEntry: false })).toBeUndefined();
      writeFileSync(place, 'in the way');
      expect((await host.remove(folder)).ok).toBe(false);
      expect(readFileSync(place, 'utf8')).toBe('in the way');
    });
  });

  describe('starts programs that go on', () => {
    it('in a group of their own, with their output in a file', async () => {
      const log = `${place} log`;
      writeFileSync(log, 'before\n');
      const { pid } = unwrap(
        await host.start({
          argv: ['sh', '-c', 'echo "$A $1"; pwd -P; sleep 0.3; echo end >&2; exec sleep 50', 'sh', "it's"],
          directory: '/usr',
          environment: { A: 'x y' },
          logFile: log,
        }),
      );
      expect(await eventually(() => readFileSync(log, 'utf8') === "before\nx y it's\n/usr\nend\n")).toBe(true);
      expect(process.kill(-pid, 'SIGKILL')).toBe(true);
      expect(await eventually(() => !isAlive(pid))).toBe(true);
      if (kind === 'local') {
        expect(await eventually(() => host.endOf(pid) !== null)).toBe(true);
        expect(host.endOf(pid)).toMatchObject({ signal: 'SIGKILL', exitCode: null });
      }
    });

    it('and says why one cannot be started', async () => {
      expect(errorOf(await host.start({ argv: ['no-such-program'] }))).toContain('no-such-program is not installed');
      expect((await host.start({ argv: ['true'], directory: '/no/such/place' })).ok).toBe(false);
      expect((await host.start({ argv: ['true'], logFile: '/no/such/place/log' })).ok).toBe(false);
    });
  });

  it('reaches a port as it sees it, and says when nobody listens there', async () => {
    const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const bound = server.address();
    const port = typeof bound === 'object' && bound ? bound.port : 0;
    const reached = unwrap(await host.reach('0.0.0.0', port));
    const echo = () =>
      new Promise<string>((resolve, reject) => {
        const socket = connect(reached.port, reached.address, () => socket.write('hello'));
        socket.once('error', reject);
        socket.once('data', (chunk: Buffer) => {
          socket.destroy();
          resolve(chunk.toString());
        });
      });
    expect([await echo(), await echo()]).toEqual(['hello', 'hello']);
    await reached[Symbol.asyncDispose]();
    await new Promise((resolve) => server.close(resolve));
    if (kind === 'ssh') expect(errorOf(await host.reach('127.0.0.1', port))).toContain('does not accept connections');
  });
});
