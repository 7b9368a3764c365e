import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { failure, success } from '../../src/base/outcome.ts';
import type { Config } from '../../src/config/schema.ts';
import { createLocalHost } from '../../src/hosts/local.ts';
import { gatherFacts } from '../../src/runbooks/facts.ts';
import { loadRunbooks } from '../../src/runbooks/load.ts';
import { findRunbook } from '../../src/runbooks/match.ts';
import { createGoodCopies } from '../../src/services/good-copies.ts';
import type { ToolContext } from '../../tools/tool.ts';
import { configOf } from '../support/config.ts';
import { contextOf, folder, hostWith, incident, managerOf, result, status } from './support.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A program that does nothing, for as long as the test runs. */
function idle(): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  children.push(child);
  if (child.pid === undefined) throw new Error('it did not start');
  return child.pid;
}

const plain = (extra = ''): Config =>
  configOf(`
services:
  api:
    manager: process
    match: no-such-program
    starts_within: 30s
    checks:
      - http: http://127.0.0.1:8080/health
${extra}`);

const gather = (config: Config, change: Partial<ToolContext> = {}, service = 'api') =>
  gatherFacts({ incident: incident(service), context: contextOf(config, { host: () => quiet, ...change }) });

/** The real machine without the slower programs: what they say is scripted where a test is about it. */
const quiet = hostWith({ ss: () => ({}), ps: () => ({}), df: () => ({}) });

describe('facts of a process', () => {
  it('is dead whatever its manager calls it, with how it ended', async () => {
    for (const state of ['stopped', 'failed', 'absent'] as const) {
      const says = status({ state, exitSignal: 'SIGKILL', stoppedOnPurpose: false, summary: 'last exit: signal 9' });
      const { facts, evidence } = await gather(plain(), { manager: () => managerOf(says) });
      expect(facts).toMatchObject({
        process_status: 'dead',
        manager_state: state,
        exit_signal: 'SIGKILL',
        stopped_on_purpose: false,
        out_of_memory: false,
      });
      expect(facts).not.toHaveProperty('exit_code');
      expect(facts).not.toHaveProperty('within_start_time');
      expect(evidence).toContainEqual(
        expect.objectContaining({ title: 'status(api)', quote: 'last exit: signal 9', verified: true }),
      );
    }
  });

  it('sees that one is stopped by a signal, though its manager calls it running', async () => {
    const pid = idle();
    const manager = () => managerOf(status({ mainPid: pid }));
    const host = () => createLocalHost(systemClock);
    expect((await gather(plain(), { manager, host })).facts.process_status).toBe('running');
    process.kill(pid, 'SIGSTOP');
    // The kernel may need a moment; each look is a new one.
    let seen: unknown;
    for (let look = 0; look < 100 && seen !== 'paused'; look++)
      seen = (await gather(plain(), { manager, host })).facts.process_status;
    expect(seen).toBe('paused');
  });

  it('is within its time for starting until that is over', async () => {
    const since = (ago: number) => managerOf(status({ since: Date.now() - ago }));
    expect((await gather(plain(), { manager: () => since(5000) })).facts).toMatchObject({ within_start_time: true });
    expect((await gather(plain(), { manager: () => since(31_000) })).facts).toMatchObject({ within_start_time: false });
  });

  it('climbs when a second look shows more restarts, and not because of an old count', async () => {
    const clock = { now: () => Date.now(), sleep: async () => undefined };
    const counting = (counts: number[], state: 'running' | 'starting' | 'failed', ago: number) => {
      let look = 0;
      const manager = managerOf(status());
      return {
        ...manager,
        status: async () =>
          success(
            status({ state, restarts: counts[Math.min(look++, counts.length - 1)] ?? 0, since: Date.now() - ago }),
          ),
      };
    };
    const climbing = async (...args: Parameters<typeof counting>) => {
      const manager = counting(...args);
      return (await gather(plain(), { clock, manager: () => manager })).facts.restarts_climbing;
    };
    expect(await climbing([2, 3], 'running', 500)).toBe(true);
    expect(await climbing([40, 40], 'running', 500)).toBe(false);
    expect(await climbing([40, 41], 'running', 3_600_000)).toBe(false);
    expect(await climbing([0], 'starting', 500)).toBe(false);
    expect(await climbing([5], 'failed', 500)).toBe(true);
    expect(await climbing([1], 'failed', 500)).toBe(false);
  });

  it('has a name for the process of a worker', async () => {
    const config = configOf('services:\n  mail: { manager: supervisor, unit: worker_mail }\n');
    const { facts } = await gather(config, { manager: () => managerOf(status({ state: 'failed' })) }, 'mail');
    expect(facts).toMatchObject({
      worker_process_status: 'dead',
      mail_process_status: 'dead',
      worker_mail_process_status: 'dead',
    });
    expect(facts).not.toHaveProperty('api_process_status');
  });
});

describe('facts of checks', () => {
  const measure = async (results: Parameters<typeof result>[]) => {
    const all = results.map((each) => result(...each));
    return gather(plain(), { measure: async (service) => all.filter((each) => each.service === service) });
  };

  it('tells them by name and by kind', async () => {
    const { facts, evidence } = await measure([
      [
        'api/front-door',
        { reason: 'status-502', summary: '502 in 4 ms', value: 4, facts: { status: 502, latency_ms: 4, body: 'bad' } },
      ],
      ['api/beat', { kind: 'heartbeat', reason: 'too-old', facts: { age_seconds: 360 } }],
      ['api/tls', { kind: 'certificate', verdict: 'warn', reason: 'tls-expires-soon', facts: { days_left: 9.5 } }],
      ['api/tcp', { kind: 'tcp', verdict: 'ok' }],
      ['api/size', { kind: 'file_size', verdict: 'ok' }],
    ]);
    expect(facts).toMatchObject({
      check_front_door_verdict: 'critical',
      check_front_door_reason: 'status-502',
      check_front_door_body: 'bad',
      http_status: 502,
      http_reason: 'status-502',
      tcp_open: true,
      latency: 4,
      last_heartbeat: 360_000,
      certificate_days: 9.5,
      failing_checks: 3,
      failing_kind: 'certificate heartbeat http',
      unresponsive: false,
    });
    expect(evidence).toContainEqual(expect.objectContaining({ source: 'check:api/front-door', quote: '502 in 4 ms' }));
  });

  it.each([
    ['redis', 'loading', {}, { recovering: true, redis_cannot_persist: false }],
    ['redis', 'misconf', {}, { redis_cannot_persist: true, recovering: false }],
    [
      'redis',
      'slow',
      { rdb_last_bgsave_status: 'err' },
      { redis_cannot_persist: true, redis_rdb_last_bgsave_status: 'err' },
    ],
    ['redis', 'timed-out', {}, { unresponsive: true }],
    ['postgres', 'starting-up', {}, { recovering: true, connection_slots_exhausted: false }],
    ['postgres', 'too-many-connections', {}, { connection_slots_exhausted: true }],
    ['http', 'refused', {}, { tcp_open: false, http_reason: 'refused' }],
    ['http', 'host-unreachable', {}, { host_unreachable: true }],
  ] as const)('%s %s', async (kind, reason, given, expected) => {
    const { facts } = await measure([['api/x', { kind, reason, facts: given }]]);
    expect(facts).toMatchObject(expected);
  });

  it('says nothing where nothing was measured', async () => {
    const { facts } = await gather(plain());
    for (const name of [
      'process_status',
      'http_status',
      'unresponsive',
      'config_valid',
      'config_changed',
      'memory_check',
      'release_changed',
      'last_heartbeat',
      'out_of_memory',
    ]) {
      expect(facts).not.toHaveProperty(name);
    }
  });
});

describe('facts of ports', () => {
  it('probes a port for real', async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const config = configOf(
      `services:\n  api:\n    manager: systemd\n    checks:\n      - http: http://127.0.0.1:${port}/\n`,
    );
    expect((await gather(config)).facts).toMatchObject({ tcp_open: true, tcp_port: port });
    await new Promise((resolve) => server.close(resolve));
    expect((await gather(config)).facts.tcp_open).toBe(false);
  });

  const listening = (pid: number, program: string) =>
    hostWith({
      ss: () => ({ stdout: `LISTEN 0 511 127.0.0.1:8080 0.0.0.0:* users:(("${program}",pid=${pid},fd=18))\n` }),
      ps: () => ({
        stdout:
          '  1 0 1 Ss 10:00 init\n 50 1 50 S 10:00 pm2\n 60 50 60 S 10:00 node api\n 61 60 60 S 10:00 node api worker\n 90 1 90 S 00:10 python3 -m http.server 8080\n',
      }),
      df: () => ({}),
    });

  it.each([
    [90, 'python3', null, 'stopped', true],
    [60, 'node', 60, 'running', false],
    [61, 'node', 60, 'running', false],
    [50, 'PM2', 60, 'running', false],
    [90, 'python3', 60, 'running', true],
    [700, 'docker-proxy', null, 'stopped', false],
  ] as const)('pid %i (%s) beside a service that is %s %s: taken %s', async (pid, program, mainPid, state, taken) => {
    const { facts, evidence } = await gather(plain(), {
      host: () => listening(pid, program),
      manager: () => managerOf(status({ state, mainPid })),
    });
    expect(facts.port_taken).toBe(taken);
    expect(facts.port_holder).toBe(taken ? program : undefined);
    if (taken)
      expect(evidence).toContainEqual(
        expect.objectContaining({ quote: expect.stringContaining('python3 -m http.server') }),
      );
  });
});

describe('who may be ended', () => {
  it('is an older instance or a stray that a person listed, and nobody else', async () => {
    const holding = (command: string) =>
      hostWith({
        ss: () => ({ stdout: 'LISTEN 0 1 127.0.0.1:8080 0.0.0.0:* users:(("x",pid=90,fd=1))\n' }),
        ps: () => ({ stdout: ` 90 1 90 S 00:10 ${command}\n` }),
        df: () => ({}),
      });
    const endable = async (command: string) => {
      const host = () => holding(command);
      const gathered = await gather(plain('    strays: [http.server 8080]\n'), {
        host,
        manager: () => managerOf(status({ state: 'stopped' })),
      });
      return gathered.facts.port_holder_endable;
    };
    expect(await endable('python3 -m http.server 8080')).toBe(true);
    expect(await endable('old no-such-program')).toBe(true);
    expect(await endable('nginx: master')).toBe(false);
  });
});

describe('facts of files, logs and releases', () => {
  it('notices a changed file by its last good copy, and asks the service’s own test', async () => {
    using where = folder();
    const file = join(where.path, 'api.conf');
    writeFileSync(file, 'good');
    const goodCopies = createGoodCopies({ folder: join(where.path, 'state'), clock: systemClock });
    goodCopies.keep('api', file, Buffer.from('good'));
    const config = plain(`    files: [${file}]\n    config_test: [grep, -q, good, ${file}]\n`);
    expect((await gather(config, { goodCopies })).facts).toMatchObject({ config_changed: false, config_valid: true });
    writeFileSync(file, 'broken');
    const { facts, evidence } = await gather(config, { goodCopies });
    expect(facts).toMatchObject({ config_changed: true, config_valid: false, changed_file: file });
    expect(evidence.filter((each) => each.facts?.includes('config_valid'))).toHaveLength(1);
  });

  it('says nothing of validity when the test cannot be run, or of change without a good copy', async () => {
    using where = folder();
    const file = join(where.path, 'api.conf');
    writeFileSync(file, 'x');
    const { facts } = await gather(plain(`    files: [${file}]\n    config_test: [no-such-program-here]\n`));
    expect(facts).not.toHaveProperty('config_valid');
    expect(facts).not.toHaveProperty('config_changed');
  });

  it('finds what the log says, quotes the line, and the most frequent error', async () => {
    const log = [
      'ready',
      'Error: listen EADDRINUSE: address already in use 127.0.0.1:8080',
      '2026-01-29T14:30:01Z ERROR job 17 failed',
      '2026-01-29T14:30:02Z ERROR job 18 failed',
    ].join('\n');
    const { facts, evidence } = await gather(plain(), { manager: () => managerOf(status(), log) });
    expect(facts).toMatchObject({
      log_has_address_in_use: true,
      log_has_no_space: false,
      log_error: '<time> error job # failed',
    });
    expect(evidence).toContainEqual(
      expect.objectContaining({
        source: 'log:app.log',
        quote: 'Error: listen EADDRINUSE: address already in use 127.0.0.1:8080',
        facts: ['log_has_address_in_use'],
      }),
    );
  });

  it('quotes a line that tells of several things once', async () => {
    const line = 'panic: open /var/cache/x: permission denied';
    const { facts, evidence } = await gather(plain(), { manager: () => managerOf(status(), `ready\n${line}\n`) });
    expect(facts).toMatchObject({ log_has_permission: true, log_has_crash: true });
    expect(evidence.filter((each) => each.quote === line).map((each) => each.facts)).toEqual([
      expect.arrayContaining(['log_has_permission', 'log_has_crash', 'log_error']),
    ]);
  });

  it('knows a log over its limit, and the largest on the host that may be rotated', async () => {
    using where = folder();
    const own = join(where.path, 'api.log');
    const other = join(where.path, 'worker.log');
    writeFileSync(own, 'x'.repeat(3000));
    writeFileSync(other, 'x'.repeat(9000));
    const config = configOf(`
services:
  api: { manager: process, match: abc-api, logs: ${own}, rotate: { above: 2kB } }
  worker: { manager: process, match: abc-worker, logs: ${other}, rotate: { above: 1MB } }
`);
    const { facts } = await gather(config);
    expect(facts).toMatchObject({
      log_size: 3000,
      log_path: own,
      log_over_limit: true,
      log_rotatable: true,
      largest_log: other,
      largest_log_size: 9000,
      largest_log_service: 'worker',
    });
    expect((await gather(config, {}, 'worker')).facts.log_over_limit).toBe(false);
  });

  it('knows the release in use, since when, and what came before', async () => {
    using where = folder();
    for (const [name, at] of [
      ['v1', 1000],
      ['v2', 2000],
      ['v3', 3000],
    ] as const) {
      mkdirSync(join(where.path, 'releases', name), { recursive: true });
      utimesSync(join(where.path, 'releases', name), at, at);
    }
    const current = join(where.path, 'current');
    symlinkSync(join(where.path, 'releases', 'v2'), current);
    const config = plain(`    releases: { directory: ${join(where.path, 'releases')}, current: ${current} }\n`);
    expect((await gather(config)).facts).toMatchObject({
      current_release: 'v2',
      previous_release: 'v1',
      previous_release_available: true,
      release_changed: true,
    });
    const later = await gatherFacts({
      incident: incident('api', [], { since: Date.now() + 7_200_000 }),
      context: contextOf(config, { host: () => quiet }),
    });
    expect(later.facts.release_changed).toBe(false);
  });
});

describe('facts of the machine', () => {
  const df = (argv: readonly string[]) => ({
    stdout: argv.includes('-i')
      ? 'Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/a 100 99 1 99% /\nbtrfs 0 0 0 - /srv\n'
      : 'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 100 40 60 40% /\n/dev/b 100 97 3 97% /var/my logs\n',
    exitCode: 1,
  });

  it('takes the fullest file system of those that matter', async () => {
    const { facts } = await gather(plain(), { host: () => hostWith({ df, ss: () => ({}), ps: () => ({}) }) });
    expect(facts).toMatchObject({ disk_usage: 97, disk_path: '/var/my logs', inode_usage: 99 });
  });

  it.each([
    ['/data', 100, 0, true],
    ['/data', 99, 900 * 1024, true],
    ['/data', 99, 40 * 1024 * 1024, false],
    ['/data', 97, 0, false],
    ['/', 100, 0, false],
  ])(
    'whether the service lies where no space is left: %s at %i %%, %i kB free: %s',
    async (mount, percent, free, full) => {
      const row = (path: string) =>
        path === mount ? `/dev/x 1000 900 ${free} ${percent}% ${path}` : `/dev/y 1000 10 990 1% ${path}`;
      const host = hostWith({
        df: (argv) => ({ stdout: ['Filesystem', ...argv.filter((word) => word.startsWith('/')).map(row)].join('\n') }),
        ss: () => ({}),
        ps: () => ({}),
      });
      const { facts, evidence } = await gather(plain('    directory: /data\n'), { host: () => host });
      expect(facts.own_disk_full).toBe(full);
      expect(evidence.some((each) => each.facts?.includes('own_disk_full'))).toBe(full);
      expect((await gather(plain(), { host: () => host })).facts).not.toHaveProperty('own_disk_full');
    },
  );

  it('finds the heaviest service when memory is short', async () => {
    const config = configOf(
      'machine:\n  memory: { critical: 90% }\nservices:\n  a: { manager: systemd }\n  b: { manager: systemd }\n',
    );
    const short = result('machine/memory', { kind: 'memory', reason: 'over-limit', facts: { used_percent: 95 } });
    const { facts } = await gather(
      config,
      {
        measure: async (service) => (service === 'machine' ? [short] : []),
        manager: (name) => managerOf(status({ mainPid: name === 'a' ? 10 : 20 })),
        host: () =>
          hostWith({ ps: () => ({ stdout: ' 10 1 5000\n 20 1 3000\n 21 20 4000\n' }), df: () => ({}), ss: () => ({}) }),
      },
      'machine',
    );
    expect(facts).toMatchObject({
      is_machine: true,
      memory_usage: 95,
      heaviest_service: 'b',
      heaviest_memory: 7000 * 1024,
    });
  });
});

describe('gathering', () => {
  it('is held up by no slow source and broken by no broken one', async () => {
    const manager = managerOf(status({ state: 'stopped' }));
    const started = Date.now();
    const { facts, missing } = await gatherFacts({
      incident: incident('api', [result('api/http', { reason: 'refused' })]),
      context: contextOf(plain(), {
        host: () => quiet,
        manager: () => ({
          ...manager,
          logs: () => new Promise(() => undefined),
        }),
        measure: async () => {
          throw new Error('the monitor broke');
        },
        archive: {
          recent: () => [],
          timeline: () => [],
          actions: () => {
            throw new Error('the store is damaged');
          },
        },
      }),
      limitMs: 300,
    });
    expect(Date.now() - started).toBeLessThan(5000);
    expect(facts).toMatchObject({ process_status: 'dead', check_http_reason: 'refused' });
    expect(missing).toEqual([
      { source: 'logs', why: 'no result within 300 ms' },
      { source: 'tried', why: 'the store is damaged' },
    ]);
  });

  it('goes on where the manager cannot tell or throws', async () => {
    const cannot = { ...managerOf(status()), status: async () => failure('systemctl is not there') };
    const { facts } = await gather(plain(), { manager: () => cannot });
    expect(facts).not.toHaveProperty('process_status');
    const throws = {
      ...managerOf(status()),
      status: async () => {
        throw new Error('a bug');
      },
    };
    const gathered = await gather(plain(), { manager: () => throws });
    expect(gathered.facts.service).toBe('api');
    expect(gathered.missing.map((each) => each.source)).toContain('process');
  });

  it('counts what was tried in this incident', async () => {
    const action = (tool: string, state: 'succeeded' | 'refused') =>
      ({ tool, state }) as ReturnType<ToolContext['archive']['actions']>[number];
    const { facts } = await gather(plain(), {
      archive: {
        recent: () => [],
        timeline: () => [],
        actions: () => [
          action('restart_service', 'succeeded'),
          action('restart_service', 'succeeded'),
          action('start_service', 'refused'),
        ],
      },
    });
    expect(facts).toMatchObject({ tried_restart_service: 2, tried_start_service: 0, tried_activate_release: 0 });
  });

  it('tells of a failing dependency', async () => {
    const config = configOf('services:\n  api: { manager: systemd, depends_on: [db] }\n  db: { manager: systemd }\n');
    const { facts } = await gather(config, {
      measure: async (service) => (service === 'db' ? [result('db/tcp', { kind: 'tcp', reason: 'refused' })] : []),
      manager: (name) => managerOf(status({ state: name === 'db' ? 'failed' : 'running' })),
    });
    expect(facts).toMatchObject({
      dependency_failing: 'db',
      dependency_process_status: 'dead',
      process_status: 'running',
    });
  });

  it('leads from a real stopped process to the runbook for it', async () => {
    const pid = idle();
    process.kill(pid, 'SIGSTOP');
    const { runbooks } = await loadRunbooks({ paths: [], config: plain() });
    const context = contextOf(plain(), {
      host: () => createLocalHost(systemClock),
      manager: () => managerOf(status({ mainPid: pid, since: Date.now() - 60_000 })),
      measure: async (service) =>
        service === 'api' ? [result('api/http', { reason: 'timed-out', summary: 'no answer within 2 s' })] : [],
    });
    let name: string | undefined;
    for (let look = 0; look < 20 && name !== 'Process is paused'; look++) {
      const { facts } = await gatherFacts({ incident: incident('api'), context });
      name = findRunbook(runbooks, facts)?.runbook.name;
    }
    expect(name).toBe('Process is paused');
  });
});
