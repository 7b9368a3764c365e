import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadRunbooks } from '../../src/runbooks/load.ts';
import { configOf } from '../support/config.ts';
import { folder, load, mvps } from './support.ts';

/** The format that was asked for, to the letter. */
const ASKED_FOR = `common_issues:
  - name: "Worker stopped responding"
    symptoms:
      - worker_process_status == "dead"
      - last_heartbeat > 5 minutes
    auto_resolve:
      - command: "ssh pc 'supervisorctl restart worker_{name}'"
      - wait: 30
      - verify: "check worker heartbeat"
  - name: "Brain API high memory"
    symptoms:
      - memory_usage > 90%
      - service == "brain-api"
    auto_resolve:
      - command: "ssh box 'systemctl restart brain-api'"
      - wait: 10
      - verify: "curl health endpoint"
  - name: "Disk space critical"
    symptoms:
      - disk_usage > 90%
    auto_resolve:
      - command: "ssh box 'journalctl --vacuum-time=3d'"
      - command: "ssh box 'docker system prune -f'"
      - alert_if: disk_usage > 95%
`;

/** One runbook around the steps (or other keys) that a test is about. */
const around = (lines: string) => `common_issues:\n  - name: Mine\n    symptoms:\n      - disk_usage > 90%\n${lines}`;
const step = (text: string) => around(`    auto_resolve:\n      - ${text}\n`);

describe('the format as it was asked for', () => {
  it('loads as it stands', async () => {
    const { runbooks, problems } = await load(ASKED_FOR, mvps());
    expect(problems).toEqual([]);
    expect(runbooks.map((runbook) => [runbook.name, runbook.cause, runbook.shipped])).toEqual([
      ['Worker stopped responding', 'worker-stopped-responding', false],
      ['Brain API high memory', 'brain-api-high-memory', false],
      ['Disk space critical', 'disk-space-critical', false],
    ]);
    const [worker, brain, disk] = runbooks;
    expect(worker?.steps).toEqual([
      {
        kind: 'command',
        command: {
          id: 'Worker stopped responding#1',
          host: 'pc',
          argv: ['supervisorctl', 'restart', 'worker_{name}'],
          text: "ssh pc 'supervisorctl restart worker_{name}'",
        },
      },
      { kind: 'wait', milliseconds: 30_000 },
      { kind: 'verify', checks: [1, 2, 3, 4, 5, 6, 7].map((number) => `worker_${number}/heartbeat`) },
    ]);
    expect(brain?.steps.slice(1)).toEqual([
      { kind: 'wait', milliseconds: 10_000 },
      { kind: 'verify', checks: ['brain-api/http'] },
    ]);
    expect(disk?.steps.map((each) => (each.kind === 'command' ? each.command.argv : each))).toEqual([
      ['journalctl', '--vacuum-time=3d'],
      ['docker', 'system', 'prune', '-f'],
      { kind: 'alert', when: 'disk_usage > 95%' },
    ]);
    expect(disk?.steps.flatMap((each) => (each.kind === 'command' ? [each.command.id] : []))).toEqual([
      'Disk space critical#1',
      'Disk space critical#2',
    ]);
  });

  it('says which line names a host that is not there', async () => {
    const config = configOf('hosts:\n  box: { ssh: box }\n  pcx: { ssh: pcx }\nservices: {}\n');
    const { problems } = await load(ASKED_FOR, config);
    expect(problems[0]).toMatchObject({
      line: 7,
      severity: 'error',
      message: expect.stringContaining('no host pc under hosts:; did you mean pcx?'),
    });
  });

  it('refuses a verify that names no check of the inventory, at its line', async () => {
    const config = configOf(
      'hosts:\n  pc: { ssh: pc }\n  box: { ssh: box }\nservices:\n  brain-api:\n    manager: systemd\n    checks:\n      - http: http://127.0.0.1:8080/health\n',
    );
    const { runbooks, problems } = await load(ASKED_FOR, config);
    expect(problems).toEqual([
      expect.objectContaining({
        line: 9,
        column: 17,
        message: expect.stringContaining('"check worker heartbeat" names no check'),
      }),
    ]);
    expect(runbooks.map((runbook) => runbook.name)).toEqual(['Brain API high memory', 'Disk space critical']);
  });
});

describe('verify in words', () => {
  const config = configOf(`
services:
  cache:
    manager: systemd
    unit: redis-server
    checks:
      - redis: redis://127.0.0.1:6379
      - tcp: 127.0.0.1:6379
  web:
    manager: systemd
    checks:
      - http: http://127.0.0.1:80/
        name: front
      - certificate: 127.0.0.1:443
`);

  it.each([
    ['web/front', ['web/front']],
    ['cache', ['cache/redis', 'cache/tcp']],
    ['check that redis answers ping', ['cache/redis']],
    ['cache port is listening again', ['cache/tcp']],
    ['curl the front page', ['web/front']],
    ['the certificate', ['web/certificate']],
    ['{service}', ['{service}/*']],
  ])('%s', async (words, checks) => {
    const { runbooks, problems } = await load(step(`verify: "${words}"`), config);
    expect(problems).toEqual([]);
    expect(runbooks[0]?.steps).toEqual([{ kind: 'verify', checks }]);
  });

  it.each(['make sure it is ok', 'check the mail queue', 'cache heartbeat', 'web/back'])('not %s', async (words) => {
    const { runbooks, problems } = await load(step(`verify: "${words}"`), config);
    expect(runbooks).toEqual([]);
    expect(problems).toHaveLength(1);
  });
});

describe('commands', () => {
  const config = configOf('hosts:\n  pc: { ssh: me@pc.example }\nservices: {}\n');
  const commandOf = async (text: string) => {
    const { runbooks, problems } = await load(step(`command: ${JSON.stringify(text)}`), config);
    const first = runbooks[0]?.steps[0];
    return { command: first?.kind === 'command' ? first.command : null, problems };
  };

  it.each([
    ['df -h', 'local', ['df', '-h']],
    [`printf '%s|%s' "a b" c\\ d`, 'local', ['printf', '%s|%s', 'a b', 'c d']],
    ["ssh pc systemctl restart '{unit}'", 'pc', ['systemctl', 'restart', '{unit}']],
    ['ssh me@pc.example \'echo "two words" \\\'', 'pc', null],
    [`ssh pc 'echo "two words"'`, 'pc', ['echo', 'two words']],
    [`echo ""`, 'local', ['echo', '']],
  ])('%s', async (text, host, argv) => {
    const { command, problems } = await commandOf(text);
    if (argv === null) return expect(problems).toHaveLength(1);
    expect(problems).toEqual([]);
    expect(command).toMatchObject({ host, argv });
  });

  it.each([
    'rm -rf /tmp/a; reboot',
    'cat /etc/passwd | mail x',
    'a && b',
    'sleep 9 &',
    'echo $HOME',
    'echo "$(id)"',
    'echo `id`',
    'echo "`id`"',
    'ls *.log',
    'ls a?',
    'ls [ab]',
    'cat < /etc/shadow',
    'echo x > /etc/cron.d/x',
    'cat ~/x',
    '(id)',
    'rm {a,b}',
    'echo {worker}',
    'FOO=1 id',
    '{service} stop',
    'sh -c id',
    'sudo bash -c id',
    '/bin/sh x',
    'echo "open',
    "ssh pc 'cat a | b'",
    `ssh pc "echo '$(id)'"`,
    "ssh -o ProxyCommand=id pc 'x'",
    'ssh pc',
    "ssh nowhere 'id'",
    "ssh pc 'ssh other id'",
    'echo a\nreboot',
    '',
  ])('refuses %j with its line', async (text) => {
    const { command, problems } = await commandOf(text);
    expect(command).toBeNull();
    expect(problems).toEqual([expect.objectContaining({ line: 6, severity: 'error' })]);
  });
});

describe('richer keys and steps', () => {
  const config = configOf('services:\n  api:\n    manager: systemd\n    checks:\n      - tcp: 127.0.0.1:80\n');

  it('takes causes, refutations, advice, priority and tools', async () => {
    const { runbooks, problems } = await load(
      around(`    unless: [stopped_on_purpose == true]
    cause: full-of-logs
    because: "{disk_path} is full"
    advice: "look at {disk_path}"
    priority: 7
    leave_alone: true
    auto_resolve:
      - restart: "{service}"
      - rotate_log: api
      - tool: restore_file
        with: { service: api, path: "{changed_file}" }
        because: it was changed
      - wait: 1m
      - wait: 500ms
`),
      config,
    );
    expect(problems).toEqual([]);
    expect(runbooks[0]).toMatchObject({
      cause: 'full-of-logs',
      because: '{disk_path} is full',
      advice: 'look at {disk_path}',
      priority: 7,
      leaveAlone: true,
      unless: [{ text: 'stopped_on_purpose == true' }],
      steps: [
        { kind: 'action', action: { tool: 'restart_service', arguments: { service: '{service}' } } },
        { kind: 'action', action: { tool: 'rotate_log', arguments: { service: 'api' } } },
        {
          kind: 'action',
          action: {
            tool: 'restore_file',
            arguments: { service: 'api', path: '{changed_file}' },
            reason: 'it was changed',
          },
        },
        { kind: 'wait', milliseconds: 60_000 },
        { kind: 'wait', milliseconds: 500 },
      ],
    });
  });

  it.each([
    [step('restart: apii'), 6, 'did you mean api?'],
    [step('restrat: api'), 6, 'did you mean restart?'],
    [step('tool: delete_everything'), 6, 'start_service'],
    [step('wait: soon'), 6, 'seconds (30)'],
    [step('wait: 3 days'), 6, 'an hour at the most'],
    [step('alert_if: disk_usge > 95%'), 6, 'did you mean disk_usage?'],
    [step('alert_if: disk_usage >'), 6, 'not understood'],
    [step('{ tool: rotate_log, with: { service: "{largest_log_servic}" } }'), 6, 'did you mean {largest_log_service}?'],
    [step('{ wait: 3, verify: api }'), 6, 'not known'],
    [around('    symptms: [a == 1]\n'), 5, 'did you mean symptoms?'],
    [around('    unless: [stoped_on_purpose == true]\n'), 5, 'did you mean stopped_on_purpose?'],
    [around('    priority: high\n'), 5, 'priority'],
    ['common_issues:\n  - symptoms: [disk_usage > 90%]\n', 2, 'name: is missing'],
    ['common_issues:\n  - name: x\n    symptoms: []\n', 3, 'at least one symptom'],
    ['common_issues:\n  - name: x\n    symptoms:\n      - disk_usage > "a"\n', 4, 'cannot be compared'],
    ['common_issues:\n  - name: x\n    name: y\n    symptoms: [disk_usage > 1]\n', 3, 'second time'],
    ['issues: []\n', 1, 'under common_issues:'],
    ['common_issues:\n\t- a\n', 2, ''],
    ['', 1, 'empty'],
    ['- a\n', 1, 'under common_issues:'],
  ])('tells of a mistake at its place (%#)', async (yaml, line, words) => {
    const { problems } = await load(yaml, config);
    expect(problems[0]).toMatchObject({ line, severity: 'error' });
    expect(problems[0]?.message).toContain(words);
  });

  it('keeps a runbook with a misspelt symptom, for it can never act, and warns at the letter', async () => {
    const { runbooks, problems } = await load(
      'common_issues:\n  - name: x\n    symptoms:\n      - service == "a" and disk_usge > 90%\n',
      config,
    );
    expect(runbooks).toHaveLength(1);
    expect(problems).toEqual([
      expect.objectContaining({
        line: 4,
        column: 28,
        severity: 'warning',
        message: expect.stringContaining('disk_usage'),
      }),
    ]);
  });

  it('one mistake leaves out its runbook only', async () => {
    const { runbooks, problems } = await load(
      `${step('wait: soon')}  - name: Good\n    symptoms: [disk_usage > 1%]\n`,
      config,
    );
    expect(problems).toHaveLength(1);
    expect(runbooks.map((runbook) => runbook.name)).toEqual(['Good']);
  });
});

describe('files and folders', () => {
  const config = configOf('services: {}\n');
  const one = (name: string) => `common_issues:\n  - name: ${name}\n    symptoms: [disk_usage > 1%]\n`;

  it('reads the yaml files of a folder, and puts a person’s runbook in place of a shipped one', async () => {
    using own = folder();
    using shipped = folder();
    writeFileSync(join(own.path, 'b.yaml'), one('Disk'));
    writeFileSync(join(own.path, 'a.yml'), one('Other'));
    writeFileSync(join(own.path, 'README.md'), 'not one');
    writeFileSync(join(shipped.path, 'x.yaml'), one('Disk'));
    const { runbooks, problems } = await loadRunbooks({ paths: [own.path], config, shippedFolder: shipped.path });
    expect(problems).toEqual([]);
    expect(runbooks.map((runbook) => [runbook.name, runbook.shipped])).toEqual([
      ['Other', false],
      ['Disk', false],
    ]);
  });

  it('tells of what is not there, and of two that are called the same', async () => {
    using own = folder();
    writeFileSync(join(own.path, 'a.yaml'), one('Disk'));
    writeFileSync(join(own.path, 'b.yaml'), one('Disk'));
    const { runbooks, problems } = await loadRunbooks({
      paths: [own.path, join(own.path, 'none')],
      config,
      shippedFolder: null,
    });
    expect(runbooks).toHaveLength(1);
    expect(problems.map((problem) => problem.message)).toEqual([
      expect.stringContaining('ENOENT'),
      expect.stringContaining('already'),
    ]);
  });
});
