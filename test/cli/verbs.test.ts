import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { openStore } from '../../src/store/open.ts';
import { isAlive, oneService, workplace } from './nightshift.ts';

// Each verb is a process of its own: on a busy machine a test of ten takes its time.
vi.setConfig({ testTimeout: 60_000 });

test.concurrent('help has examples and the exit codes; what is not known is refused with the nearest', async ({
  onTestFinished,
}) => {
  const { run } = workplace(onTestFinished);
  const help = await run('--help');
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout).toContain('Exit codes: 0 done');
  const verbs = [...help.stdout.matchAll(/^ {2}([a-z]+) \[options\]/gm)].map((match) => match[1] ?? '');
  expect(verbs).toHaveLength(19);
  for (const verb of ['watch', 'fix']) expect((await run(verb, '--help')).stdout).toContain('Examples:\n');
  const typo = await run('staus');
  expect(typo).toMatchObject({ code: 2, stdout: '' });
  expect(typo.stderr).toContain('Did you mean status?');
  expect(await run('status', '--jsn')).toMatchObject({ code: 2, stdout: '' });
});

test.concurrent('check exits 0 when all is well, 1 when something fails, 2 when it cannot run', async ({
  onTestFinished,
}) => {
  const { run, write, json } = workplace(onTestFinished);
  const checks = (well: string, more = '') =>
    write(
      'nightshift.yaml',
      `machine: {}\nservices:\n  api:\n    manager: process\n    match: never-there\n    checks:\n      - command: [test, -e, ${well}]\n${more}`,
    );
  checks('/');
  expect(await run('check')).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/^ok {2}api\/command {2}exit code 0\n1 of 1 checks pass\n$/),
  });
  checks('/not/there', '      - tcp: 127.0.0.1:9\n        as: warn\n');
  expect((await run('check')).code).toBe(1);
  expect(await json('check', 'api')).toMatchObject({
    counts: { ok: 0, failing: 2, unknown: 0 },
    results: [
      {
        check: 'api/command',
        verdict: 'critical',
        reason: 'exit-1',
        duration_ms: expect.any(Number),
        at: expect.stringMatching(/Z$/),
      },
      { check: 'api/tcp', verdict: 'warn', reason: 'refused' },
    ],
  });
  write(
    'nightshift.yaml',
    'machine: {}\nservices:\n  api:\n    manager: process\n    match: never-there\n    checks:\n      - command: [not-a-program]\n',
  );
  expect((await run('check')).code).toBe(2);
  const unknown = await run('check', 'aip');
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toContain('Did you mean api?');
});

test.concurrent('in a new folder every reading verb says in words that there is nothing yet', async ({
  onTestFinished,
}) => {
  const { run, json, write } = workplace(onTestFinished);
  write('nightshift.yaml', oneService());
  expect(await run('status')).toMatchObject({ code: 0, stdout: expect.stringContaining('never measured') });
  expect(await json('status')).toMatchObject({
    name: 'test',
    mode: 'act',
    measured_at: null,
    watch_pid: null,
    services: [{ name: 'api', verdict: 'unknown' }],
    incidents: [],
  });
  expect(await run('incidents')).toMatchObject({ code: 0, stdout: 'no incident so far\n' });
  expect(await json('incidents')).toEqual([]);
  expect(await run('approvals')).toMatchObject({ code: 0, stdout: 'nothing waits for you\n' });
  expect(await json('approvals')).toEqual([]);
  const missing = await run('show', '#12');
  expect(missing).toEqual({
    code: 2,
    stdout: '',
    stderr: 'there is no incident #12: nightshift incidents lists them\n',
  });
  for (const words of [
    ['show', 'abc'],
    ['approve', 'x'],
    ['incidents', '--limit', '-3'],
    ['note', '1', ' '],
    ['ping', 'a/b'],
    ['runbooks', 'shwo'],
    ['runbooks', 'allow', 'Process is down'],
  ]) {
    const refused = await run(...words);
    expect(refused, words.join(' ')).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr, words.join(' ')).toMatch(/^\S.{10,}\n$/);
  }
});

test.concurrent('lists that need no state print JSON and nothing else', async ({ onTestFinished }) => {
  const { run, json, write } = workplace(onTestFinished);
  write('nightshift.yaml', oneService());
  expect(await json('runbooks')).toContainEqual(
    expect.objectContaining({ name: 'Process is down', shipped: true, symptoms: expect.any(Array) }),
  );
  expect(await json('runbooks', 'facts')).toContainEqual({ fact: 'service', type: 'text', about: expect.any(String) });
  expect(await json('runbooks', 'show', 'process', 'is', 'down')).toMatchObject({
    name: 'Process is down',
    steps: expect.any(Array),
  });
  expect(await json('doctor')).toContainEqual(
    expect.objectContaining({ about: 'configuration', state: 'ok', remedy: null }),
  );
  const schema = await run('schema');
  expect(JSON.parse(schema.stdout)).toMatchObject({ title: 'nightshift.yaml', type: 'object' });
  expect(schema).toMatchObject({ code: 0, stderr: '' });
});

test.concurrent('init writes a file that loads, and never over one that is there', async ({ onTestFinished }) => {
  const { run, read, write, folder } = workplace(onTestFinished);
  const wrote = await run('init');
  expect(wrote).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringContaining(join(folder, 'nightshift.yaml')),
  });
  expect(read('nightshift.yaml')).toContain('mode: observe');
  expect((await run('status')).code).toBe(0);
  write('nightshift.yaml', 'name: mine\n');
  expect(await run('init')).toMatchObject({ code: 2, stderr: expect.stringContaining('--force replaces it') });
  expect(read('nightshift.yaml')).toBe('name: mine\n');
  expect(await run('init', '--config', 'no/such/folder.yaml')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('there is no folder'),
  });
});

test.concurrent('a dry run leaves no trace; fix acts and proves; reopen counts against what is remembered', async ({
  onTestFinished,
}) => {
  const { run, json, write, folder, read } = workplace(onTestFinished);
  write('nightshift.yaml', oneService());
  expect(await json('fix', 'api', '--dry-run')).toMatchObject({
    ok: true,
    dry_run: true,
    incident_id: null,
    diagnosis: { cause: 'process-down', diagnosed_by: 'runbook Process is down', plan: [{ kind: 'action' }] },
  });
  expect(await json('incidents')).toEqual([]);
  expect(existsSync(join(folder, 'api.pid'))).toBe(false);

  const fixed = await run('fix', 'api', 'it', 'is', 'gone');
  expect(fixed, fixed.stdout).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(
      /^cause .*\nevidence [\s\S]*^plan +start api\nact +start api\n[\s\S]*#1 resolved: start api/m,
    ),
  });
  expect(isAlive(Number(read('api.pid')))).toBe(true);
  expect(await json('show', '1')).toMatchObject({
    incident_id: 1,
    state: 'resolved',
    resolved_by: 'nightshift',
    actions: [{ tool: 'start_service', by: 'person', held: true }],
  });

  expect(await run('note', '1', 'look', 'at', 'this')).toMatchObject({ code: 0, stdout: 'noted on #1\n' });
  expect(await run('reopen', '1', 'slow', 'again')).toMatchObject({ code: 0, stderr: '' });
  expect(await run('reopen', '1')).toMatchObject({ code: 1, stdout: '', stderr: '#1 is not resolved: it is open\n' });
  const shown = await run('show', '1');
  expect(shown.stdout).toMatch(/note +look at this\n/);
  expect(shown.stdout).toMatch(/reopened +slow again\n/);
  const store = openStore(join(folder, 'state'), { clock: systemClock, readOnly: true });
  if (!store.ok) throw new Error(store.error);
  expect(store.value.memory.list()).toMatchObject([{ held: 1, failed: 1 }]);
  expect(store.value.actions.of(1)).toMatchObject([{ held: false }]);
  store.value.close();
});

test.concurrent('resolve --by without a watch proves by itself, and remembers; what still fails is not over', async ({
  onTestFinished,
}) => {
  const { run, json, write, folder } = workplace(onTestFinished);
  write(
    'nightshift.yaml',
    'mode: observe\nstate: ./state\nmachine: {}\nservices:\n  api:\n    manager: process\n    match: never-there\n    hold: 300ms\n    starts_within: 1s\n    checks:\n      - command: [test, -e, ./well]\n        fails: 1\n    directory: .\n',
  );
  expect((await run('watch', '--once')).code).toBe(1);
  expect(await json('incidents', '--open')).toMatchObject([
    { incident_id: 1, state: 'escalated', service: 'api', resolved_at: null },
  ]);
  write('well', '');
  expect(await run('resolve', '1', '--by', 'restart api')).toEqual({
    code: 0,
    stderr: '',
    stdout: '#1 resolved by a person, and it holds; next time with the same signature: "restart api" (held 1 of 1)\n',
  });
  expect(await json('show', '1')).toMatchObject({
    state: 'resolved',
    resolved_by: 'person',
    resolution: 'restart api',
  });
  expect(await run('resolve', '1')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('resolved already, by person'),
  });

  rmSync(join(folder, 'well'));
  expect((await run('reopen', '1')).code).toBe(0);
  const early = await run('resolve', '1', '--by', 'restart api');
  expect(early).toMatchObject({
    code: 1,
    stderr: '',
    stdout: expect.stringContaining('#1 is not over: 1 check of it does not pass'),
  });
  expect(early.stdout).toContain('api/command');
});

test.concurrent('what waits for a person is listed, and decided once', async ({ onTestFinished }) => {
  const { run, json, write } = workplace(onTestFinished);
  write('nightshift.yaml', oneService().replace('mode: act', 'mode: propose'));
  await run('watch', '--once');
  expect(await json('approvals')).toMatchObject([
    {
      approval: 'A1',
      incident_id: 1,
      service: 'api',
      tool: 'start_service',
      risk: 'reversible',
      expires_at: expect.stringMatching(/Z$/),
    },
  ]);
  expect((await run('approvals')).stdout).toContain('nightshift approve A1');
  expect(await run('deny', 'a1', '--because', 'not now')).toMatchObject({
    code: 0,
    stdout: expect.stringContaining('no watch runs'),
  });
  expect(await run('approve', 'A1')).toEqual({
    code: 1,
    stdout: '',
    stderr: 'A1 cannot be approved any more: it is denied already\n',
  });
  expect(await run('approve', 'A7')).toMatchObject({ code: 2, stdout: '' });
  expect((await run('show', '1')).stdout).toContain('A1 denied by a person: not now');
});

test.concurrent('ask answers without a model, says so, and takes questions from a pipe', async ({ onTestFinished }) => {
  const { run, write, runWith } = workplace(onTestFinished);
  write('nightshift.yaml', oneService());
  const answered = await run('ask', 'how is api?');
  expect(answered).toMatchObject({ code: 0, stderr: '' });
  expect(answered.stdout).toContain('api is critical');
  expect(answered.stdout).toContain('no model is configured');
  const two = await runWith('how is api?\nand now?\n', 'ask', '--json');
  expect(two).toMatchObject({ code: 0, stderr: '' });
  const answers = two.stdout.trim().split('\n');
  expect(answers.map((line) => JSON.parse(line))).toMatchObject([
    { question: 'how is api?', model: null, evidence: expect.any(Array), not_checked: expect.any(Array) },
    { question: 'and now?' },
  ]);
});

test.concurrent('a ping is heard, and one that nobody waits for is pointed out', async ({ onTestFinished }) => {
  const { run, json, write } = workplace(onTestFinished);
  write('nightshift.yaml', oneService('      - heartbeat: backup\n'));
  expect(await run('ping', 'backup')).toEqual({ code: 0, stdout: 'backup has run\n', stderr: '' });
  expect(await json('check')).toMatchObject({ results: [{}, {}, { check: 'api/heartbeat', verdict: 'ok' }] });
  expect(await run('ping', 'bakcup')).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('Did you mean backup?'),
  });
});

test.concurrent('STOP in the state folder is shown by status', async ({ onTestFinished }) => {
  const { json, run, write, folder } = workplace(onTestFinished);
  write('nightshift.yaml', oneService());
  mkdirSync(join(folder, 'state'));
  write('state/STOP', '');
  expect(await json('status')).toMatchObject({ stopped: true });
  expect((await run('status')).stdout).toContain('nothing is done until it is removed');
});
