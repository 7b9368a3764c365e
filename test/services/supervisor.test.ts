import { describe, expect, test } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import { createSupervisorManager } from '../../src/services/supervisor.ts';
import { lastExit, uptimeOf } from '../../src/services/supervisor-status.ts';
import { createScriptedHost, type Recorded, serviceOf } from './docker-scripted-host.ts';

// Answers of supervisor 4.2.5, recorded from a real supervisord. Its exit code is 3 when a program is not running.
const MAIN_LOG = `2026-11-21 03:24:46,285 WARN exited: done (exit status 7; not expected)
2026-11-21 03:24:48,220 WARN exited: crash (exit status 3; not expected)
2026-11-21 03:24:48,422 INFO gave up: crash entered FATAL state, too many start retries too quickly
2026-11-21 03:24:50,432 WARN exited: web (terminated by SIGKILL; not expected)
2026-11-21 03:24:51,344 INFO spawned: 'back' with pid 13792
2026-11-21 03:24:51,354 WARN exited: back (exit status 4; not expected)
2026-11-21 03:24:53,589 WARN stopped: stopped-one (terminated by SIGTERM)
2026-11-21 03:24:54,100 INFO exited: once (exit status 0; expected)
`;
const NOW = Date.parse('2026-11-21T03:30:00Z');
const clock: Clock = { now: () => NOW, sleep: async () => undefined };
const mainLog: Recorded = { command: 'supervisorctl maintail -65536', stdout: MAIN_LOG };

const managerOf = (script: Recorded[], more: Record<string, unknown> = {}, name = 'web') => {
  const host = createScriptedHost(script);
  const service = serviceOf({ manager: 'supervisor', ...more }, name);
  return { host, manager: createSupervisorManager({ service, host, clock }) };
};

describe('status of a program', () => {
  test('running, since its uptime ago', async () => {
    const { manager, host } = managerOf([
      {
        command: 'supervisorctl status web',
        stdout: 'web                              RUNNING   pid 13557, uptime 1 day, 0:00:02\n',
      },
    ]);
    expect(await manager.status()).toMatchObject({
      ok: true,
      value: { state: 'running', mainPid: 13557, since: NOW - 86_402_000, exitCode: null, stoppedOnPurpose: false },
    });
    host.assertComplete();
  });

  test.each([
    ['web', 'EXITED', 'Nov 21 03:24 AM', 'failed', null, 'SIGKILL', false, 'not running, last exit: SIGKILL'],
    ['done', 'EXITED', 'Nov 21 03:24 AM', 'failed', 7, null, false, 'not running, last exit: exit code 7'],
    ['once', 'EXITED', 'Nov 21 03:24 AM', 'stopped', 0, null, false, 'not running, last exit: exit code 0'],
    ['stopped-one', 'STOPPED', 'Nov 21 03:24 AM', 'stopped', null, 'SIGTERM', true, 'stopped by supervisorctl'],
    ['never', 'STOPPED', 'Not started', 'stopped', null, null, null, 'autostart is off'],
    ['back', 'BACKOFF', 'Exited too quickly (process log may have details)', 'starting', 4, null, false, 'tries again'],
    ['crash', 'FATAL', 'Exited too quickly (process log may have details)', 'failed', 3, null, false, 'gave up'],
    ['nope', 'FATAL', "can't find command '/bin/nope'", 'failed', null, null, false, "can't find command '/bin/nope'"],
    ['slow', 'STARTING', '', 'starting', null, null, false, 'starting'],
    ['ending', 'STOPPING', '', 'stopping', null, null, false, 'stopping'],
    ['odd', 'UNKNOWN', '', 'unknown', null, null, null, 'unknown'],
  ])('%s %s %s is %s', async (unit, word, description, state, exitCode, exitSignal, stoppedOnPurpose, summary) => {
    const { manager } = managerOf(
      [
        {
          command: `supervisorctl status ${unit}`,
          ...{ stdout: `${unit.padEnd(32)} ${word.padEnd(9)} ${description}\n`, exitCode: word === 'BACKOFF' ? 0 : 3 },
        },
        mainLog,
      ],
      { unit },
    );
    const status = await manager.status();
    expect(status).toMatchObject({ ok: true, value: { state, exitCode, exitSignal, stoppedOnPurpose } });
    expect(status.ok && status.value.summary).toContain(summary);
  });

  test('{name} is the name of the service; a group is as well as its worst process', async () => {
    const { manager, host } = managerOf(
      [
        { command: 'supervisorctl status worker_mail', stdout: 'worker_mail: ERROR (no such process)\n', exitCode: 4 },
        {
          command: 'supervisorctl status worker_mail:*',
          stdout: `worker_mail:send                 RUNNING   pid 13559, uptime 0:00:05
worker_mail:back                 BACKOFF   Exited too quickly (process log may have details)\n`,
        },
        mainLog,
      ],
      { unit: 'worker_{name}' },
      'mail',
    );
    const status = await manager.status();
    expect(status).toMatchObject({ ok: true, value: { state: 'starting', mainPid: null, exitCode: 4 } });
    expect(status.ok && status.value.summary).toMatch(/^1 of 2 running; worker_mail:back: /);
    host.assertComplete();
  });

  test('a program that is configured but not loaded needs an update', async () => {
    const missing = (name: string): Recorded => ({
      command: `supervisorctl status ${name}`,
      ...{ stdout: `${name.replace(':*', '')}: ERROR (no such process)\n`, exitCode: 4 },
    });
    const avail = 'fresh                            avail     auto      999:999\n';
    const { manager } = managerOf(
      [missing('fresh'), missing('fresh:*'), { command: 'supervisorctl avail', stdout: avail }],
      {
        unit: 'fresh',
      },
    );
    const status = await manager.status();
    expect(status).toMatchObject({ ok: true, value: { state: 'absent' } });
    expect(status.ok && status.value.summary).toContain('supervisorctl update fresh');
  });
});

describe('actions', () => {
  const running: Recorded = {
    command: 'supervisorctl -c /srv/sup.conf status web',
    stdout: 'web                              RUNNING   pid 13557, uptime 0:00:02\n',
  };
  const exited: Recorded = {
    command: 'supervisorctl status web',
    ...{ stdout: 'web                              EXITED    Nov 21 03:24 AM\n', exitCode: 3 },
  };

  test('restart, with the configuration file that the service names', async () => {
    const { manager, host } = managerOf(
      [running, { command: 'supervisorctl -c /srv/sup.conf restart web', stdout: 'web: stopped\nweb: started\n' }],
      { supervisor_config: '/srv/sup.conf' },
    );
    expect(await manager.restart()).toEqual({ ok: true, value: 'supervisorctl restart web' });
    host.assertComplete();
  });

  test('a start that fails tells what the program said', async () => {
    const { manager, host } = managerOf([
      exited,
      { command: 'supervisorctl start web', stdout: 'web: ERROR (spawn error)\n', exitCode: 7 },
      { command: 'supervisorctl tail web stderr', stdout: 'boom\nno such table: users\n' },
    ]);
    const started = await manager.start();
    expect(started).toMatchObject({ ok: false, error: expect.stringContaining('spawn error') });
    expect(!started.ok && started.error).toContain('no such table: users');
    host.assertComplete();
  });

  test('what is as wanted already is no error', async () => {
    const { manager } = managerOf([
      ...[exited, { command: 'supervisorctl start web', stdout: 'web: ERROR (already started)\n' }],
      ...[exited, { command: 'supervisorctl stop web', stdout: 'web: ERROR (not running)\n' }],
    ]);
    expect(await manager.start()).toMatchObject({ ok: true });
    expect(await manager.stop()).toMatchObject({ ok: true });
  });

  test('reload sends the signal the service names', async () => {
    const { manager, host } = managerOf(
      [exited, { command: 'supervisorctl signal USR1 web', stdout: 'web: signalled\n' }],
      {
        reload_signal: 'SIGUSR1',
      },
    );
    expect(await manager.reload()).toMatchObject({ ok: true });
    host.assertComplete();
    expect(await managerOf([]).manager.reload()).toMatchObject({ ok: false });
  });

  test('logs are both streams of the program; one that supervisor does not keep is left out', async () => {
    const { manager } = managerOf([
      exited,
      { command: 'supervisorctl tail -500 web stdout', stdout: 'listening on 8080\n\n' },
      { command: 'supervisorctl tail -500 web stderr', stdout: 'web: ERROR (no log file)\n', exitCode: 1 },
    ]);
    expect(await manager.logs({ maxBytes: 1000 })).toEqual({
      ok: true,
      value: [{ text: 'listening on 8080', source: 'supervisorctl tail web stdout', truncated: false }],
    });
  });
});

describe('what is in the way is said with its remedy', () => {
  test.each([
    ['the socket is not there', 'unix:///var/run/supervisor.sock no such file\n', '', 4, 'systemctl start supervisor'],
    ['nobody listens', 'http://127.0.0.1:9 refused connection\n', '', 4, 'systemctl start supervisor'],
    ['no configuration file', '', 'Error: could not find config file /nope.conf\n', 2, 'Check supervisor_config'],
    ['a password is wanted', 'Server requires authentication\nerror: 401 Unauthorized\n', '', 1, '[supervisorctl]'],
  ])('%s', async (_, stdout, stderr, exitCode, remedy) => {
    const { manager } = managerOf([{ command: 'supervisorctl status web', stdout, stderr, exitCode }]);
    expect(await manager.status()).toMatchObject({ ok: false, error: expect.stringContaining(remedy) });
  });

  const refused =
    "error: <class 'PermissionError'>, [Errno 13] Permission denied: file: /usr/lib/python3/dist-packages/supervisor/xmlrpc.py line: 557\n";

  test('a socket of root is tried as root', async () => {
    const { manager, host } = managerOf([
      { command: 'supervisorctl status web', stdout: refused, exitCode: 1 },
      { command: 'supervisorctl status web', stdout: 'web  RUNNING   pid 7, uptime 0:00:02\n', privileged: true },
    ]);
    expect(await manager.status()).toMatchObject({ ok: true, value: { mainPid: 7 } });
    host.assertComplete();
  });

  test('and if that is refused, too, it says what to allow', async () => {
    const { manager } = managerOf([
      { command: 'supervisorctl status web', stdout: refused, exitCode: 1 },
      {
        command: 'supervisorctl status web',
        failure: 'not-permitted',
        stderr: 'sudo wants a password',
        privileged: true,
      },
    ]);
    expect(await manager.status()).toMatchObject({
      ok: false,
      error: expect.stringContaining('sudo wants a password'),
    });
  });
});

test('the last end of a process is found among those of others, by its own name only', () => {
  expect(lastExit(MAIN_LOG, 'group:web')).toMatchObject({ signal: 'SIGKILL', exitCode: null });
  expect(lastExit(MAIN_LOG, 'we')).toBeNull();
  expect(
    lastExit(`${MAIN_LOG}2026-11-21 03:25:00,000 WARN exited: web (exit status 1; not expected)\n`, 'web'),
  ).toEqual({
    ...{ signal: null, exitCode: 1, localTime: Date.parse('2026-11-21T03:25:00Z') },
  });
});

test.each([
  ['pid 1, uptime 0:00:02', 2000],
  ['pid 1, uptime 12:00:00', 43_200_000],
  ['pid 1, uptime 31 days, 1:02:03', 2_682_123_000],
  ['Not started', null],
])('uptime in %j', (description, expected) => {
  expect(uptimeOf(description)).toBe(expected);
});
