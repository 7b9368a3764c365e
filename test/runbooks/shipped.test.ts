import { describe, expect, it } from 'vitest';
import type { Facts } from '../../src/incidents/incident.ts';
import { loadRunbooks } from '../../src/runbooks/load.ts';
import { diagnosisFrom, explain, findRunbook } from '../../src/runbooks/match.ts';
import { configOf } from '../support/config.ts';

const config = configOf(`
services:
  api:
    manager: systemd
    starts_within: 30s
    checks:
      - http: http://127.0.0.1:8080/health
`);
const { runbooks, problems } = await loadRunbooks({ paths: [], config });

/** A service that is well, as the facts of any incident have it; each case changes what its fault changes. */
const well: Facts = {
  service: 'api',
  host: 'local',
  is_machine: false,
  host_unreachable: false,
  process_status: 'running',
  manager_state: 'running',
  stopped_on_purpose: false,
  reloadable: true,
  out_of_memory: false,
  restarts: 0,
  restarts_climbing: false,
  uptime: 3_600_000,
  within_start_time: false,
  failing_checks: 1,
  failing_kind: 'http',
  unresponsive: false,
  tcp_open: true,
  tcp_port: 8080,
  port_taken: false,
  dependency_failing: 'none',
  disk_usage: 40,
  disk_path: '/',
  own_disk_full: false,
  inode_usage: 5,
  memory_usage: 30,
  machine_memory_usage: 30,
  log_rotatable: true,
  log_over_limit: false,
  log_size: 1000,
  log_path: '/var/log/api.log',
  largest_log: '/var/log/api.log',
  largest_log_size: 1000,
  largest_log_service: 'api',
  largest_log_on_full_disk: true,
  clearable: false,
  config_changed: false,
  config_valid: true,
  changed_file: '/etc/api.conf',
  release_changed: false,
  previous_release_available: true,
  current_release: 'v2',
  recovering: false,
  heaviest_service: 'api',
  heaviest_memory: 5e9,
  ...Object.fromEntries(
    [
      'address_in_use',
      'no_space',
      'permission',
      'module_missing',
      'oom',
      'too_many_open_files',
      'config_error',
      'setting_missing',
      'crash',
      'read_only',
    ].map((name) => [`log_has_${name}`, false]),
  ),
  ...Object.fromEntries(
    [
      'start_service',
      'restart_service',
      'continue_process',
      'rotate_log',
      'restore_file',
      'activate_release',
      'reload_service',
      'end_process',
      'clear_directory',
      'end_idle_sessions',
    ].map((name) => [`tried_${name}`, 0]),
  ),
};
const dead: Facts = {
  process_status: 'dead',
  manager_state: 'failed',
  tcp_open: false,
  http_reason: 'refused',
  exit_code: 1,
  exit_signal: 'none',
};
const killed: Facts = { ...dead, exit_code: undefined as never, exit_signal: 'SIGKILL' };
const hung: Facts = { unresponsive: true, http_reason: 'timed-out' };
const diskFull: Facts = {
  service: 'machine',
  is_machine: true,
  process_status: undefined as never,
  failing_kind: 'disk',
  disk_usage: 97,
  largest_log_size: 5e8,
};
/** As a service sees it whose log could not be written any more. */
const noRoom: Facts = { disk_usage: 100, disk_path: '/data', own_disk_full: true, largest_log_size: 5e8 };
const machineShort: Facts = {
  service: 'machine',
  is_machine: true,
  process_status: undefined as never,
  failing_kind: 'memory',
  memory_usage: 95,
};

/** Name of the runbook; facts under which it is the one; facts, near to them, under which it is not even a candidate. */
const cases: [name: string, is: Facts, isNot: Facts][] = [
  ['Process is down', killed, { ...killed, stopped_on_purpose: true }],
  ['Process is down', killed, { ...killed, config_valid: false }],
  ['Process is down', killed, { ...killed, port_taken: true }],
  ['Process is down', killed, { ...killed, tried_start_service: 2 }],
  ['Stopped on purpose', { ...killed, stopped_on_purpose: true }, { ...killed, stopped_on_purpose: null }],
  ['Ended for want of memory', { ...killed, out_of_memory: true }, { out_of_memory: true }],
  [
    'Process is paused',
    { ...hung, process_status: 'paused' },
    { ...hung, process_status: 'paused', tried_continue_process: 1 },
  ],
  [
    'Process stays paused',
    { ...hung, process_status: 'paused', tried_continue_process: 1 },
    { ...hung, process_status: 'paused' },
  ],
  ['Process hangs', hung, { ...hung, within_start_time: true }],
  ['Process hangs', hung, { ...hung, dependency_failing: 'db' }],
  ['Process hangs', hung, { ...hung, tcp_open: false }],
  ['Process hangs', { ...hung, failing_kind: 'redis' }, { ...hung, failing_kind: 'postgres' }],
  [
    'Process does not listen',
    { tcp_open: false, http_reason: 'refused' },
    { tcp_open: false, http_reason: 'refused', tried_restart_service: 1 },
  ],
  [
    'Container is unhealthy',
    { manager_health: 'unhealthy', failing_kind: 'container' },
    { manager_health: 'unhealthy', http_status: 500 },
  ],
  [
    'Out of file descriptors',
    { log_has_too_many_open_files: true },
    { log_has_too_many_open_files: true, failing_checks: 0 },
  ],
  ['Crash loop', { ...dead, restarts: 7, restarts_climbing: true }, { ...dead, restarts: 7 }],
  ['Port is taken', { ...dead, port_taken: true, port_holder: 'python3', port_holder_pid: 4242 }, { port_taken: true }],
  [
    'Port is held by a stray',
    { ...dead, port_taken: true, port_holder_endable: true },
    { ...dead, port_taken: true, port_holder_endable: false },
  ],
  [
    'Invalid configuration, still serving without reload',
    { config_changed: true, config_valid: false, reloadable: false },
    { config_changed: true, config_valid: false },
  ],
  ['Permission denied at start', { ...dead, log_has_permission: true }, { ...killed, log_has_permission: true }],
  [
    'Database is recovering',
    { recovering: true, within_start_time: true, failing_kind: 'postgres' },
    { recovering: true, failing_kind: 'postgres' },
  ],
  [
    'Recovery takes too long',
    { recovering: true, failing_kind: 'postgres' },
    { recovering: true, within_start_time: true },
  ],
  [
    'Service is starting',
    { process_status: 'starting', within_start_time: true, uptime: 5000 },
    { process_status: 'starting' },
  ],
  [
    'Service is starting',
    { within_start_time: true, tcp_open: false, uptime: 5000 },
    { within_start_time: true, tcp_open: false, restarts_climbing: true },
  ],
  [
    'Bad release',
    { ...dead, release_changed: true, log_has_module_missing: true },
    { ...killed, release_changed: true },
  ],
  [
    'Bad release',
    { ...dead, release_changed: true, restarts_climbing: true },
    { ...dead, release_changed: true, tried_activate_release: 1 },
  ],
  [
    'Invalid configuration, still serving',
    { config_changed: true, config_valid: false, failing_kind: 'command' },
    { config_valid: false },
  ],
  [
    'Invalid configuration, not running',
    { ...dead, config_changed: true, config_valid: false },
    { ...dead, config_changed: true, config_valid: false, tried_restore_file: 1 },
  ],
  [
    'Changed configuration, ends at start',
    { ...dead, exit_code: 78, config_changed: true, config_valid: undefined as never, log_has_setting_missing: true },
    { ...dead, config_changed: true, config_valid: true, log_has_setting_missing: true },
  ],
  [
    'Invalid configuration, nothing to restore',
    { config_valid: false, config_changed: false },
    { config_valid: false, config_changed: true },
  ],
  [
    'Log over its limit',
    { failing_kind: 'file_size', log_over_limit: true, log_size: 2e8 },
    { failing_kind: 'file_size', log_over_limit: true, log_rotatable: false },
  ],
  ['Log over its limit', { failing_kind: 'file_size', log_over_limit: true }, { log_over_limit: true }],
  ['Disk is full of a log', diskFull, { ...diskFull, largest_log_on_full_disk: false }],
  [
    'Disk is full and a cache may be cleared',
    { ...diskFull, largest_log_on_full_disk: false, clearable: true },
    { ...diskFull, failing_kind: 'memory', clearable: true },
  ],
  ['Disk is full of a log', { ...noRoom, http_status: 503 }, { ...noRoom, http_status: 200 }],
  ['Disk is full of a log', { ...noRoom, failing_kind: 'heartbeat' }, { failing_kind: 'heartbeat', disk_usage: 100 }],
  [
    'Disk is full of a log, not running',
    { ...dead, ...noRoom, largest_log_service: 'worker' },
    { ...dead, ...noRoom, tried_rotate_log: 1 },
  ],
  [
    'Disk is full of a log, not running',
    { ...dead, ...noRoom, release_changed: true },
    { ...dead, ...noRoom, own_disk_full: false },
  ],
  // A start would fail the same way; once there is room again, it is what is left to do.
  ['Disk is full', { ...dead, ...noRoom, tried_rotate_log: 1 }, { ...dead, disk_usage: 100 }],
  ['Process is down', { ...dead, tried_rotate_log: 1 }, { ...dead, own_disk_full: true }],
  ['Process is down', { ...dead, disk_usage: 100, disk_path: '/backup' }, { ...dead, ...noRoom }],
  [
    'Disk is full and a cache may be cleared',
    { ...noRoom, http_status: 500, largest_log_on_full_disk: false, clearable: true },
    { ...noRoom, http_status: 404, clearable: true },
  ],
  ['Disk is full', { ...diskFull, largest_log_size: 10 }, { failing_kind: 'http', disk_usage: 97 }],
  ['Inodes are used up', { failing_kind: 'disk', inode_usage: 100 }, { failing_kind: 'disk', inode_usage: 50 }],
  ['File system is read-only', { log_has_read_only: true }, { log_has_read_only: true, failing_checks: 0 }],
  [
    'Redis cannot persist',
    { redis_cannot_persist: true, failing_kind: 'redis' },
    { ...dead, redis_cannot_persist: true },
  ],
  [
    'Connection slots exhausted',
    { connection_slots_exhausted: true, failing_kind: 'postgres' },
    { connection_slots_exhausted: true, tried_end_idle_sessions: 1 },
  ],
  [
    'Host cannot be reached',
    { host_unreachable: true, process_status: undefined as never },
    { host_unreachable: false },
  ],
  ['Memory of the machine is short', machineShort, { ...machineShort, heaviest_service: undefined as never }],
  ['Service uses too much memory', { failing_kind: 'memory' }, { failing_kind: 'memory', kind: 'postgres' }],
  [
    'Certificate ends',
    { failing_kind: 'certificate', certificate_days: 3 },
    { failing_kind: 'certificate', certificate_days: 300 },
  ],
];

/** What is undefined was not measured. */
const measured = (change: Facts): Facts =>
  Object.fromEntries(Object.entries({ ...well, ...change }).filter(([, value]) => value !== undefined));

describe('the runbooks that come with Nightshift', () => {
  it('load without a word of complaint', () => {
    expect(problems).toEqual([]);
    expect(runbooks.length).toBeGreaterThan(20);
    expect(runbooks.every((runbook) => runbook.shipped)).toBe(true);
  });

  it('each have a case here', () => {
    expect([...new Set(cases.map(([name]) => name))].toSorted()).toEqual(
      runbooks.map((runbook) => runbook.name).toSorted(),
    );
  });

  it.each(cases)('%s (%#)', (name, is, isNot) => {
    expect(findRunbook(runbooks, measured(is))?.runbook.name).toBe(name);
    const near = runbooks.find((runbook) => runbook.name === name);
    expect(near && explain(near, measured(isNot)).fits).toBe(false);
  });

  it.each([
    ['a 500 and nothing else', { http_status: 500, http_reason: 'status-500' }],
    ['a 502 shortly after a deployment', { http_status: 502, http_reason: 'status-502', release_changed: true }],
    ['a 503 with a refused write in its body', { http_status: 503, check_http_body: '{"error":"READONLY"}' }],
    ['a slow answer', { http_reason: 'slow', latency: 9000 }],
    ['a wrong body', { http_reason: 'body-mismatch', http_status: 200 }],
    ['a 500 beside an old stack trace', { http_status: 500, log_has_crash: true }],
    ['an unhealthy container that answers 500', { http_status: 500, manager_health: 'unhealthy' }],
    ['a 500 beside a large log that no check minds', { http_status: 500, log_over_limit: true }],
    ['a command that fails', { failing_kind: 'command' }],
    [
      'nothing measured but a failing check',
      Object.fromEntries(Object.keys(well).map((key) => [key, undefined as never])),
    ],
  ] satisfies [string, Facts][])('fall through on %s', (_, facts) => {
    expect(findRunbook(runbooks, measured(facts))?.runbook.name).toBeUndefined();
  });

  it('never restart a crash loop, a recovering database or a Redis that cannot save', () => {
    const traps: Facts[] = [
      { ...dead, restarts_climbing: true, restarts: 9 },
      { recovering: true, failing_kind: 'postgres' },
      { redis_cannot_persist: true, failing_kind: 'redis' },
    ];
    for (const facts of traps) {
      const found = findRunbook(runbooks, measured(facts));
      expect(found?.runbook.steps).toEqual([]);
    }
  });

  it('name only known tools and have a person’s next step wherever they do nothing', () => {
    for (const runbook of runbooks) {
      if (runbook.steps.length === 0 && !runbook.leaveAlone) expect(runbook.advice, runbook.name).toBeTruthy();
    }
  });
});

describe('a diagnosis from a runbook', () => {
  const diagnose = (change: Facts) => {
    const facts = measured(change);
    const found = findRunbook(runbooks, facts);
    if (!found) throw new Error('no runbook fits');
    return diagnosisFrom(found.runbook, facts, [], { now: 100_000, config });
  };

  it('has the names filled in', () => {
    const diagnosis = diagnose({ ...dead, config_changed: true, config_valid: false });
    expect(diagnosis).toMatchObject({
      cause: 'configuration-invalid',
      object: 'api',
      rootCause: '/etc/api.conf was changed and is not valid, and api does not start with it',
      source: 'runbook',
      sourceName: 'Invalid configuration, not running',
      plan: [
        { kind: 'action', action: { tool: 'restore_file', arguments: { service: 'api', path: '/etc/api.conf' } } },
        { kind: 'action', action: { tool: 'restart_service', arguments: { service: 'api' } } },
      ],
    });
    expect(diagnosis.confidence).toBeGreaterThan(0.7);
    expect(diagnosis.rootCause + diagnosis.advice).not.toMatch(/[{}]/);
  });

  it('is about the service that is the cause, where that is another', () => {
    const diagnosis = diagnose({ ...diskFull, largest_log_service: 'worker' });
    expect(diagnosis.object).toBe('worker');
    expect(diagnosis.plan[0]).toMatchObject({ action: { tool: 'rotate_log', arguments: { service: 'worker' } } });
    expect(diagnosis.plan[1]).toEqual({ kind: 'alert', when: 'disk_usage > 95%' });
  });

  it('waits until the time for starting is over, and does nothing', () => {
    const diagnosis = diagnose({ recovering: true, within_start_time: true, uptime: 10_000 });
    expect(diagnosis).toMatchObject({ plan: [], waitUntil: 120_000 });
  });

  it('is less sure where something that could refute it was not measured, and says so', () => {
    const full = diagnose(killed);
    const blind = diagnose({ ...killed, config_valid: undefined as never, port_taken: undefined as never });
    expect(blind.confidence).toBeLessThan(full.confidence);
    expect(blind.notChecked).toEqual(['whether config_valid == false', 'whether port_taken == true']);
  });
});
