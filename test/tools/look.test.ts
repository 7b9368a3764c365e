import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type Server } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cpuUsage } from '../../tools/look/cpu-usage.ts';
import { diskUsage } from '../../tools/look/disk-usage.ts';
import { dnsLookup } from '../../tools/look/dns-lookup.ts';
import { kernelMessages } from '../../tools/look/kernel-messages.ts';
import { listPorts } from '../../tools/look/list-ports.ts';
import { listProcesses } from '../../tools/look/list-processes.ts';
import { memoryUsage } from '../../tools/look/memory-usage.ts';
import { openFiles } from '../../tools/look/open-files.ts';
import { postgresState } from '../../tools/look/postgres-state.ts';
import { probeEndpoint } from '../../tools/look/probe-endpoint.ts';
import { readLogs } from '../../tools/look/read-logs.ts';
import { recentChanges } from '../../tools/look/recent-changes.ts';
import { redisState } from '../../tools/look/redis-state.ts';
import { serviceFiles } from '../../tools/look/service-files.ts';
import { serviceStatus } from '../../tools/look/service-status.ts';
import { call, copiesOf, freePort, LISTENER, recordedHost, startProgram, temporaryFolder, world } from './world.ts';

const linux = process.platform === 'linux';

async function listening(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

const http = (port: number, path = '/health') => `
  api: { manager: process, start: [node, api.js], checks: [{ http: "http://127.0.0.1:${port}${path}" }] }
`;

describe('service_status', () => {
  test('says what runs, what the checks find and how what it needs fares', async () => {
    const port = await freePort();
    const pid = await startProgram(LISTENER, 'status-test', String(port));
    const { context } = world({
      services: `
  api: { manager: process, match: "status-test ${port}", depends_on: [cache] }
  cache: { manager: process, match: "no-such-process-${port}" }
`,
      results: [
        {
          check: 'cache/tcp',
          service: 'cache',
          kind: 'tcp',
          verdict: 'critical',
          summary: 'connection refused',
          at: 0,
          durationMs: 1,
        },
      ],
    });
    const api = await call(serviceStatus, { service: 'api' }, context);
    expect(api.details.services[0]).toMatchObject({ state: 'running', mainPid: pid });
    expect(api.content).toContain('it needs: cache (critical: connection refused)');
    const all = await call(serviceStatus, {}, context);
    expect(all.details.services.map(({ service, state }) => `${service} ${state}`)).toEqual(
      expect.arrayContaining(['api running', 'cache stopped']),
    );
  });
});

describe('read_logs', () => {
  const lines = Array.from(
    { length: 100 },
    (_, index) => `line ${index} ${index % 2 ? 'ERROR (a+)+$ [x' : 'fine'}`,
  ).join('\n');
  const setup = (more = {}) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'api.log'), `${lines}\n`);
    return world({
      folder,
      services: '  api: { manager: process, start: [node, api.js], logs: DIR/api.log }\n',
      ...more,
    }).context;
  };

  test('the newest lines, and how many there were', async () => {
    const result = await call(readLogs, { service: 'api' }, setup());
    expect(result.details).toMatchObject({ lines: 100, matching: 100 });
    expect(result.content).toContain('line 99');
    expect(result.content).not.toContain('line 39 ');
  });

  test('a filter is a plain text, also when it looks like a pattern or an option', async () => {
    expect((await call(readLogs, { service: 'api', contains: '(A+)+$ [X' }, setup())).details.matching).toBe(50);
    const none = await call(readLogs, { service: 'api', contains: '--help' }, setup());
    expect(none).toMatchObject({ ok: true, details: { matching: 0 } });
    expect(none.content).toContain('No line contains');
  });

  test('many lines are condensed by what is handed in', async () => {
    const context = setup({
      condense: (text: string) => ({ text: `condensed ${text.split('\n').length}`, lines: 100, patterns: 2 }),
    });
    expect((await call(readLogs, { service: 'api' }, context)).content).toContain(
      '100 lines -> 2 patterns\ncondensed 100',
    );
  });

  test('a dozen lines stand as they are, more are told together', async () => {
    const folder = temporaryFolder();
    const { context } = world({
      folder,
      services: '  api: { manager: process, start: [node, api.js], logs: DIR/api.log }\n',
      condense: () => ({ text: 'told together', lines: 13, patterns: 1 }),
    });
    const log = join(folder, 'api.log');
    writeFileSync(log, 'once\n'.repeat(12));
    expect((await call(readLogs, { service: 'api' }, context)).content).not.toContain('told together');
    appendFileSync(log, 'once\n');
    expect((await call(readLogs, { service: 'api' }, context)).content).toContain(
      '13 lines -> 1 pattern\ntold together',
    );
  });

  test('a log that is not there is a value that says so', async () => {
    const { context } = world({ services: '  api: { manager: process, start: [node, api.js], logs: DIR/none.log }\n' });
    const result = await call(readLogs, { service: 'api' }, context);
    expect(result.ok).toBe(false);
    expect(result.content).toMatch(/none\.log/);
  });
});

describe('processes and ports', () => {
  test('a stopped process of a service is shown as such, with an id and without its secrets', async () => {
    const port = await freePort();
    const secret = `x${Math.random().toString(36).slice(2)}`;
    const pid = await startProgram(LISTENER, '--password', secret, `stopped-${port}`, String(port));
    process.kill(pid, 'SIGSTOP');
    const { context } = world({ services: `  api: { manager: process, match: "stopped-${port}" }\n` });
    const result = await call(listProcesses, { service: 'api' }, context);
    expect(result.content).toContain('STOPPED by a signal');
    expect(result.content).not.toContain(secret);
    expect(result.details.processes).toMatchObject([{ id: 'pid-1', pid, state: 'T' }]);
    expect(context.handles.recall('process', 'pid-1')?.value).toMatchObject({ pid });
  });

  test('one process is found by its pid or by a plain text, with its user; one that ended is not', async () => {
    const text = `(found+${process.pid}) [x`;
    const secret = `x${Math.random().toString(36).slice(2)}`;
    const pid = await startProgram(`console.log('up'); setInterval(() => {}, 1000)`, text, '--password', secret);
    const { context } = world({ services: http(1) });
    const find = async (contains: string) => (await call(listProcesses, { contains }, context)).details.processes;
    expect(await find(text.toUpperCase())).toMatchObject([{ pid, user: userInfo().username }]);
    expect((await find(String(pid))).map((each) => each.pid)).toContain(pid);
    expect(await find(secret)).toEqual([]);
    const gone = await call(listProcesses, { contains: 'no such process anywhere' }, context);
    expect(gone).toMatchObject({ ok: true, details: { processes: [] } });
    expect(gone.content).toContain('0 of them with pid or text "no such process anywhere"');
  });

  test('a busy process stands first, measured now', async () => {
    const pid = await startProgram(`console.log('up'); for (;;);`, 'busy-loop');
    const { context } = world({ services: http(1) });
    const result = await call(listProcesses, { by: 'cpu', count: 5 }, context);
    expect(result.details.processes.find((each) => each.pid === pid)?.cpuPercent ?? 0).toBeGreaterThan(20);
  });

  test('a port that another process holds is told from one that is free and from its own', async () => {
    const [taken, own, free] = [await freePort(), await freePort(), await freePort()];
    const stray = await startProgram(LISTENER, 'stray', String(taken));
    await startProgram(LISTENER, `owned-${own}`, String(own));
    const { context } = world({
      services: `
  api: { manager: process, match: "never-${taken}", checks: [{ tcp: "127.0.0.1:${taken}" }] }
  web: { manager: process, match: "owned-${own}", checks: [{ tcp: "127.0.0.1:${own}" }] }
  idle: { manager: process, match: "idle-${free}", checks: [{ tcp: "127.0.0.1:${free}" }] }
`,
    });
    const api = await call(listPorts, { service: 'api' }, context);
    expect(api.details.takenByOthers).toEqual([taken]);
    expect(api.details.listening).toMatchObject([{ port: taken, pid: stray, id: 'pid-1' }]);
    expect(api.content).toContain('its port is held by another');
    expect((await call(listPorts, { service: 'web' }, context)).details).toMatchObject({
      takenByOthers: [],
      nobodyListens: [],
    });
    expect((await call(listPorts, { service: 'idle' }, context)).details.nobodyListens).toEqual([free]);
  });

  test('without ps, ss and lsof each says what is missing', async () => {
    const { context } = world({ services: http(1), host: recordedHost('linux', {}) });
    for (const result of [await call(listProcesses, {}, context), await call(listPorts, {}, context)]) {
      expect(result.ok).toBe(false);
      expect(result.content).toMatch(/not-found|install/);
    }
  });
});

describe('probe_endpoint', () => {
  const probe = async (port: number, check = `http: "http://127.0.0.1:${port}/health"`) => {
    const { context } = world({
      services: `  api: { manager: process, start: [node, api.js], checks: [{ ${check}, name: it }] }\n`,
    });
    return call(probeEndpoint, { endpoint: 'api/it', timeout_seconds: 1 }, context);
  };

  test('a status, with what it says', async () => {
    const port = await listening(createHttpServer((_, response) => response.writeHead(502).end('no upstream')));
    const result = await probe(port);
    expect(result.details).toMatchObject({ failure: null, status: 502 });
    expect(result.content).toContain('no upstream');
  });

  test('refused, hung and closed are three things', async () => {
    expect((await probe(await freePort())).details.failure).toBe('refused');
    const hung = await probe(await listening(createServer(() => undefined)));
    expect(hung.details).toMatchObject({ failure: 'no-answer', steps: [{ step: 'connect' }] });
    expect(hung.content).toContain('hangs or is overloaded');
    expect((await probe(await listening(createServer((socket) => socket.destroy())))).details.failure).toBe('reset');
  });

  test('an answer without TLS, and a name nobody knows', async () => {
    const port = await listening(createHttpServer((_, response) => response.end()));
    const tls = await probe(port, `http: "https://127.0.0.1:${port}/"`);
    expect(tls.details.failure).not.toBeNull();
    expect(tls.details.steps.map(({ step }) => step)).toEqual(['connect']);
    expect((await probe(1, 'http: "http://nowhere.invalid:81/"')).details.failure).toBe('dns');
  });

  test('a Redis that accepts connections and one that also answers', async () => {
    const answering = await listening(createServer((socket) => socket.on('data', () => socket.write('+PONG\r\n'))));
    expect((await probe(answering, `redis: "redis://127.0.0.1:${answering}"`)).details.failure).toBeNull();
    const silent = await listening(createServer(() => undefined));
    expect((await probe(silent, `redis: "redis://127.0.0.1:${silent}"`)).details.failure).toBe('no-answer');
  });

  test('a body that never ends does not hold it up', async () => {
    const port = await listening(createHttpServer((_, response) => response.writeHead(200).write('x')));
    expect((await probe(port)).details.status).toBe(200);
  });
});

describe('disk_usage', () => {
  test('finds what is big, says which tool may act on it, and finds deleted files that are still open', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'cache'));
    const bytes = Buffer.alloc(8 * 1024 * 1024, 7);
    writeFileSync(join(folder, 'api.log'), bytes);
    writeFileSync(join(folder, 'cache', 'big'), bytes);
    const deleted = join(folder, 'gone');
    const descriptor = openSync(deleted, 'w');
    onTestFinished(() => closeSync(descriptor));
    writeSync(descriptor, bytes);
    unlinkSync(deleted);
    const { context } = world({
      folder,
      services:
        '  api: { manager: process, start: [node, api.js], directory: DIR, logs: DIR/api.log, rotate: {}, clear: [DIR/cache] }\n',
      // With a small disk in front, the threshold for "big" fits the test.
      host: smallDisk(folder),
    });
    const result = await call(diskUsage, { below: folder }, context);
    const paths = result.details.largest.map(({ path }) => path);
    expect(paths).toEqual(expect.arrayContaining([join(folder, 'api.log'), join(folder, 'cache', 'big')]));
    expect(paths).not.toContain(join(folder, 'cache'));
    expect(result.content).toMatch(/api\.log {2}\(rotate_log of api/);
    expect(result.content).toMatch(/cache\/big {2}\(clear_directory of api/);
    if (linux)
      expect(result.details.deletedButOpen).toContainEqual({ path: deleted, pid: process.pid, bytes: bytes.length });
  });

  test('where nothing is big it says so', async () => {
    const folder = temporaryFolder();
    const { context } = world({
      folder,
      services: '  api: { manager: process, start: [node, api.js], directory: DIR }\n',
      host: smallDisk(folder),
    });
    const result = await call(diskUsage, { below: folder }, context);
    expect(result.details.largest).toEqual([]);
    expect(result.content).toMatch(new RegExp(`nothing below ${folder} that takes [0-9.]+ .?B or more was seen`));
    expect(result.content).not.toContain('largest below');
  });

  test('a place outside of the list cannot be named', () => {
    const { context, config } = world({ services: http(1) });
    expect(diskUsage.input(context.scope, config).safeParse({ below: '/etc/shadow' }).success).toBe(false);
  });
});

/** The real host, but its df says that the folder is a disk of its own, almost full. */
function smallDisk(folder: string) {
  const { context } = world({ services: http(1) });
  const real = context.host('local');
  return {
    ...real,
    run: async (request: Parameters<typeof real.run>[0]) => {
      if (request.argv[0] !== 'df' || request.argv[1] !== '-Pk') return real.run(request);
      const stdout = `Filesystem 1024-blocks Used Available Capacity Mounted on\nlab 20480 19000 1480 93% ${folder}\n`;
      return { argv: request.argv, exitCode: 0, signal: null, stdout, stderr: '', durationMs: 1, truncated: false };
    },
  };
}

describe('machine', () => {
  test.skipIf(!linux)('memory: of the machine and of a service', async () => {
    const port = await freePort();
    await startProgram(LISTENER, `memory-${port}`, String(port));
    const { context } = world({ services: `  api: { manager: process, match: "memory-${port}" }\n` });
    const result = await call(memoryUsage, { service: 'api' }, context);
    expect(result.details.usedPercent).toBeGreaterThan(0);
    expect(result.details.service?.rssBytes).toBeGreaterThan(10_000_000);
  });

  test.skipIf(!linux)('CPU: who is busy now', async () => {
    const pid = await startProgram(`console.log('up'); for (;;);`, 'cpu-loop');
    const { context } = world({ services: http(1) });
    const result = await call(cpuUsage, {}, context);
    expect(result.details.busyPercent).toBeGreaterThan(5);
    expect(result.details.top.map((each) => each.pid)).toContain(pid);
  });

  test.skipIf(!linux)('open files: at the limit it says what that means', async () => {
    const code = `const fs = require('node:fs'); const open = []; try { for (;;) open.push(fs.openSync(process.argv.at(-1))); } catch (error) { console.log(error.code); } setInterval(() => {}, 1000);`;
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'leaked'), 'x');
    // prlimit is part of util-linux; a shell's ulimit does the same everywhere.
    const child = spawn(
      'sh',
      [
        '-c',
        `ulimit -n 64; exec "$0" -e "$1" -- leaky-${process.pid} "$2"`,
        process.execPath,
        code,
        join(folder, 'leaked'),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    const { context } = world({ folder, services: `  api: { manager: process, match: "leaky-${process.pid}" }\n` });
    const result = await call(openFiles, { service: 'api' }, context);
    expect(result.details.limit).toBe(64);
    expect(result.content).toContain('it is at its limit');
    expect(result.content).toContain('times the same file');
  });

  test('macOS: memory, CPU and kernel messages from what its programs print', async () => {
    const host = recordedHost('darwin', {
      vm_stat:
        'Mach Virtual Memory Statistics: (page size of 16384 bytes)\nPages free:                  100000.\nPages active: 1.\nPages inactive:              200000.\nPages speculative:            12144.\n',
      'sysctl -n hw.memsize': '17179869184\n',
      'sysctl -n hw.ncpu': '8\n{ 2.10 2.31 2.40 }\n',
      'top -l 2 -s 1 -n 0': 'CPU usage: 5.0% user, 5.0% sys, 90.0% idle\n',
      'top -l 2 -s 1 -o cpu': 'PID    %CPU\n412    44.2\n',
      'ps -axww': '  412     1   501 S    01:02:03  123456   3.4 /usr/local/bin/redis-server *:6379\n',
      'log show': '2026-11-21 03:00:01.123 Df kernel[0:1a2] memorystatus: killing_top_process pid 501 [node]\n',
    });
    const { context } = world({ services: http(1), host });
    expect((await call(memoryUsage, {}, context)).details).toMatchObject({ usedPercent: 70.2, top: [{ pid: 412 }] });
    expect((await call(cpuUsage, {}, context)).details).toMatchObject({
      busyPercent: 10,
      cores: 8,
      top: [{ pid: 412, cpuPercent: 44.2 }],
    });
    expect((await call(kernelMessages, {}, context)).details.messages).toMatchObject([{ kind: 'oom' }]);
  });

  test('kernel messages that may not be read: what was tried, and what else tells', async () => {
    const { context } = world({ services: http(1), host: recordedHost('linux', {}) });
    const result = await call(kernelMessages, {}, context);
    expect(result.ok).toBe(false);
    expect(result.content).toMatch(/dmesg.*journalctl/s);
  });

  test('a name of the inventory is looked up', async () => {
    const { context } = world({
      services:
        '  api: { manager: process, start: [node, api.js], checks: [{ http: "http://localhost:81/" }, { http: "http://nowhere.invalid:81/", name: other }] }\n',
    });
    expect((await call(dnsLookup, { name: 'localhost' }, context)).details.addresses.length).toBeGreaterThan(0);
    expect((await call(dnsLookup, { name: 'nowhere.invalid' }, context)).ok).toBe(false);
  });
});

describe('recent_changes', () => {
  test('a changed file with its difference, and no secret in it', async () => {
    const folder = temporaryFolder();
    const secret = `s${Math.random().toString(36).slice(2)}`;
    const path = join(folder, '.env');
    writeFileSync(path, `PORT=8081\nDB_PASSWORD=${secret}\nMODE=live\n`);
    mkdirSync(join(folder, 'releases', 'v1'), { recursive: true });
    mkdirSync(join(folder, 'releases', 'v2'));
    symlinkSync('releases/v2', join(folder, 'current'));
    const copies = copiesOf({
      [path]: [{ at: Date.now() - 60_000, content: `PORT=8080\nDB_PASSWORD=old-${secret}\nMODE=live\n` }],
    });
    const services =
      '  api: { manager: process, start: [node, api.js], files: [DIR/.env, DIR/gone.json, DIR/new.json], releases: { directory: DIR/releases, current: DIR/current } }\n';
    writeFileSync(join(folder, 'new.json'), '{}');
    const { context } = world({ folder, services, copies });
    const result = await call(recentChanges, { service: 'api' }, context);
    expect(result.content).toContain('-PORT=8080');
    expect(result.content).toContain('+PORT=8081');
    expect(result.content).toContain('+DB_PASSWORD=[hidden]');
    expect(result.content).not.toContain(secret);
    expect(result.details.files.map(({ state }) => state)).toEqual(['changed', 'missing', 'no-copy']);
    expect(result.details.release).toMatchObject({ current: 'v2', previous: 'v1' });
    expect(result.content).toContain('release-1');
    writeFileSync(path, `PORT=8080\nDB_PASSWORD=old-${secret}\nMODE=live\n`);
    appendFileSync(join(folder, 'new.json'), ' ');
    expect((await call(recentChanges, { service: 'api' }, context)).details.files[0]?.state).toBe('unchanged');
  });
});

describe('service_files', () => {
  test('who runs it, who owns what, and where it may not write', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'uploads'));
    writeFileSync(join(folder, '.env'), 'A=1');
    chmodSync(join(folder, '.env'), 0o640);
    chmodSync(join(folder, 'uploads'), 0o555);
    const pid = await startProgram(`console.log('up'); setInterval(() => {}, 1000)`, `files-${process.pid}`);
    const { context } = world({
      folder,
      services: `  api: { manager: process, match: "files-${process.pid}", directory: DIR, files: [DIR/.env], logs: DIR/none.log }\n`,
    });
    const { username, uid } = userInfo();
    const result = await call(serviceFiles, { service: 'api' }, context);
    expect(result.content).toMatch(new RegExp(`^api runs as ${username}`));
    expect(result.content).toMatch(
      new RegExp(`-rw-r----- ${username}:\\S+ +3 B +changed .* ago +${folder}/\\.env$`, 'm'),
    );
    expect(result.details.missing).toEqual([join(folder, 'none.log')]);
    const uploads = result.details.paths.find(({ path }) => path === join(folder, 'uploads'));
    expect(uploads).toMatchObject({ kind: 'directory', owner: username, mode: '555', writable: uid === 0 });
    expect(result.content.includes('uploads  (it may not write here)')).toBe(uid !== 0);
    expect(result.details.paths.filter(({ path }) => path === join(folder, '.env'))).toHaveLength(1);

    process.kill(pid, 'SIGKILL');
    await expect
      .poll(async () => (await call(serviceFiles, { service: 'api' }, context)).content)
      .toContain('so who it runs as is not known');
  });

  test('is not offered where the inventory names no path', () => {
    const { context, config } = world({ services: http(1) });
    expect(serviceFiles.applies?.(context.scope, config)).toBe(false);
  });
});

describe('databases that do not answer', () => {
  const services = (redis: number, postgres = 1) => `
  cache: { manager: process, start: [redis-server], checks: [{ redis: "redis://127.0.0.1:${redis}" }] }
  db: { manager: process, start: [postgres], checks: [{ postgres: "postgres://app@127.0.0.1:${postgres}/app" }] }
`;
  test('refused', async () => {
    const { context } = world({ services: services(await freePort(), await freePort()) });
    for (const result of [
      await call(redisState, { service: 'cache' }, context),
      await call(postgresState, { service: 'db' }, context),
    ]) {
      expect(result.ok).toBe(false);
      expect(result.content).toMatch(/nobody listens there/);
    }
  });

  test('a secret that is not there', async () => {
    const { context } = world({
      services: `  cache: { manager: process, start: [redis-server], checks: [{ redis: "redis://127.0.0.1:1", password: "file:/nowhere/secret" }] }\n`,
    });
    const result = await call(redisState, { service: 'cache' }, context);
    expect(result).toMatchObject({ ok: false });
    expect(result.content).toContain('its password is not there');
  });

  test('a Redis that cannot write to its disk', async () => {
    const replies: Record<string, string> = {
      INFO: bulk(
        'redis_version:7.0.15\r\nrole:master\r\nuptime_in_seconds:60\r\nused_memory:1048576\r\nmaxmemory:0\r\nconnected_clients:3\r\nblocked_clients:0\r\nrejected_connections:0\r\nevicted_keys:0\r\nrdb_last_bgsave_status:err\r\nrdb_last_save_time:1\r\nrdb_changes_since_last_save:9\r\naof_enabled:0\r\ninstantaneous_ops_per_sec:0\r\n',
      ),
      SLOWLOG: ':2\r\n',
      CONFIG: `*2\r\n${bulk('dir')}${bulk('/data/redis')}`,
    };
    const port = await listening(
      createServer((socket) =>
        socket.on('data', (data) => {
          const word = /\r\n([A-Z]+)\r\n/i.exec(data.toString())?.[1]?.toUpperCase() ?? '';
          socket.write(replies[word] ?? '+OK\r\n');
        }),
      ),
    );
    const { context } = world({ services: services(port) });
    const result = await call(redisState, { service: 'cache' }, context);
    expect(result.content).toContain('MISCONF');
    expect(result.content).toContain('/data/redis');
    expect(result.details).toMatchObject({ slowCommands: 2, info: { rdb_last_bgsave_status: 'err' } });
  });
});

describe('redis_state of a replica', () => {
  test('whose it is, and that it refuses writes', async () => {
    const info =
      'redis_version:7.0.15\r\nrole:slave\r\nmaster_host:10.0.0.9\r\nmaster_port:6380\r\nmaster_link_status:down\r\nslave_read_only:1\r\n';
    const port = await listening(
      createServer((socket) =>
        socket.on('data', (data) => socket.write(/\r\nINFO\r\n/i.test(data.toString()) ? bulk(info) : '+OK\r\n')),
      ),
    );
    const { context } = world({
      services: `  cache: { manager: process, start: [redis-server], checks: [{ redis: "redis://127.0.0.1:${port}" }] }\n`,
    });
    const result = await call(redisState, { service: 'cache' }, context);
    expect(result.content).toContain('REPLICA of 10.0.0.9:6380, link down: it refuses writes (READONLY)');
    expect(result.details.info).toMatchObject({ master_host: '10.0.0.9' });
  });
});

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
