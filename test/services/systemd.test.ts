import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/base/clock.ts';
import type { Service } from '../../src/config/schema.ts';
import type { CommandResult } from '../../src/hosts/host.ts';
import { createSystemdManager } from '../../src/services/systemd.ts';
import { parseProperties, parseTimestamp, statusOfUnit, stoppedByJob } from '../../src/services/systemd-status.ts';
import { errorOf, scriptedHost, serviceOf, unwrap } from './fixture.ts';

/** As systemd 252 prints it. */
const show = (settings: Record<string, string | number>): Partial<CommandResult> => ({
  stdout: Object.entries({
    Type: 'simple',
    MainPID: 0,
    ExecMainCode: 0,
    ExecMainStatus: 0,
    Result: 'success',
    NRestarts: 0,
    LoadState: 'loaded',
    UnitFileState: 'enabled',
    CanReload: 'no',
    StateChangeTimestamp: 'Sat 2026-11-21 03:41:25 UTC',
    ...settings,
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join(''),
});
const RUNNING = show({ ActiveState: 'active', SubState: 'running' });
const STOPPED = show({ ActiveState: 'inactive', SubState: 'dead', StateChangeTimestamp: '' });
const STARTED_ENTRY = '{"MESSAGE_ID":"39f53479d3a045ac8e11786248231fbf","JOB_TYPE":"start"}\n';
const STOP_ENTRY = '{"MESSAGE_ID":"de5b426a63be47a7b6ac3eaac82e2f6f","JOB_TYPE":"stop"}\n';
const SUCCESS_ENTRY = '{"MESSAGE_ID":"7ad2d189f7e94e70a38c781354912448"}\n';
const STOPPED_ENTRY = '{"MESSAGE_ID":"9d1aaa27d60140bd96365438aad20286","JOB_TYPE":"stop"}\n';

function manager(script: [string, Partial<CommandResult>][], settings: Partial<Service> = {}) {
  let now = 1_000_000;
  const clock: Clock = {
    now: () => now,
    sleep: async (milliseconds) => {
      now += milliseconds;
    },
  };
  const scripted = scriptedHost('linux', script);
  const service = serviceOf({ manager: 'systemd', name: 'redis', drain: 2000, starts_within: 5000, ...settings });
  return { ...scripted, manager: createSystemdManager({ service, host: scripted.host, clock }) };
}

describe('the status of a unit', () => {
  const statusOf = (settings: Record<string, string | number>, paused = false, onPurpose: boolean | null = null) =>
    statusOfUnit(parseProperties(show(settings).stdout ?? ''), paused, onPurpose);

  it('tells running, paused, starting, stopping and absent', () => {
    expect(statusOf({ ActiveState: 'active', SubState: 'running', MainPID: 61 })).toMatchObject({
      state: 'running',
      mainPid: 61,
      since: Date.parse('2026-11-21T03:41:25Z'),
      exitCode: null,
    });
    expect(statusOf({ ActiveState: 'active', SubState: 'running', MainPID: 61 }, true).state).toBe('paused');
    expect(statusOf({ ActiveState: 'activating', SubState: 'start' }).state).toBe('starting');
    expect(statusOf({ ActiveState: 'deactivating', SubState: 'stop-sigterm' }).state).toBe('stopping');
    expect(statusOf({ ActiveState: 'inactive', LoadState: 'not-found', Id: 'x.service' })).toMatchObject({
      state: 'absent',
      summary: 'there is no unit x.service',
    });
  });

  it('tells how it ended', () => {
    expect(
      statusOf({
        ActiveState: 'failed',
        SubState: 'failed',
        ExecMainCode: 1,
        ExecMainStatus: 3,
        Result: 'exit-code',
        NRestarts: 5,
      }),
    ).toMatchObject({
      state: 'failed',
      exitCode: 3,
      exitSignal: null,
      restarts: 5,
      stoppedOnPurpose: false,
      summary: 'failed (failed), last exit: code 3, systemd restarted it 5 times',
    });
    expect(
      statusOf({
        ActiveState: 'activating',
        SubState: 'auto-restart',
        ExecMainCode: 2,
        ExecMainStatus: 9,
        Result: 'signal',
      }),
    ).toMatchObject({ state: 'starting', exitSignal: 'SIGKILL', exitCode: null });
    expect(
      statusOf({ ActiveState: 'failed', SubState: 'failed', Result: 'oom-kill', ExecMainCode: 2, ExecMainStatus: 9 })
        .outOfMemory,
    ).toBe(true);
    expect(statusOf({ ActiveState: 'failed', SubState: 'failed', Result: 'start-limit-hit' }).summary).toContain(
      'gave up',
    );
  });

  it('knows what somebody wanted', () => {
    expect(statusOf({ ActiveState: 'inactive' }, false, true)).toMatchObject({
      state: 'stopped',
      stoppedOnPurpose: true,
    });
    expect(statusOf({ ActiveState: 'inactive' }, false, false).stoppedOnPurpose).toBe(false);
    expect(statusOf({ ActiveState: 'inactive', LoadState: 'masked' }).stoppedOnPurpose).toBe(true);
    // A stop that needed SIGKILL leaves the unit failed.
    expect(
      statusOf({ ActiveState: 'failed', SubState: 'failed', ExecMainCode: 2, ExecMainStatus: 9 }, false, true),
    ).toMatchObject({ state: 'stopped', stoppedOnPurpose: true });
    // A job of a timer that has done its work did not die.
    expect(statusOf({ ActiveState: 'inactive', Type: 'oneshot' }, false, false).stoppedOnPurpose).toBeNull();
  });

  it('is read from the journal: a stop job, or an end without one', () => {
    expect(stoppedByJob(STARTED_ENTRY + STOP_ENTRY + SUCCESS_ENTRY + STOPPED_ENTRY)).toBe(true);
    expect(stoppedByJob(STARTED_ENTRY + SUCCESS_ENTRY)).toBe(false);
    expect(stoppedByJob(STARTED_ENTRY + STOP_ENTRY + STOPPED_ENTRY + STARTED_ENTRY + SUCCESS_ENTRY)).toBe(false);
    expect(stoppedByJob(STARTED_ENTRY + STOP_ENTRY.replace('"stop"', '"restart"'))).toBe(false);
    expect(stoppedByJob('-- No entries --\n{broken\n')).toBeNull();
  });

  it('reads a time only in UTC', () => {
    expect(parseTimestamp('')).toBeNull();
    expect(parseTimestamp('Sat 2026-11-21 03:41:25 CET')).toBeNull();
  });
});

describe('the systemd manager', () => {
  it('asks the journal why a unit is inactive', async () => {
    const { manager: redis, left } = manager([
      ['systemctl show', STOPPED],
      [
        'journalctl -b -n 20 -o json --output-fields=MESSAGE_ID,JOB_TYPE _PID=1 UNIT=redis.service',
        { stdout: STARTED_ENTRY + STOP_ENTRY },
      ],
    ]);
    expect(unwrap(await redis.status())).toMatchObject({ state: 'stopped', stoppedOnPurpose: true });
    expect(left).toEqual([]);
  });

  it('forgets failures before it starts, and needs root for that', async () => {
    const { manager: redis, seen } = manager([
      ['systemctl show', show({ ActiveState: 'failed', SubState: 'failed', Result: 'start-limit-hit' })],
      ['systemctl reset-failed redis.service', {}],
      ['systemctl start redis.service', {}],
      ['systemctl show', RUNNING],
    ]);
    expect(unwrap(await redis.start())).toContain('started redis.service');
    expect(seen.map(({ privileged }) => Boolean(privileged))).toEqual([false, true, true, false]);
  });

  it('does not take a crash loop for a start, though it is active at the moment', async () => {
    const { manager: redis } = manager([
      ['systemctl show', STOPPED],
      ['systemctl start', {}],
      ['systemctl show', show({ ActiveState: 'active', SubState: 'running', MainPID: 7, NRestarts: 2 })],
      ['journalctl --unit=redis.service', { stdout: '2026-11-21T03:46:32+0000 vm sh[479]: broken config\n' }],
    ]);
    expect(errorOf(await redis.start())).toMatch(/did not stay.*broken config/s);
  });

  it('kills only after the drain time, and only what is still stopping', async () => {
    const { manager: redis, seen } = manager([
      ['systemctl stop redis.service', { exitCode: null, failure: 'timed-out' }],
      ['systemctl show', show({ ActiveState: 'deactivating', SubState: 'stop-sigterm' })],
      ['systemctl kill -s SIGKILL redis.service', {}],
      ['systemctl show', show({ ActiveState: 'deactivating', SubState: 'stop-sigkill' })],
      ['systemctl show', show({ ActiveState: 'failed', SubState: 'failed' })],
    ]);
    expect(unwrap(await redis.stop())).toContain('by SIGKILL, not having ended within 2 s');
    expect(seen[0]?.timeoutMs).toBe(2000);
  });

  it('waits for a slow start after a restart and kills nothing', async () => {
    const { manager: redis, left } = manager([
      ['systemctl show', RUNNING],
      ['systemctl restart redis.service', { exitCode: null, failure: 'timed-out' }],
      ['systemctl show', show({ ActiveState: 'activating', SubState: 'start' })],
      ['systemctl show', show({ ActiveState: 'activating', SubState: 'start' })],
      ['systemctl show', show({ ActiveState: 'activating', SubState: 'start' })],
      ['systemctl show', RUNNING],
      ['systemctl show', RUNNING],
    ]);
    expect(unwrap(await redis.restart())).toBe('restarted redis.service');
    expect(left).toEqual([]);
  });

  it('leaves masked and unknown units alone', async () => {
    expect(
      errorOf(
        await manager([['systemctl show', show({ LoadState: 'masked', ActiveState: 'inactive' })]]).manager.start(),
      ),
    ).toContain('masked');
    expect(
      errorOf(
        await manager([
          ['systemctl show', show({ LoadState: 'not-found', ActiveState: 'inactive' })],
        ]).manager.restart(),
      ),
    ).toContain('there is no unit');
    for (const unit of ['*', 'redis*', '-.mount', '--all'])
      expect(errorOf(await manager([], { unit }).manager.stop())).not.toBe('no error');
  });

  it('reloads only what can', async () => {
    expect(errorOf(await manager([['systemctl show', RUNNING]]).manager.reload())).toContain('cannot reload');
  });

  it('talks to the manager of the user for a unit of the user, without root', async () => {
    const { manager: redis, seen } = manager(
      [
        ['systemctl --user stop redis.timer', {}],
        ['systemctl --user show', STOPPED],
      ],
      { user: true, unit: 'redis.timer' },
    );
    unwrap(await redis.stop());
    expect(seen.some(({ privileged }) => privileged)).toBe(false);
  });

  it('reads the journal of a window, as root when it is closed to this user', async () => {
    const { manager: redis, seen } = manager([
      [
        'journalctl --unit=redis.service --no-pager --output=short-iso --since=@1000 --until=@2000',
        {
          stderr: 'Hint: You are currently not seeing messages from other users and the system.',
          stdout: '-- No entries --\n',
        },
      ],
      ['journalctl', { stdout: '-- Journal begins at x --\n2026-11-21T03:46:32+0000 vm redis[479]: ready\n' }],
    ]);
    expect(unwrap(await redis.logs({ since: 1_000_000, until: 2_000_000 }))).toEqual([
      { text: '2026-11-21T03:46:32+0000 vm redis[479]: ready', source: 'journald', truncated: false },
    ]);
    expect(seen.map(({ privileged }) => Boolean(privileged))).toEqual([false, true]);
  });

  it('says what came back when systemd cannot be asked', async () => {
    const { manager: redis } = manager([
      [
        'systemctl show',
        { exitCode: 1, stderr: 'System has not been booted with systemd as init system (PID 1).\nCan’t operate.\n' },
      ],
    ]);
    expect(errorOf(await redis.status())).toContain('has not been booted with systemd');
  });
});
