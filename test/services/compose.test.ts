import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { createComposeManager } from '../../src/services/compose.ts';
import { INSPECT_FORMAT } from '../../src/services/docker-state.ts';
import { createScriptedHost, type Recorded, serviceOf } from './docker-scripted-host.ts';

// Answers of docker 20.10 and docker-compose 1.29, recorded from a real project.
const ONE = '559cd58bd85d9ee3223ce5e924ef1da9a7f68f4cdfb85990655c83f064e22b3e';
const TWO = 'c617c89bd3e9fdb3ed118b64030f0430bbe8fb06d0448e94579a17257e0ebe62';
const FILE = '/srv/shop/compose.yml';

const list = (rows: string[][]): Recorded => ({
  command:
    'docker ps --all --no-trunc --filter label=com.docker.compose.service=web --format ' +
    '{{.ID}}\t{{.Label "com.docker.compose.project"}}\t{{.Label "com.docker.compose.project.config_files"}}\t' +
    '{{.Label "com.docker.compose.project.working_dir"}}\t{{.Label "com.docker.compose.oneoff"}}',
  stdout: rows.map((row) => `${row.join('\t')}\n`).join(''),
});
const row = (id: string, { project = 'shop', file = FILE, oneOff = 'False' } = {}) => [
  ...[id, project, file, '/srv/shop', oneOff],
];

const inspect = (...containers: { id: string; name: string; pid?: number; exitCode?: number }[]): Recorded => ({
  command: `docker inspect --type container --format ${INSPECT_FORMAT} -- ${containers.map(({ id }) => id).join(' ')}`,
  stdout: containers
    .map(({ id, name, pid = 0, exitCode = 0 }) => {
      const [Status, Running] = pid > 0 ? ['running', true] : ['exited', false];
      const times = { StartedAt: '2026-11-21T03:39:31.099122508Z', FinishedAt: '2026-11-21T03:39:30.94902971Z' };
      const State = {
        Dead: false,
        Error: '',
        ExitCode: exitCode,
        OOMKilled: false,
        Pid: pid,
        Running,
        Status,
        ...times,
      };
      return `${JSON.stringify({ Id: id, Name: `/${name}`, State, RestartCount: 0, RestartPolicy: { MaximumRetryCount: 0, Name: '' } })}\n`;
    })
    .join(''),
});
const events = (id: string, action: string): Recorded => ({
  command: `docker events --since ${((Date.parse('2026-11-21T03:39:30.949Z') - 2000) / 1000).toFixed(3)} --until 0s --format {{json .}} --filter container=${id} --filter event=stop --filter event=die`,
  stdout: JSON.stringify({ Action: action }),
});

const plugin: Recorded = { command: 'docker compose version', stdout: 'Docker Compose version v2.24.0\n' };
const noPlugin: Recorded = {
  command: 'docker compose version',
  ...{ exitCode: 1, stderr: "docker: unknown command: docker compose\n\nRun 'docker --help' for more information\n" },
};
const binary: Recorded = {
  command: 'docker-compose version',
  stdout: 'docker-compose version 1.29.2, build unknown\n',
};
const noBinary: Recorded = { command: 'docker-compose version', failure: 'not-found' };

const managerOf = (script: Recorded[], more: Record<string, unknown> = { compose_file: FILE }) => {
  const host = createScriptedHost(script);
  const service = serviceOf({ manager: 'compose', ...more });
  return { host, manager: createComposeManager({ service, host, clock: systemClock }) };
};

describe('finding the containers of a compose service', () => {
  test('by label, of its own file only, without one-off containers', async () => {
    const { manager, host } = managerOf([
      list([row(ONE), row(TWO, { file: '/srv/other/compose.yml' }), row('3', { oneOff: 'True' })]),
      inspect({ id: ONE, name: 'shop_web_1', pid: 14560 }),
    ]);
    expect(await manager.status()).toMatchObject({ ok: true, value: { state: 'running', mainPid: 14560 } });
    host.assertComplete();
  });

  test('a file named relative to the directory of the project, as old versions write it', async () => {
    const { manager } = managerOf([
      list([row(ONE, { file: 'compose.yml,compose.override.yml' })]),
      inspect({ id: ONE, name: 'shop_web_1', pid: 14560 }),
    ]);
    expect(await manager.status()).toMatchObject({ ok: true, value: { state: 'running' } });
  });

  test('a service that is in two projects is ambiguous, until one is named', async () => {
    const rows = [row(ONE), row(TWO, { project: 'blog' })];
    const unnamed = managerOf([list(rows)], {});
    expect(await unnamed.manager.status()).toMatchObject({ ok: false, error: expect.stringContaining('shop, blog') });
    const named = managerOf([list(rows), inspect({ id: TWO, name: 'blog_web_1', pid: 7 })], { unit: 'blog/web' });
    expect(await named.manager.status()).toMatchObject({ ok: true, value: { state: 'running', mainPid: 7 } });
  });

  test('of two replicas, the one that is down decides', async () => {
    const { manager } = managerOf([
      list([row(ONE), row(TWO)]),
      inspect({ id: ONE, name: 'shop_web_1', pid: 14560 }, { id: TWO, name: 'shop_web_2', exitCode: 137 }),
      events(TWO, 'die'),
    ]);
    expect(await manager.status()).toMatchObject({
      ok: true,
      value: {
        ...{ state: 'failed', exitSignal: 'SIGKILL', stoppedOnPurpose: false },
        summary: '1 of 2 running; shop_web_2: not running, last exit: SIGKILL (exit code 137)',
      },
    });
  });

  test('none is absent, and says how to create one', async () => {
    const { manager } = managerOf([list([])]);
    const status = await manager.status();
    expect(status).toMatchObject({ ok: true, value: { state: 'absent' } });
    expect(status.ok && status.value.summary).toContain(`docker compose -f ${FILE} up -d web`);
  });
});

describe('actions of a compose service', () => {
  const down = [list([row(ONE)]), inspect({ id: ONE, name: 'shop_web_1', exitCode: 137 })];

  test('start starts the container that is there, by docker', async () => {
    const { manager, host } = managerOf([...down, ...down, { command: 'docker start -- shop_web_1' }]);
    expect(await manager.start()).toEqual({ ok: true, value: 'docker start shop_web_1' });
    host.assertComplete();
  });

  test('start creates what is missing, by the plugin, and builds nothing', async () => {
    const { manager, host } = managerOf([
      ...[list([]), plugin],
      { command: `docker compose -f ${FILE} up -d --no-deps --no-build web` },
    ]);
    expect(await manager.start()).toMatchObject({ ok: true });
    host.assertComplete();
  });

  test('restart goes through docker-compose where there is no plugin, which is found out once', async () => {
    const restart: Recorded = { command: `docker-compose -f ${FILE} -p shop restart -t 10 web` };
    const { manager, host } = managerOf([...down, noPlugin, binary, restart, ...down, restart]);
    expect(await manager.restart()).toMatchObject({ ok: true });
    expect(await manager.restart()).toMatchObject({ ok: true });
    host.assertComplete();
  });

  test('without any compose, the labelled containers are stopped and restarted directly', async () => {
    const { manager, host } = managerOf([
      ...[...down, noPlugin, noBinary, ...down, { command: 'docker restart -t 10 -- shop_web_1' }],
      ...[...down, ...down, { command: 'docker stop -t 10 -- shop_web_1' }],
    ]);
    expect(await manager.restart()).toEqual({ ok: true, value: 'docker restart shop_web_1' });
    expect(await manager.stop()).toEqual({ ok: true, value: 'docker stop shop_web_1' });
    host.assertComplete();
  });

  test('a missing container without any compose is a failure that says what to install', async () => {
    const { manager } = managerOf([list([]), noPlugin, noBinary]);
    expect(await manager.start()).toMatchObject({ ok: false, error: expect.stringContaining('docker-compose-plugin') });
  });
});
