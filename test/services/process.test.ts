import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { Service } from '../../src/config/schema.ts';
import { createLocalHost } from '../../src/hosts/local.ts';
import { createProcessManager } from '../../src/services/process.ts';
import { checkOf, errorOf, eventually, freePort, isAlive, serviceOf, unwrap } from './fixture.ts';

const SERVER = `
import { createServer } from 'node:net';
const port = Number(process.argv[2]);
console.log('ready soon');
if (process.argv[3] === 'stubborn') process.on('SIGTERM', () => console.log('no'));
if (process.argv[3] === 'reloads') process.on('SIGHUP', () => console.log('reloaded'));
createServer((socket) => socket.end('hi')).listen(port, '127.0.0.1', () => console.log('listening'));
`;

describe('a plain process', () => {
  const host = createLocalHost(systemClock);
  let folder: string;
  const children: ChildProcess[] = [];
  const pids: number[] = [];
  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'process-')));
    writeFileSync(join(folder, 'server.mjs'), SERVER);
  });
  afterEach(() => {
    for (const pid of [...pids.splice(0), ...children.splice(0).map((child) => child.pid ?? 0)]) {
      if (pid > 1 && isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const manager = (settings: Partial<Service>, drain = 2000) =>
    createProcessManager({ service: serviceOf({ manager: 'process', drain, ...settings }), host, clock: systemClock });
  const program = (port: number, how = 'plain'): [string, ...string[]] => [
    process.execPath,
    join(folder, 'server.mjs'),
    String(port),
    how,
  ];
  /** As if a person had started it. */
  const byHand = async (argv: readonly string[], directory = folder) => {
    const [command = '', ...args] = argv;
    const child = spawn(command, args, { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'] });
    children.push(child);
    await new Promise((resolve) => child.stdout?.once('data', resolve));
    return child.pid ?? 0;
  };
  const statusOf = async (of: ReturnType<typeof manager>) => unwrap(await of.status());

  it('is started, found, restarted and stopped', async () => {
    const port = await freePort();
    const logFile = join(folder, 'life.log');
    const pidFile = join(folder, 'life.pid');
    const api = manager({ start: program(port), directory: folder, logs: [logFile], pid_file: pidFile });
    expect(await statusOf(api)).toMatchObject({ state: 'stopped', mainPid: null, stoppedOnPurpose: null });
    unwrap(await api.start());
    const first = await statusOf(api);
    pids.push(first.mainPid ?? 0);
    expect(first).toMatchObject({ state: 'running', exitCode: null });
    expect(Math.abs((first.since ?? 0) - Date.now())).toBeLessThan(10_000);
    expect(readFileSync(pidFile, 'utf8')).toBe(`${first.mainPid}\n`);
    expect(errorOf(await api.start())).toContain(`already running as process ${first.mainPid}`);
    await eventually(() => readFileSync(logFile, 'utf8').includes('listening'));
    expect(unwrap(await api.logs({}))[0]?.text).toBe('ready soon\nlistening');

    unwrap(await api.restart());
    const second = await statusOf(api);
    pids.push(second.mainPid ?? 0);
    expect(second.mainPid).not.toBe(first.mainPid);
    expect(isAlive(first.mainPid ?? 0)).toBe(false);

    expect(unwrap(await api.stop())).toContain('on SIGTERM');
    expect(isAlive(second.mainPid ?? 0)).toBe(false);
    expect(existsSync(pidFile)).toBe(false);
    expect(unwrap(await api.stop())).toContain('was not running');
  });

  it('tells how one that it started has ended', async () => {
    const api = manager({ start: program(await freePort()), directory: folder });
    unwrap(await api.start());
    const { mainPid } = await statusOf(api);
    process.kill(mainPid ?? 0, 'SIGKILL');
    expect(await eventually(async () => (await statusOf(api)).state === 'failed')).toBe(true);
    expect(await statusOf(api)).toMatchObject({
      exitSignal: 'SIGKILL',
      summary: expect.stringContaining('signal SIGKILL'),
    });
  });

  it('reports a program that ends at once with what it said', async () => {
    const logFile = join(folder, 'broken.log');
    const api = manager({ start: ['sh', '-c', 'echo "no such module: left" >&2; exit 3'], logs: [logFile] });
    const error = errorOf(await api.start());
    expect(error).toContain('ended at once with exit code 3');
    expect(error).toContain('no such module: left');
    expect(errorOf(await manager({ start: ['no-such-program'] }).start())).toContain(
      'no-such-program is not installed',
    );
    expect(errorOf(await manager({}).start())).toContain('no `start:`');
  });

  it('is found by its port, whoever started it, and by nothing else that has a port', async () => {
    const port = await freePort();
    const pid = await byHand(program(port));
    const checks = [checkOf('api', { tcp: `127.0.0.1:${port}` })];
    expect(await eventually(async () => (await statusOf(manager({ checks }))).mainPid === pid)).toBe(true);
    // A worker that only checks the port of the cache it needs is not the cache.
    const worker = manager({ start: ['node', 'worker.js'], directory: '/usr', checks });
    const status = await statusOf(worker);
    expect(status).toMatchObject({ state: 'stopped', mainPid: null });
    expect(status.summary).toContain('which is not this service');
    expect(errorOf(await worker.start())).toContain(`port ${port} is held by process ${pid}`);
    expect(isAlive(pid)).toBe(true);
  });

  it('is found by its command line: not the shell around it, nor another in another directory', async () => {
    const port = await freePort();
    await byHand(['sh', '-c', `${program(port).join(' ')}; exit 0`]);
    const found = await statusOf(manager({ match: `server.mjs ${port}` }));
    expect(found.state).toBe('running');
    expect(found.summary).toContain(`(${process.execPath} `);
    pids.push(found.mainPid ?? 0);
    const elsewhere = join(folder, 'elsewhere');
    mkdirSync(elsewhere);
    expect((await statusOf(manager({ start: program(port), directory: elsewhere }))).mainPid).toBeNull();
    expect((await statusOf(manager({ start: program(port), directory: folder }))).mainPid).toBe(found.mainPid);
  });

  it('never takes itself, or what only shows the command line, for the service', async () => {
    const own = process.argv.at(-1)?.length ? 'vitest' : 'node';
    const before = await statusOf(manager({ match: own }));
    expect([process.pid, process.ppid]).not.toContain(before.mainPid);
    const log = join(folder, 'unmistakable-name.log');
    writeFileSync(log, 'x\n');
    await byHand(['tail', '-f', log]);
    expect((await statusOf(manager({ match: 'unmistakable-name.log' }))).state).toBe('stopped');
  });

  it('is not stopped when several unrelated processes fit', async () => {
    const ports = [await freePort(), await freePort()];
    const both = await Promise.all(ports.map((port) => byHand(program(port, 'several'))));
    const api = manager({ match: join(folder, 'server.mjs'), start: program(1) });
    expect((await statusOf(api)).summary).toContain('2 unrelated processes');
    expect(errorOf(await api.stop())).toContain(String(both[0]));
    expect(errorOf(await api.restart())).toContain('unrelated');
    expect(both.every(isAlive)).toBe(true);
  });

  it('gets SIGKILL only after its drain time', async () => {
    const pid = await byHand(program(await freePort(), 'stubborn'));
    const api = manager({ match: 'stubborn' }, 600);
    const began = Date.now();
    expect(unwrap(await api.stop())).toContain('on SIGKILL');
    expect(Date.now() - began).toBeGreaterThanOrEqual(600);
    expect(await eventually(() => !isAlive(pid))).toBe(true);
  });

  it('is woken when it is paused, so that it can end by itself', async () => {
    const pid = await byHand(program(await freePort(), 'paused'));
    process.kill(pid, 'SIGSTOP');
    const api = manager({ match: join(folder, 'server.mjs'), pid_file: join(folder, 'none.pid') });
    const exact = manager({ match: `${folder}/server.mjs` });
    expect(await eventually(async () => (await statusOf(exact)).state === 'paused')).toBe(true);
    expect(unwrap(await exact.stop())).toContain('on SIGTERM');
    expect((await statusOf(api)).state).toBe('stopped');
  });

  it('names the children that outlive it', async () => {
    await byHand(['sh', '-c', 'trap "exit 0" TERM; sleep 41.5 & echo; while :; do sleep 0.1; done; : outlived-parent']);
    const said = unwrap(await manager({ match: 'outlived-parent' }).stop());
    const child = /still running: (\d+) \(sleep 41.5\)/.exec(said)?.[1];
    expect(child).toBeDefined();
    pids.push(Number(child));
  });

  it('does not believe a pid file whose number now belongs to somebody else', async () => {
    const pid = await byHand(program(await freePort(), 'stranger'));
    const pidFile = join(folder, 'stale.pid');
    writeFileSync(pidFile, String(pid));
    expect((await statusOf(manager({ pid_file: pidFile }))).mainPid).toBe(pid);
    utimesSync(pidFile, Date.now() / 1000 - 3600, Date.now() / 1000 - 3600);
    const stale = await statusOf(manager({ pid_file: pidFile }));
    expect(stale.mainPid).toBeNull();
    expect(stale.summary).toContain('is older than process');
    writeFileSync(pidFile, '999999999');
    expect((await statusOf(manager({ pid_file: pidFile }))).summary).toContain('does not exist');
    writeFileSync(pidFile, 'garbage');
    expect((await statusOf(manager({ pid_file: pidFile }))).summary).toContain('no process number');
  });

  it('reloads by its signal, and says when that ended it', async () => {
    const pid = await byHand(program(await freePort(), 'reloads'));
    const api = manager({ match: ' reloads', reload_signal: 'SIGHUP' });
    expect(unwrap(await api.reload())).toContain('goes on running');
    expect(isAlive(pid)).toBe(true);
    await byHand(program(await freePort(), 'hangs-up'));
    expect(errorOf(await manager({ match: ' hangs-up', reload_signal: 'SIGHUP' }).reload())).toContain(
      'ended after SIGHUP',
    );
    expect(errorOf(await manager({ match: ' reloads' }).reload())).toContain('reload_signal');
    expect(errorOf(await manager({ match: ' reloads' }).restart())).toContain('not stopped either');
    expect(isAlive(pid)).toBe(true);
  });

  it('finds what sends itself to the background', async () => {
    const pidFile = join(folder, 'background.pid');
    const script = `sleep 42.5 & echo $! >${pidFile}; exit 0`;
    const api = manager({ start: ['sh', '-c', script], pid_file: pidFile });
    expect(unwrap(await api.start())).toContain('in the background');
    pids.push((await statusOf(api)).mainPid ?? 0);
    expect((await statusOf(api)).state).toBe('running');
  });
});
