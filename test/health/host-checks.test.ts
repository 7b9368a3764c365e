import { spawn } from 'node:child_process';
import { appendFile, rename, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { success } from '../../src/base/outcome.ts';
import { limit } from '../../src/config/checks.ts';
import type { CheckResult } from '../../src/health/check.ts';
import { parseInodes, parseSpace } from '../../src/health/df.ts';
import { parseMeminfo, parseProcessTicks, parseProcStat, parseVmStat } from '../../src/health/machine.ts';
import { parseProcesses, treeOf } from '../../src/health/processes.ts';
import type { Manager, ServiceStatus } from '../../src/services/manager.ts';
import {
  checkOf,
  handClock,
  localHost,
  measure,
  memoryHistory,
  scriptedHost,
  serviceOf,
  temporaryFolder,
} from './support.ts';

const status = (more: Partial<ServiceStatus>): ServiceStatus => ({
  state: 'running',
  mainPid: null,
  since: null,
  exitCode: null,
  exitSignal: null,
  restarts: null,
  outOfMemory: false,
  stoppedOnPurpose: null,
  health: null,
  summary: 'running',
  ...more,
});
const managerOf = (more: Partial<ServiceStatus>): Manager => {
  const never = () => Promise.reject(new Error('a check never acts'));
  return {
    kind: 'process',
    status: async () => success(status(more)),
    start: never,
    stop: never,
    restart: never,
    reload: never,
    logs: async () => success([]),
  };
};

/** A real process that sleeps, with a text in its command line. */
function sleeper(marker: string): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', marker], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child.pid ?? 0;
}

describe('process', () => {
  test('counts real processes, sees stopped ones, and never itself', async () => {
    const marker = `marker-${Math.random()}`;
    const pid = sleeper(marker);
    const check = (more = {}) =>
      measure(checkOf('process', { process: { match: marker }, ...more }, { withinMs: 5000 }));
    expect(await check()).toMatchObject({ verdict: 'ok', value: 1, facts: { pid, count: 1 } });
    expect(await check({ min: 2 })).toMatchObject({ verdict: 'critical', reason: 'too-few' });
    expect(await check({ max: 0, min: 0 })).toMatchObject({ verdict: 'critical', reason: 'too-many' });
    process.kill(pid, 'SIGSTOP');
    expect(await check()).toMatchObject({ verdict: 'critical', reason: 'paused' });
    const none = await measure(checkOf('process', { process: { match: `${marker}-none` } }, { withinMs: 5000 }));
    expect(none).toMatchObject({ verdict: 'critical', reason: 'absent', value: 0 });
  });

  test.each([
    [{ state: 'running', mainPid: 7 } as const, 'ok', undefined],
    [{ state: 'failed', summary: 'exit code 78', exitCode: 78 } as const, 'critical', 'failed'],
    [{ state: 'paused' } as const, 'critical', 'paused'],
    [{ state: 'starting' } as const, 'critical', 'starting'],
    [{ state: 'stopped', stoppedOnPurpose: true } as const, 'critical', 'stopped'],
    [{ state: 'failed', outOfMemory: true } as const, 'critical', 'out-of-memory'],
    [{ state: 'unknown' } as const, 'unknown', 'status-unknown'],
  ])('main: %j', async (more, verdict, reason) => {
    const result = await measure(checkOf('process', { process: 'main' }), { manager: managerOf(more) });
    expect([result.verdict, result.reason]).toEqual([verdict, reason]);
  });

  test('without a manager, or with one that cannot say, it is unknown', async () => {
    const check = checkOf('process', { process: 'main' });
    expect(await measure(check)).toMatchObject({ verdict: 'unknown', reason: 'no-manager' });
    const away: Manager = { ...managerOf({}), status: async () => ({ ok: false, error: 'pc: host unreachable' }) };
    expect(await measure(check, { manager: away })).toMatchObject({ verdict: 'unknown', reason: 'host-unreachable' });
  });

  test('the ps of macOS and commas in numbers are read; a tree holds all descendants', () => {
    const text =
      '    1     0 Ss    9000   0,1 /sbin/launchd\n  501     1 S+   20480  12.5 node server.js --port 80\n  502   501 T     1024   0.0 worker one\n  600     1 Z        0   0.0 (gone)\n   9     1 R 10 0.0 ps -A -ww -o pid= -o ppid=\n';
    const processes = parseProcesses(text);
    expect(processes.map(({ pid, state }) => [pid, state])).toEqual([
      [1, 'S'],
      [501, 'S'],
      [502, 'T'],
      [600, 'Z'],
    ]);
    expect(processes[0]).toMatchObject({ rssBytes: 9000 * 1024, cpuPercent: 0.1, command: '/sbin/launchd' });
    expect(
      treeOf([...processes].reverse(), 501)
        .map(({ pid }) => pid)
        .sort(),
    ).toEqual([501, 502]);
  });
});

describe('unit', () => {
  const show = (text: string, more = {}) =>
    scriptedHost((argv) => (argv[0] === 'systemctl' ? { stdout: text, ...more } : undefined));
  const check = checkOf('unit', { unit: 'api.service' });
  test.each([
    [
      'LoadState=loaded\nActiveState=active\nSubState=running\nResult=success\nNRestarts=0\nMainPID=77\n',
      'ok',
      undefined,
    ],
    ['LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=oom-kill\nNRestarts=3\n', 'critical', 'failed'],
    [
      'LoadState=loaded\nActiveState=activating\nSubState=auto-restart\nResult=exit-code\nNRestarts=9\n',
      'critical',
      'restarting',
    ],
    ['LoadState=loaded\nActiveState=activating\nSubState=start-pre\nResult=success\n', 'critical', 'starting'],
    ['LoadState=loaded\nActiveState=inactive\nSubState=dead\nResult=success\n', 'critical', 'inactive'],
    ['LoadState=not-found\nActiveState=inactive\nSubState=dead\n', 'critical', 'not-found'],
    ['', 'unknown', 'look-failed'],
  ])('%j', async (text, verdict, reason) => {
    const result = await measure(check, { host: show(text) });
    expect([result.verdict, result.reason]).toEqual([verdict, reason]);
  });
  test('no systemd there, or a host that is away, is unknown', async () => {
    expect(await measure(check, { host: show('', { failure: 'not-found', exitCode: null }) })).toMatchObject({
      verdict: 'unknown',
      reason: 'program-missing',
    });
    const off = { exitCode: 1, stderr: 'System has not been booted with systemd as init system' };
    expect(await measure(check, { host: show('', off) })).toMatchObject({ verdict: 'unknown', reason: 'look-failed' });
    expect(await measure(check, { host: show('', { failure: 'unreachable', exitCode: null }) })).toMatchObject({
      verdict: 'unknown',
      reason: 'host-unreachable',
    });
  });
});

describe('container', () => {
  const check = checkOf('container', { container: 'web' });
  const inspect = (more: object) => measure(check, { host: scriptedHost(() => more) });
  const state = (value: object) => inspect({ stdout: `${JSON.stringify(value)}\n` });
  test('its state and its health', async () => {
    expect(await state({ Status: 'running' })).toMatchObject({ verdict: 'ok', facts: { health: null } });
    expect(await state({ Status: 'running', Health: { Status: 'healthy' } })).toMatchObject({
      verdict: 'ok',
      summary: 'running, healthy',
    });
    const ill = await state({
      Status: 'running',
      Health: { Status: 'unhealthy', Log: [{ Output: 'old' }, { Output: 'curl: (7)\n' }] },
    });
    expect(ill).toMatchObject({
      verdict: 'critical',
      reason: 'unhealthy',
      summary: 'running, but unhealthy: curl: (7)',
    });
    expect(await state({ Status: 'running', Health: { Status: 'starting' } })).toMatchObject({
      verdict: 'unknown',
      reason: 'starting',
    });
    expect(await state({ Status: 'exited', ExitCode: 1 })).toMatchObject({
      verdict: 'critical',
      reason: 'exited',
      summary: 'exited, exit code 1',
    });
    expect(await state({ Status: 'exited', ExitCode: 137, OOMKilled: true })).toMatchObject({
      reason: 'out-of-memory',
    });
    expect(await state({ Status: 'paused' })).toMatchObject({ reason: 'paused' });
  });
  test('not there, or not to be seen', async () => {
    expect(await inspect({ exitCode: 1, stderr: 'Error response from daemon: No such container: web' })).toMatchObject({
      verdict: 'critical',
      reason: 'absent',
    });
    expect(
      await inspect({ exitCode: 1, stderr: 'permission denied while trying to connect to the Docker daemon socket' }),
    ).toMatchObject({ verdict: 'unknown', reason: 'not-permitted' });
    expect(await inspect({ exitCode: 1, stderr: 'Cannot connect to the Docker daemon' })).toMatchObject({
      verdict: 'unknown',
      reason: 'look-failed',
    });
    expect(await inspect({ stdout: 'not json' })).toMatchObject({ verdict: 'unknown', reason: 'look-failed' });
  });
});

describe('disk', () => {
  const df = (blocks: string, nodes: string) =>
    scriptedHost((argv) => (argv[1] === '-Pk' ? { stdout: blocks } : { stdout: nodes }));
  const blocks = (used: number, free: number) =>
    `Filesystem     1024-blocks      Used Available Capacity Mounted on\n/dev/sda1 ${used + free} ${used} ${free} ${Math.ceil((used / (used + free)) * 100)}% /srv/my data\n`;
  const nodes = (used: number, free: number | '-') =>
    `Filesystem      Inodes  IUsed   IFree IUse% Mounted on\n/dev/sda1 ${used} ${used} ${free} ${free === '-' ? '-' : '5%'} /srv/my data\n`;

  test('this machine is measured for real', async () => {
    const result = await measure(checkOf('disk', { disk: '/', warn: '100%', critical: '100%' }, { withinMs: 5000 }));
    expect(result.verdict).toBe('ok');
    expect(result.facts?.used_percent).toBe(result.value);
    expect(result.facts?.free_bytes).toBeGreaterThan(0);
    const absent = await measure(checkOf('disk', { disk: '/no/such/folder' }, { withinMs: 5000 }));
    expect(absent).toMatchObject({ verdict: 'critical', reason: 'absent' });
  });

  test('space and inodes are both held against the limits', async () => {
    const check = checkOf('disk', { disk: '/srv/my data', warn: '80%', critical: '90%' });
    const at = (used: number, inodes: number) =>
      measure(check, { host: df(blocks(used, 100 - used), nodes(inodes, 100 - inodes)) });
    expect(await at(50, 10)).toMatchObject({
      verdict: 'ok',
      value: 50,
      facts: { mount: '/srv/my data', device: '/dev/sda1', inodes_used_percent: 10 },
    });
    expect(await at(85, 10)).toMatchObject({ verdict: 'warn', reason: 'space' });
    expect(await at(95, 99)).toMatchObject({ verdict: 'critical', reason: 'space' });
    expect(await at(50, 95)).toMatchObject({ verdict: 'critical', reason: 'inodes' });
    expect(await at(85, 95)).toMatchObject({ verdict: 'critical', reason: 'inodes' });
    const own = checkOf('disk', { disk: '/', critical: '90%', inodes: { critical: '99%' } });
    expect(await measure(own, { host: df(blocks(50, 50), nodes(95, 5)) })).toMatchObject({ verdict: 'ok' });
  });

  test('a limit in bytes speaks of free space, and a file system without inodes is fine', async () => {
    const check = checkOf('disk', { disk: '/', warn: '< 2GB', critical: '< 1GB' });
    const gigabyte = 1024 ** 2;
    expect(await measure(check, { host: df(blocks(90 * gigabyte, 3 * gigabyte), nodes(0, 0)) })).toMatchObject({
      verdict: 'ok',
    });
    expect(await measure(check, { host: df(blocks(1, gigabyte * 1.5), nodes(0, '-')) })).toMatchObject({
      verdict: 'warn',
      facts: { inodes_used_percent: null },
    });
  });

  test('without limits it is worth a word at 80 %', async () => {
    const check = checkOf('disk', { disk: '/' });
    expect(await measure(check, { host: df(blocks(81, 19), nodes(1, 99)) })).toMatchObject({ verdict: 'warn' });
  });

  test('what macOS prints', () => {
    const text =
      'Filesystem 1024-blocks      Used Available Capacity iused      ifree %iused  Mounted on\nmap auto_home 488245288 100000000 300000000    25% 500000 1500000   25%   /System/Volumes/Data\n';
    expect(parseInodes(text, 'darwin')).toBe(25);
    expect(
      parseSpace(
        'Filesystem 1024-blocks Used Available Capacity Mounted on\nmap auto_home 400 100 300 25% /Volumes/Big Disk\n',
      ),
    ).toMatchObject({ device: 'map auto_home', mount: '/Volumes/Big Disk', usedPercent: 25 });
  });
});

describe('memory and cpu', () => {
  const meminfo = (available: number) =>
    `MemTotal: 1000 kB\nMemFree: 5 kB\nMemAvailable: ${available} kB\nSwapTotal: 100 kB\nSwapFree: 75 kB\n`;
  const machine = (available: number) =>
    scriptedHost((argv) => (argv[1] === '/proc/meminfo' ? { stdout: meminfo(available) } : undefined));

  test('the machine, in percent or in bytes', async () => {
    const check = checkOf('memory', { memory: 'machine', warn: '80%', critical: '90%' });
    expect(await measure(check, { host: machine(500) })).toMatchObject({
      verdict: 'ok',
      value: 50,
      unit: '%',
      facts: { swap_used_percent: 25 },
    });
    expect(await measure(check, { host: machine(50) })).toMatchObject({ verdict: 'critical', reason: 'over-limit' });
    const bytes = checkOf('memory', { memory: 'machine', warn: '300kB', critical: '2GB' });
    expect(await measure(bytes, { host: machine(500) })).toMatchObject({
      verdict: 'warn',
      value: 500 * 1024,
      unit: 'bytes',
    });
  });

  test('a service: its main process and all below it, for real', async () => {
    const pid = sleeper(`memory-${Math.random()}`);
    const manager = managerOf({ mainPid: pid });
    const check = checkOf('memory', { memory: 'service', critical: '1kB' }, { withinMs: 5000 });
    const result = await measure(check, { manager });
    if ((await localHost.platform()) === 'linux') {
      expect(result).toMatchObject({ verdict: 'critical', unit: 'bytes', facts: { pid, processes: 1 } });
      expect(result.value).toBeGreaterThan(1_000_000);
    }
    const gone = managerOf({ state: 'failed', summary: 'exit code 1' });
    expect(await measure(check, { manager: gone })).toMatchObject({ verdict: 'unknown', reason: 'not-running' });
  });

  test('cpu of the machine: since the last time, or over a moment', async () => {
    const readings = [
      'cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1\ncpu1 1\n',
      'cpu  150 0 150 900 0 0 0 0 0 0\ncpu0 1\ncpu1 1\n',
      'cpu  240 0 150 910 0 0 0 0 0 0\ncpu0 1\ncpu1 1\n',
      'cpu  1 0 1 8 0 0 0 0 0 0\ncpu0 1\ncpu1 1\n',
      'cpu  2 0 1 17 0 0 0 0 0 0\ncpu0 1\ncpu1 1\n',
    ];
    const host = scriptedHost(() => ({ stdout: readings.shift() ?? '' }));
    const history = memoryHistory();
    const check = checkOf('cpu', { cpu: 'machine', critical: '85%' });
    expect(await measure(check, { host, history })).toMatchObject({ verdict: 'ok', value: 50, facts: { cores: 2 } });
    expect(await measure(check, { host, history })).toMatchObject({ verdict: 'critical', value: 90 });
    // After a reboot the counters are smaller than before: two new readings.
    expect(await measure(check, { host, history })).toMatchObject({ value: 10 });
  });

  test('load per core, on Linux and on macOS', async () => {
    const linux = scriptedHost((argv) => ({
      stdout: argv[1] === '/proc/loadavg' ? '3.00 2.00 1.00 1/100 1\n' : 'cpu  1 0 1 1\ncpu0 1\ncpu1 1\n',
    }));
    const check = checkOf('cpu', { cpu: 'load', warn: 1 });
    expect(await measure(check, { host: linux })).toMatchObject({
      verdict: 'warn',
      value: 1.5,
      facts: { load_1: 3, load_15: 1 },
    });
    const mac = scriptedHost((argv) => ({ stdout: argv[2] === 'vm.loadavg' ? '{ 3,00 2,00 1,00 }\n' : '8\n' }), {
      platform: async () => 'darwin',
    });
    expect(await measure(check, { host: mac })).toMatchObject({ verdict: 'ok', value: 0.38 });
  });

  test('a busy service is seen', async () => {
    if ((await localHost.platform()) !== 'linux') return;
    const child = spawn(process.execPath, ['-e', 'const end = Date.now() + 5000; while (Date.now() < end);'], {
      stdio: 'ignore',
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const check = checkOf('cpu', { cpu: 'service', critical: '5%' }, { withinMs: 5000 });
    const result = await measure(check, { manager: managerOf({ mainPid: child.pid ?? 0 }) });
    expect(result).toMatchObject({ verdict: 'critical', unit: '%' });
  });

  test('what the kernels print', () => {
    expect(parseMeminfo('MemTotal: 4 kB\n')).toBeNull();
    const vm =
      'Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages free:   10.\nPages active: 99.\nPages inactive: 20.\nPages speculative: 5.\n';
    expect(parseVmStat(vm, 1_000_000)).toMatchObject({ availableBytes: 35 * 16_384 });
    expect(parseVmStat('garbage', 1)).toBeNull();
    expect(parseProcStat('nothing')).toBeNull();
    const odd = '42 (na) me) S 1 42 42 0 -1 4194304 1 0 0 0 250 50 0 0 20 0 1 0 5';
    expect(parseProcessTicks(`${odd}\n`)).toEqual(new Map([[42, 300]]));
  });
});

describe('command', () => {
  const node = (code: string, more = {}) =>
    checkOf('command', { command: [process.execPath, '-e', code], ...more }, { withinMs: 4000 });
  test('its exit code, and the number it prints', async () => {
    expect(await measure(node('console.log("fine")'))).toMatchObject({
      verdict: 'ok',
      summary: 'exit code 0: fine',
      facts: { exit_code: 0 },
    });
    expect(await measure(node('process.exit(3)'))).toMatchObject({ verdict: 'critical', reason: 'exit-3' });
    expect(await measure(node('process.exit(3)', { exit_code: 3 }))).toMatchObject({ verdict: 'ok' });
    expect(await measure(node('console.log("queue 12")', { critical: 10 }))).toMatchObject({
      verdict: 'critical',
      value: 12,
      reason: 'over-limit',
    });
    expect(await measure(node('console.log("none")', { critical: 10 }))).toMatchObject({
      verdict: 'critical',
      reason: 'no-number',
    });
  });
  test('one that does not end is a failure; one that is not there cannot be measured', async () => {
    const slow = checkOf(
      'command',
      { command: [process.execPath, '-e', 'setInterval(() => {}, 9)'] },
      { withinMs: 300 },
    );
    expect(await measure(slow)).toMatchObject({ verdict: 'critical', reason: 'timed-out' });
    const missing = checkOf('command', { command: ['no-such-program-here'] });
    expect(await measure(missing)).toMatchObject({ verdict: 'unknown', reason: 'program-missing' });
  });
  test('runs where its service lives', async () => {
    const directory = await temporaryFolder();
    const check = node('console.log(process.cwd().length, process.env.WHERE)');
    const result = await measure(check, { service: serviceOf({ directory, environment: { WHERE: 'here' } }) });
    expect(result.facts?.output).toMatch(/^\d+ here$/);
  });
});

describe('heartbeat and file size', () => {
  test('a file, also behind a link', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'beat');
    const check = checkOf('heartbeat', { heartbeat: path, warn: '1m', critical: '10m' });
    expect(await measure(check)).toMatchObject({ verdict: 'critical', reason: 'absent' });
    await writeFile(join(folder, 'real'), 'x'.repeat(2000));
    await symlink('real', path);
    expect(await measure(check)).toMatchObject({ verdict: 'ok', unit: 's' });
    const age = async (seconds: number) => {
      const at = Date.now() / 1000 - seconds;
      await utimes(join(folder, 'real'), at, at);
      return measure(check);
    };
    expect(await age(300)).toMatchObject({ verdict: 'warn', reason: 'too-old' });
    expect(await age(3000)).toMatchObject({ verdict: 'critical', reason: 'too-old' });
    expect(await age(-3000)).toMatchObject({ verdict: 'ok', value: 0 });
    const size = (more: object) => measure(checkOf('file_size', { file_size: path, ...more }));
    expect(await size({ warn: '1kB', critical: '2kB' })).toMatchObject({ verdict: 'warn', value: 2000, unit: 'bytes' });
    expect(await size({ critical: '1kB' })).toMatchObject({ verdict: 'critical', reason: 'over-limit' });
    expect(await measure(checkOf('file_size', { file_size: join(folder, 'none') }))).toMatchObject({
      verdict: 'ok',
      value: 0,
    });
    expect(await measure(checkOf('file_size', { file_size: folder }))).toMatchObject({
      verdict: 'critical',
      reason: 'not-a-file',
    });
  });

  test('a far file is as old as the far clock says', async () => {
    const host = {
      ...scriptedHost((argv) => (argv[0] === 'date' ? { stdout: '5000\n' } : undefined)),
      kind: 'ssh' as const,
    };
    host.fileFacts = async (path) =>
      success({ path, kind: 'file', sizeBytes: 1, modifiedAt: 4_990_000, mode: 0, owner: 0, group: 0, inode: 1 });
    expect(await measure(checkOf('heartbeat', { heartbeat: '/far/beat' }), { host })).toMatchObject({
      verdict: 'ok',
      value: 10,
    });
  });

  test('a ping that came, one that is late, and one that never came', async () => {
    const clock = handClock();
    const check = checkOf('heartbeat', { heartbeat: 'backup', critical: '1h' });
    const heard = (ago: number) =>
      memoryHistory({ lastPing: (name) => (name === 'backup' ? clock.now() - ago : null) });
    expect(await measure(check, { clock, history: heard(60_000) })).toMatchObject({ verdict: 'ok', value: 60 });
    expect(await measure(check, { clock, history: heard(7_200_000) })).toMatchObject({
      verdict: 'critical',
      reason: 'too-old',
    });
    const history = memoryHistory();
    expect(await measure(check, { clock, history })).toMatchObject({ verdict: 'unknown', reason: 'never-heard' });
    clock.set(clock.now() + 3_700_000);
    expect(await measure(check, { clock, history })).toMatchObject({ verdict: 'critical', reason: 'never-heard' });
  });
});

describe('log rate', () => {
  async function watched(more: object = {}) {
    const path = join(await temporaryFolder(), 'api.log');
    const clock = handClock();
    const history = memoryHistory();
    const check = checkOf('log_rate', { log_rate: 'ERROR', file: path, critical: 5, ...more });
    const next = (milliseconds: number): Promise<CheckResult> => {
      clock.set(clock.now() + milliseconds);
      return measure(check, { clock, history });
    };
    return { path, next };
  }

  test('counts only what is new, per minute, whole lines only', async () => {
    const { path, next } = await watched();
    await writeFile(path, 'ERROR old\n'.repeat(100));
    expect(await next(0)).toMatchObject({ verdict: 'ok', value: 0, summary: 'counting from now on' });
    await appendFile(path, 'ERROR a\nfine\nERROR b\nERR');
    expect(await next(60_000)).toMatchObject({ verdict: 'ok', value: 2, facts: { matches: 2, example: 'ERROR a' } });
    await appendFile(path, 'OR c\n');
    expect(await next(120_000)).toMatchObject({ value: 0.5, facts: { example: 'ERROR c' } });
    await appendFile(path, 'ERROR\n'.repeat(20));
    expect(await next(60_000)).toMatchObject({ verdict: 'critical', value: 20, reason: 'over-limit' });
    expect(await next(60_000)).toMatchObject({ verdict: 'ok', value: 0 });
  });

  test('follows rotation, also what was written just before it, and truncation', async () => {
    const { path, next } = await watched();
    await writeFile(path, 'start\n');
    await next(0);
    await appendFile(path, 'ERROR before\n');
    await rename(path, `${path}.1`);
    await writeFile(path, 'ERROR after\nERROR after\n');
    expect(await next(60_000)).toMatchObject({ value: 3 });
    await truncate(path, 0);
    await appendFile(path, 'ERROR x\n');
    expect(await next(60_000)).toMatchObject({ value: 1 });
  });

  test('a log that appears later is read from its beginning', async () => {
    const { path, next } = await watched();
    expect(await next(0)).toMatchObject({ verdict: 'ok' });
    await writeFile(path, 'ERROR first\n');
    expect(await next(60_000)).toMatchObject({ value: 1 });
  });

  test('NUL bytes, broken text, no newline at all, and a flood', async () => {
    const { path, next } = await watched({ critical: 1_000_000_000 });
    await writeFile(path, '');
    await next(0);
    await appendFile(path, Buffer.from([0, 255, 254, 10, 69, 82, 82, 79, 82, 0, 10]));
    expect(await next(60_000)).toMatchObject({ value: 1 });
    await appendFile(path, `ERROR ${'x'.repeat(100_000)}`);
    expect(await next(60_000)).toMatchObject({ value: 1 });
    await appendFile(path, `\n${'ERROR flood\n'.repeat(500_000)}`);
    const flood = await next(60_000);
    expect(flood.summary).toContain('estimated');
    expect(Math.abs((flood.value ?? 0) - 500_000)).toBeLessThan(1000);
  });

  test('a pattern that runs away is ended, and one that is none is told', async () => {
    const { path, next } = await watched({ log_rate: '^(a+)+$' });
    await writeFile(path, '');
    await next(0);
    await appendFile(path, `${'a'.repeat(60)}b\n`);
    const result = await next(60_000);
    expect(result).toMatchObject({ verdict: 'unknown', reason: 'pattern-too-slow' });
    expect(result.durationMs).toBeLessThan(2000);
    const broken = await watched({ log_rate: '(' });
    await writeFile(broken.path, 'x\n');
    await broken.next(0);
    await appendFile(broken.path, 'y\n');
    expect(await broken.next(1000)).toMatchObject({ verdict: 'unknown', reason: 'bad-pattern' });
  });

  test('without a file the manager is asked for what is new', async () => {
    const clock = handClock();
    const history = memoryHistory();
    const windows: unknown[] = [];
    const manager: Manager = {
      ...managerOf({}),
      logs: async (window) => {
        windows.push(window);
        return success([{ text: 'error one\nfine\nERROR two\n', source: 'journald', truncated: false }]);
      },
    };
    const check = checkOf('log_rate', { log_rate: '(?i)error', warn: 1 });
    const start = clock.now();
    expect(await measure(check, { clock, history, manager })).toMatchObject({ verdict: 'ok', value: 0 });
    clock.set(start + 60_000);
    expect(await measure(check, { clock, history, manager })).toMatchObject({ verdict: 'warn', value: 2 });
    expect(windows).toEqual([{ since: start, until: start + 60_000 }]);
    expect(await measure(check, { clock, history })).toMatchObject({ verdict: 'unknown', reason: 'no-log' });
  });
});

describe('metric', () => {
  const HOUR = 3_600_000;
  const clock = handClock();
  const change = { over: '1h', warn: limit.parse('< -5'), critical: limit.parse('< -20') };
  const revenue = (value: number, samples: { ago: number; value: number }[]) => {
    const check = checkOf('metric', { metric: { check: 'shop/revenue' } });
    const settings = { ...check.settings, change: { ...change, over: HOUR } };
    const history = memoryHistory({
      samples: (_check, since) =>
        samples.map(({ ago, value: past }) => ({ at: clock.now() - ago, value: past })).filter(({ at }) => at >= since),
    });
    const latest = (): CheckResult => ({
      check: 'shop/revenue',
      service: 'shop',
      kind: 'command',
      verdict: 'ok',
      summary: '',
      value,
      at: 0,
      durationMs: 0,
    });
    return measure({ ...check, settings }, { clock, history, latest });
  };

  test('against its own past', async () => {
    const dropped = await revenue(750, [
      { ago: 2 * HOUR, value: 10 },
      { ago: HOUR - 5000, value: 1000 },
      { ago: 1000, value: 760 },
    ]);
    expect(dropped).toMatchObject({
      verdict: 'critical',
      reason: 'dropped',
      facts: { change_percent: -25, past_value: 1000 },
    });
    expect(dropped.summary).toBe('750, -25 % against 1000 60 min ago (limit: < -20)');
    expect(await revenue(900, [{ ago: HOUR, value: 1000 }])).toMatchObject({ verdict: 'warn' });
    expect(await revenue(1200, [{ ago: HOUR, value: 1000 }])).toMatchObject({
      verdict: 'ok',
      facts: { change_percent: 20 },
    });
  });

  test('with too short a past, or a zero there, it is ok and says so', async () => {
    const young = await revenue(5, [{ ago: 60_000, value: 1000 }]);
    expect(young).toMatchObject({ verdict: 'ok' });
    expect(young.summary).toContain('no value from 60 min ago yet');
    expect((await revenue(5, [{ ago: HOUR, value: 0 }])).summary).toContain('it was 0');
  });

  test('from a command or another check; what gives no number is unknown', async () => {
    const command = (code: string) =>
      measure(
        checkOf('metric', { metric: { command: [process.execPath, '-e', code] }, critical: '< 3' }, { withinMs: 4000 }),
      );
    expect(await command('console.log(2)')).toMatchObject({ verdict: 'critical', value: 2, reason: 'under-limit' });
    expect(await command('console.log("x")')).toMatchObject({ verdict: 'unknown', reason: 'no-number' });
    expect(await command('process.exit(4)')).toMatchObject({ verdict: 'unknown', reason: 'exit-4' });
    expect(await measure(checkOf('metric', { metric: { check: 'shop/none' } }))).toMatchObject({
      verdict: 'unknown',
      reason: 'no-data',
    });
  });
});
