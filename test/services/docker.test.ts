import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { createDockerManager } from '../../src/services/docker.ts';
import { INSPECT_FORMAT } from '../../src/services/docker-state.ts';
import { createScriptedHost, type Recorded, serviceOf } from './docker-scripted-host.ts';

// Answers of docker 28.2 (client) and 20.10 (daemon), recorded from real containers.
const ID = '6a26672586e070aed2f24b657c52c302bac35c1b94e68ccb5b29a4cdf9cf13dd';
const FINISHED = '2026-11-21T03:24:34.757742775Z';
const SINCE = ((Date.parse(FINISHED) - 2000) / 1000).toFixed(3);
const inspectCommand = `docker inspect --type container --format ${INSPECT_FORMAT} -- web`;
const eventsCommand = `docker events --since ${SINCE} --until 0s --format {{json .}} --filter container=${ID} --filter event=stop --filter event=die`;

interface Shown {
  state?: Record<string, unknown>;
  restarts?: number;
  policy?: string;
}

function inspected({ state = {}, restarts = 0, policy = 'no' }: Shown): Recorded {
  const running = {
    ...{ Dead: false, Error: '', ExitCode: 0, FinishedAt: '0001-01-01T00:00:00Z', OOMKilled: false, Paused: false },
    ...{ Pid: 11660, Restarting: false, Running: true, StartedAt: '2026-11-21T03:24:29.812011011Z', Status: 'running' },
  };
  const container = {
    ...{ Id: ID, Name: '/web', State: { ...running, ...state }, RestartCount: restarts },
    RestartPolicy: { MaximumRetryCount: 0, Name: policy },
  };
  return { command: inspectCommand, stdout: `${JSON.stringify(container)}\n` };
}

const ended = (exitCode: number, more: Record<string, unknown> = {}) => ({
  ...{ ExitCode: exitCode, FinishedAt: FINISHED, Pid: 0, Running: false, Status: 'exited' },
  ...more,
});

const event = (action: string) => JSON.stringify({ status: action, id: ID, Type: 'container', Action: action });

const managerOf = (script: Recorded[], more: Record<string, unknown> = {}) => {
  const host = createScriptedHost(script);
  const service = serviceOf({ manager: 'docker', drain: '2500ms', ...more });
  return { host, manager: createDockerManager({ service, host, clock: systemClock }) };
};

describe('status of a container', () => {
  test('running, with the health its health check found', async () => {
    const { manager } = managerOf([
      inspected({ state: { Health: { Status: 'unhealthy', FailingStreak: 3, Log: [] } } }),
    ]);
    expect(await manager.status()).toMatchObject({
      ok: true,
      value: {
        ...{ state: 'running', mainPid: 11660, health: 'unhealthy', exitCode: null, stoppedOnPurpose: false },
        ...{ since: Date.parse('2026-11-21T03:24:29.812Z'), summary: 'running, health: unhealthy' },
      },
    });
  });

  test('killed from outside: failed, and nobody stopped it', async () => {
    const { manager, host } = managerOf([
      inspected({ state: ended(137, { Health: { Status: 'unhealthy' } }) }),
      { command: eventsCommand, stdout: `${event('die')}\n` },
    ]);
    expect(await manager.status()).toMatchObject({
      ok: true,
      value: {
        ...{ state: 'failed', mainPid: null, exitCode: 137, exitSignal: 'SIGKILL', stoppedOnPurpose: false },
        ...{ since: Date.parse(FINISHED), health: null, summary: 'not running, last exit: SIGKILL (exit code 137)' },
      },
    });
    host.assertComplete();
  });

  test('docker stop leaves a stop event behind its end: stopped on purpose, whatever the exit code', async () => {
    const { manager } = managerOf([
      inspected({ state: ended(137) }),
      { command: eventsCommand, stdout: `${event('die')}\n${event('stop')}\n` },
    ]);
    expect(await manager.status()).toMatchObject({ ok: true, value: { state: 'stopped', stoppedOnPurpose: true } });
  });

  test('a stop before the last start does not count', async () => {
    const { manager } = managerOf([
      inspected({ state: ended(137) }),
      { command: eventsCommand, stdout: `${event('die')}\n${event('stop')}\n${event('die')}\n` },
    ]);
    expect(await manager.status()).toMatchObject({ ok: true, value: { state: 'failed', stoppedOnPurpose: false } });
  });

  test.each([
    ['no', null, 'failed'],
    ['always', true, 'stopped'],
    ['unless-stopped', true, 'stopped'],
    ['on-failure', null, 'failed'],
  ])('when the events do not reach back, the restart policy %s means %s', async (policy, stoppedOnPurpose, state) => {
    const { manager } = managerOf([inspected({ state: ended(137), policy }), { command: eventsCommand, stdout: '' }]);
    expect(await manager.status()).toMatchObject({ ok: true, value: { state, stoppedOnPurpose } });
  });

  test('out of memory', async () => {
    const { manager } = managerOf([
      inspected({ state: ended(137, { OOMKilled: true }) }),
      { command: eventsCommand, stdout: event('die') },
    ]);
    const status = await manager.status();
    expect(status).toMatchObject({ ok: true, value: { state: 'failed', outOfMemory: true, stoppedOnPurpose: false } });
    expect(status.ok && status.value.summary).toContain('want of memory');
  });

  test('a crash loop is starting, with its count and last exit', async () => {
    const state = ended(3, { Restarting: true, Running: true, Status: 'restarting' });
    const { manager } = managerOf([inspected({ state, restarts: 5, policy: 'always' })]);
    expect(await manager.status()).toMatchObject({
      ok: true,
      value: {
        ...{ state: 'starting', restarts: 5, exitCode: 3, stoppedOnPurpose: false },
        summary: 'restarting: last exit: exit code 3, restarted 5 times by docker',
      },
    });
  });

  test('a container docker could not start says why', async () => {
    const trouble = 'exec: "/bin/nope": stat /bin/nope: no such file or directory';
    const state = {
      ...{ Status: 'created', Running: false, Pid: 0, ExitCode: 127, Error: trouble },
      StartedAt: '0001-01-01T00:00:00Z',
    };
    const { manager } = managerOf([inspected({ state })]);
    expect(await manager.status()).toMatchObject({
      ok: true,
      value: {
        state: 'failed',
        exitCode: 127,
        since: null,
        summary: `not running, docker could not start it: ${trouble}`,
      },
    });
  });

  test('no such container is absent, with the way to make one', async () => {
    const { manager } = managerOf([
      {
        command: inspectCommand,
        exitCode: 1,
        stdout: '\n',
        stderr: 'Error response from daemon: No such container: web\n',
      },
    ]);
    const status = await manager.status();
    expect(status).toMatchObject({ ok: true, value: { state: 'absent', stoppedOnPurpose: null } });
    expect(status.ok && status.value.summary).toContain('docker run');
  });

  test('an answer of another shape is a failure, not a crash', async () => {
    const { manager } = managerOf([{ command: inspectCommand, stdout: '{"Id":"x"}\n' }]);
    expect(await manager.status()).toMatchObject({ ok: false, error: expect.stringContaining('unexpected') });
  });
});

describe('what is in the way is said with its remedy', () => {
  const unreachable =
    'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?';
  const refused =
    'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: dial unix: connect: permission denied';

  test('the daemon is down', async () => {
    const { manager } = managerOf([{ command: inspectCommand, exitCode: 1, stdout: '[]', stderr: unreachable }]);
    const status = await manager.status();
    expect(status).toMatchObject({ ok: false, error: expect.stringContaining('sudo systemctl start docker') });
    expect(!status.ok && status.error).not.toContain('json .State');
  });

  test('the socket is not ours: tried once more as root, which is remembered', async () => {
    const { manager, host } = managerOf([
      { command: inspectCommand, exitCode: 1, stderr: refused },
      { ...inspected({}), privileged: true },
      { ...inspected({}), privileged: true },
    ]);
    expect(await manager.status()).toMatchObject({ ok: true, value: { state: 'running' } });
    expect(await manager.status()).toMatchObject({ ok: true, value: { state: 'running' } });
    host.assertComplete();
  });

  test('nor may we be root', async () => {
    const { manager } = managerOf([
      { command: inspectCommand, exitCode: 1, stderr: refused },
      { command: inspectCommand, failure: 'not-permitted', privileged: true },
    ]);
    expect(await manager.status()).toMatchObject({ ok: false, error: expect.stringContaining('usermod -aG docker') });
  });

  test('docker is not installed', async () => {
    const { manager } = managerOf([{ command: inspectCommand, failure: 'not-found' }]);
    expect(await manager.status()).toMatchObject({ ok: false, error: expect.stringContaining('not installed') });
  });

  test('docker hangs', async () => {
    const { manager } = managerOf([{ command: inspectCommand, failure: 'timed-out' }]);
    expect(await manager.status()).toMatchObject({ ok: false, error: expect.stringContaining('may hang') });
  });
});

describe('actions', () => {
  test('start starts what has ended', async () => {
    const { manager, host } = managerOf([inspected({ state: ended(1) }), { command: 'docker start -- web' }]);
    expect(await manager.start()).toEqual({ ok: true, value: 'docker start web' });
    host.assertComplete();
  });

  test('start unpauses what is paused', async () => {
    const paused = inspected({ state: { Status: 'paused', Paused: true } });
    const { manager, host } = managerOf([paused, { command: 'docker unpause -- web' }]);
    expect(await manager.start()).toEqual({ ok: true, value: 'docker unpause web' });
    host.assertComplete();
  });

  test('start leaves alone what runs', async () => {
    const { manager, host } = managerOf([inspected({})]);
    expect(await manager.start()).toMatchObject({ ok: true, value: expect.stringContaining('already running') });
    host.assertComplete();
  });

  test('stop and restart give it the drain time, in whole seconds, and wait longer than that', async () => {
    const { manager, host } = managerOf([
      ...[inspected({}), { command: 'docker stop -t 3 -- web' }],
      ...[inspected({}), { command: 'docker restart -t 3 -- web' }],
    ]);
    expect(await manager.stop()).toMatchObject({ ok: true });
    expect(await manager.restart()).toMatchObject({ ok: true });
    expect(host.requests[1]?.timeoutMs).toBeGreaterThan(2500 + 10_000);
    host.assertComplete();
  });

  test('reload signals only when the service says with what', async () => {
    const without = managerOf([]);
    expect(await without.manager.reload()).toMatchObject({
      ok: false,
      error: expect.stringContaining('reload_signal'),
    });
    const { manager, host } = managerOf([inspected({}), { command: 'docker kill -s HUP -- web' }], {
      reload_signal: 'SIGHUP',
    });
    expect(await manager.reload()).toMatchObject({ ok: true });
    host.assertComplete();
  });

  test('an action on a container that is not there fails and says so', async () => {
    const { manager } = managerOf([{ command: inspectCommand, exitCode: 1, stderr: 'Error: No such object: web\n' }]);
    expect(await manager.restart()).toMatchObject({
      ok: false,
      error: expect.stringContaining('no container named web'),
    });
  });

  test('of the environment of the service, docker sees only what is for docker', async () => {
    const environment = { DOCKER_HOST: 'unix:///run/user/1000/docker.sock', DATABASE: 'orders' };
    const { manager, host } = managerOf([inspected({})], { environment });
    await manager.status();
    expect(host.requests[0]?.environment).toEqual({ DOCKER_HOST: 'unix:///run/user/1000/docker.sock' });
  });
});

describe('logs', () => {
  test('both streams come as one, in the order of time', async () => {
    const { manager } = managerOf([
      inspected({}),
      {
        command: 'docker logs --timestamps --since 1795231469.000 --until 1795231470.500 -- web',
        stdout: '2026-11-21T03:24:29.813663143Z out1\n2026-11-21T03:24:29.813668311Z out2\n',
        stderr: '2026-11-21T03:24:29.813613502Z err1\n2026-11-21T03:24:29.813664000Z err2\n',
      },
    ]);
    const logs = await manager.logs({ since: 1_795_231_469_000, until: 1_795_231_470_500 });
    expect(logs).toMatchObject({ ok: true, value: [{ source: 'docker logs web', truncated: false }] });
    const lines = logs.ok ? (logs.value[0]?.text.split('\n') ?? []) : [];
    expect(lines.map((line) => line.split(' ')[1])).toEqual(['err1', 'out1', 'err2', 'out2']);
  });

  test('the newest whole lines within the limit', async () => {
    const lines = Array.from({ length: 50 }, (_, index) => `2026-11-21T03:24:29.8136631${10 + index}Z line ${index}`);
    const { manager } = managerOf([
      inspected({}),
      { command: 'docker logs --timestamps -- web', stdout: `${lines.join('\n')}\n` },
    ]);
    const logs = await manager.logs({ maxBytes: 100 });
    expect(logs).toEqual({
      ok: true,
      value: [{ source: 'docker logs web', truncated: true, text: lines.slice(-2).join('\n') }],
    });
  });

  test('a log driver that cannot be read says what to set', async () => {
    const { manager } = managerOf([
      inspected({}),
      {
        command: 'docker logs --timestamps -- web',
        ...{ exitCode: 1, stderr: 'Error response from daemon: configured logging driver does not support reading\n' },
      },
    ]);
    expect(await manager.logs({})).toMatchObject({ ok: false, error: expect.stringContaining('`logs:`') });
  });
});
