import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { createPm2Manager } from '../../src/services/pm2.ts';
import { lastEnd, parseList } from '../../src/services/pm2-status.ts';
import { createScriptedHost, type Recorded, serviceOf } from './docker-scripted-host.ts';

// Answers of pm2 7.0.4, recorded from a real daemon.
const OWN_LOG = `2026-11-21T03:27:20: PM2 log: App [web:0] starting in -fork mode-
2026-11-21T03:27:20: PM2 log: App [web:0] online
2026-11-21T03:27:37: PM2 log: App [twin:4] exited with code [0] via signal [SIGINT]
2026-11-21T03:27:38: PM2 log: App [web:0] exited with code [0] via signal [SIGKILL]
`;
const STOPPED_LOG = `${OWN_LOG}2026-11-21T03:27:40: PM2 log: App [web:0] starting in -fork mode-
2026-11-21T03:27:40: PM2 log: App [web:0] online
2026-11-21T03:27:41: PM2 log: Stopping app:web id:0
2026-11-21T03:27:41: PM2 log: App [web:0] exited with code [0] via signal [SIGINT]
2026-11-21T03:27:41: PM2 log: pid=19206 msg=process tree killed (1 pids)
`;
const BANNER = `
                        -------------
__/\\\\\\_____[_\\/\\\\\\]____
                        -------------
[PM2] Spawning PM2 daemon with pm2_home=/home/app/.pm2
[PM2] PM2 Successfully daemonized
`;

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'nightshift-pm2-'));
  await writeFile(join(home, 'pm2.pid'), '4242');
});
afterEach(() => rm(home, { recursive: true }));

interface App {
  name?: string;
  pid?: number;
  id?: number;
  status?: string;
  more?: Record<string, unknown>;
}
const app = ({ name = 'web', pid = 16990, id = 0, status = 'online', more = {} }: App = {}) => ({
  ...{ pid, name, pm_id: id, monit: { memory: 67182592, cpu: 0.3 } },
  pm2_env: {
    ...{ name, status, restart_time: 0, unstable_restarts: 0, pm_uptime: 1795231602755, autorestart: true },
    ...{ exec_mode: 'fork_mode', SOME_VARIABLE: 'of the app', pm_out_log_path: join(home, `${name}-out.log`) },
    ...{ pm_err_log_path: join(home, `${name}-error.log`), ...more },
  },
});

const daemon = (): Recorded => ({ command: 'ps -o args= -p 4242', stdout: `PM2 v7.0.4: God Daemon (${home})\n` });
const jlist = (...apps: unknown[]): Recorded[] => [daemon(), { command: 'pm2 jlist', stdout: JSON.stringify(apps) }];

const managerOf = (script: Recorded[], more: Record<string, unknown> = {}) => {
  const host = createScriptedHost(script);
  const service = serviceOf({ manager: 'pm2', environment: { PM2_HOME: home }, ...more });
  return { host, manager: createPm2Manager({ service, host, clock: systemClock }) };
};

describe('status of an app', () => {
  test('online', async () => {
    const { manager, host } = managerOf(jlist(app({ name: 'other', id: 1 }), app()));
    expect(await manager.status()).toMatchObject({
      ok: true,
      value: {
        state: 'running',
        mainPid: 16990,
        since: 1795231602755,
        restarts: 0,
        exitCode: null,
        summary: 'running',
      },
    });
    expect(host.requests.at(-1)?.environment).toEqual({ PM2_HOME: home });
  });

  test('killed without autorestart: pm2 says "stopped", its log knows that nobody stopped it', async () => {
    await writeFile(join(home, 'pm2.log'), OWN_LOG);
    const { manager } = managerOf(
      jlist(app({ pid: 0, status: 'stopped', more: { exit_code: 0, autorestart: false } })),
    );
    expect(await manager.status()).toMatchObject({
      ok: true,
      value: { state: 'failed', mainPid: null, exitSignal: 'SIGKILL', stoppedOnPurpose: false },
    });
  });

  test('pm2 stop is on purpose', async () => {
    await writeFile(join(home, 'pm2.log'), STOPPED_LOG);
    const { manager } = managerOf(jlist(app({ pid: 0, status: 'stopped', more: { exit_code: 0 } })));
    expect(await manager.status()).toMatchObject({
      ok: true,
      value: { state: 'stopped', exitSignal: null, stoppedOnPurpose: true },
    });
  });

  test.each([
    [true, true],
    [false, null],
  ])('with its log gone and autorestart %s, stopped on purpose is %s', async (autorestart, stoppedOnPurpose) => {
    const { manager } = managerOf(jlist(app({ pid: 0, status: 'stopped', more: { exit_code: 0, autorestart } })));
    expect(await manager.status()).toMatchObject({ ok: true, value: { state: 'stopped', stoppedOnPurpose } });
  });

  test.each([
    ['errored', 'failed', 'gave up after 15 restarts'],
    ['waiting restart', 'starting', 'starts it again soon'],
    ['launching', 'starting', 'launching'],
    ['stopping', 'stopping', 'stopping'],
    ['one-launch-status', 'unknown', 'one-launch-status'],
  ])('%s is %s', async (status, state, summary) => {
    const { manager } = managerOf(jlist(app({ pid: 0, status, more: { exit_code: 3, restart_time: 15 } })));
    const found = await manager.status();
    expect(found).toMatchObject({ ok: true, value: { state, restarts: 15, stoppedOnPurpose: false } });
    expect(found.ok && found.value.summary).toContain(summary);
  });

  test('a cluster is as well as its worst instance', async () => {
    const { manager } = managerOf(jlist(app(), app({ id: 1, pid: 0, status: 'errored', more: { exit_code: 3 } })));
    const found = await manager.status();
    expect(found).toMatchObject({ ok: true, value: { state: 'failed' } });
    expect(found.ok && found.value.summary).toMatch(/^1 of 2 running; web:1: /);
  });

  test('an app that pm2 does not have is absent', async () => {
    const { manager } = managerOf(jlist(app({ name: 'other' })));
    expect(await manager.status()).toMatchObject({ ok: true, value: { state: 'absent' } });
  });

  test('an unknown app is never handed to pm2 start, which would look for a script of that name', async () => {
    const { manager, host } = managerOf(jlist());
    expect(await manager.start()).toMatchObject({ ok: false, error: expect.stringContaining('no app named web') });
    host.assertComplete();
  });
});

describe('looking starts no daemon', () => {
  test('without a pid file no pm2 command is run', async () => {
    await rm(join(home, 'pm2.pid'));
    const { manager, host } = managerOf([]);
    expect(await manager.status()).toMatchObject({ ok: false, error: expect.stringContaining('pm2 resurrect') });
    expect(host.requests).toEqual([]);
  });

  test('nor when the pid is of nothing, or of something else by now', async () => {
    for (const stdout of ['', '/usr/sbin/cron -f\n']) {
      const { manager, host } = managerOf([{ command: 'ps -o args= -p 4242', stdout, exitCode: stdout ? 0 : 1 }]);
      expect(await manager.status()).toMatchObject({ ok: false, error: expect.stringContaining('not running') });
      host.assertComplete();
    }
  });
});

describe('actions', () => {
  test('by id, and start only for what is down', async () => {
    const { manager, host } = managerOf([
      ...jlist(app(), app({ id: 3, pid: 0, status: 'errored' })),
      { command: 'pm2 start 3' },
    ]);
    expect(await manager.start()).toEqual({ ok: true, value: 'pm2 start web' });
    host.assertComplete();
  });

  test('start of what runs does nothing: pm2 would restart it', async () => {
    const { manager, host } = managerOf(jlist(app()));
    expect(await manager.start()).toMatchObject({ ok: true, value: expect.stringContaining('already running') });
    host.assertComplete();
  });

  test('stop and restart take all instances', async () => {
    const both = () => jlist(app(), app({ id: 1 }));
    const { manager, host } = managerOf([
      ...both(),
      { command: 'pm2 stop 0 1' },
      ...both(),
      { command: 'pm2 restart 0 1' },
    ]);
    expect(await manager.stop()).toMatchObject({ ok: true });
    expect(await manager.restart()).toMatchObject({ ok: true });
    host.assertComplete();
  });

  test('reload: by signal if one is named, by pm2 for a cluster, else refused', async () => {
    const fork = managerOf(jlist(app()));
    expect(await fork.manager.reload()).toMatchObject({ ok: false, error: expect.stringContaining('reload_signal') });
    const cluster = managerOf([...jlist(app({ more: { exec_mode: 'cluster_mode' } })), { command: 'pm2 reload 0' }]);
    expect(await cluster.manager.reload()).toMatchObject({ ok: true });
    const signal = managerOf([...jlist(app()), { command: 'pm2 sendSignal SIGHUP 0' }], { reload_signal: 'SIGHUP' });
    expect(await signal.manager.reload()).toMatchObject({ ok: true });
  });

  test('an error of pm2 comes without its colours', async () => {
    const { manager } = managerOf([
      ...jlist(app()),
      { command: 'pm2 restart 0', exitCode: 1, stderr: '\u001b[31m[PM2][ERROR] \u001b[39mProcess 0 not found\n' },
    ]);
    expect(await manager.restart()).toEqual({
      ok: false,
      error: '`pm2 restart 0` on local: exit code 1: [PM2][ERROR] Process 0 not found',
    });
  });

  test('pm2 is not there', async () => {
    const { manager } = managerOf([daemon(), { command: 'pm2 jlist', failure: 'not-found' }]);
    expect(await manager.status()).toMatchObject({ ok: false, error: expect.stringContaining('npm install -g pm2') });
  });
});

test('logs are the files pm2 writes for the app', async () => {
  await writeFile(join(home, 'web-out.log'), 'hello out\n');
  await writeFile(join(home, 'web-error.log'), 'hello err\n');
  const { manager } = managerOf(jlist(app()));
  const logs = await manager.logs({});
  expect(logs.ok && logs.value.map(({ text, source }) => [text, source])).toEqual([
    ['hello out', join(home, 'web-out.log')],
    ['hello err', join(home, 'web-error.log')],
  ]);
});

describe('the list of pm2', () => {
  test('is found behind a banner', () => {
    const list = parseList(`${BANNER}${JSON.stringify([app()])}`);
    expect(list).toMatchObject({ ok: true, value: [{ name: 'web', pm_id: 0 }] });
    expect(parseList(`${BANNER}[]`)).toEqual({ ok: true, value: [] });
  });

  test('keeps nothing of the environment of the app', () => {
    expect(JSON.stringify(parseList(JSON.stringify([app()])))).not.toContain('of the app');
  });

  test('is a failure when there is none', () => {
    expect(parseList(BANNER)).toMatchObject({ ok: false });
  });
});

test('a stop in the log counts for the end it belongs to only', () => {
  expect(lastEnd(STOPPED_LOG, 'web', 0)).toEqual({ exitCode: 0, signal: null, byStop: true });
  const killedAgain = `${STOPPED_LOG}2026-11-21T03:28:00: PM2 log: App [web:0] starting in -fork mode-
2026-11-21T03:28:10: PM2 log: App [web:0] exited with code [0] via signal [SIGKILL]\n`;
  expect(lastEnd(killedAgain, 'web', 0)).toEqual({ exitCode: 0, signal: 'SIGKILL', byStop: false });
  expect(lastEnd(OWN_LOG, 'web', 1)).toBeNull();
});
