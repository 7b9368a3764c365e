import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { oneService, workplace } from './nightshift.ts';

// Each verb is a process of its own: on a busy machine a test of ten takes its time.
vi.setConfig({ testTimeout: 60_000 });

const service = (name: string, more = '') => `  ${name}:\n    manager: process\n    match: never-there\n${more}`;

const manyMistakes = `name: a
name: b
services:
${service('api', '    checks:\n      - tcp: 127.0.0.1:80\n        within: 2 sec\n')}${service('api')}${service('one', '    depends_on: [two]\n')}${service('two', '    depends_on: [one]\n')}${service('web', '    depends_on: [cahce]\n    checks: [{ tcp: "127.0.0.1:6379" }]\n')}${service('cache', '    checks: [{ tcp: "127.0.0.1:6379" }]\n')}`;

/** What is wrong, and what a person must read about it. */
const configurations: [what: string, text: string | Uint8Array, said: RegExp[]][] = [
  ['empty', '# nothing\n', [/the file is empty; `nightshift init` writes one/]],
  ['not YAML', 'services: [\n', [/nightshift\.yaml:\d+:\d+/]],
  ['bytes', randomBytes(300), [/not a text file/]],
  [
    'wrong in many ways',
    manyMistakes,
    [
      /nightshift\.yaml:2:1 {2}name\n.*\n.*"name" stands twice[\s\S]*nightshift\.yaml:1:1/,
      /the service api is named twice/,
      /a circle: one → two → one/,
      /there is no service cahce\. Did you mean cache\?/,
      /port 6379 on this machine cannot belong to two services/,
    ],
  ],
  [
    'wrong in a unit',
    `services:\n${service('api', '    checks:\n      - tcp: 127.0.0.1:80\n        within: 2 sec\n')}`,
    [/nightshift\.yaml:7:17 {2}services\.api\.checks\[0\]\.within\n.*\n +\^{5} .*Did you mean 2s\?/],
  ],
];

test.concurrent.for(configurations)(
  'a configuration that is %s is refused with its place, on standard error alone',
  async ([, text, said], { onTestFinished }) => {
    const { run, write } = workplace(onTestFinished);
    write('nightshift.yaml', text);
    const refused = await run('check', '--json');
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    for (const words of said) expect(refused.stderr).toMatch(words);
    expect(refused.stderr).not.toMatch(/\n\s+at |Error:/);
    expect(refused.stderr).not.toContain('\u001b[');
  },
);

test.concurrent('a configuration that is missing or a folder is refused; doctor shows the same mistake and how to mend it', async ({
  onTestFinished,
}) => {
  const { run, write, folder } = workplace(onTestFinished);
  expect(await run('status', '--config', 'none.yaml')).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('there is no such file'),
  });
  expect(await run('status', '--config', folder)).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('this is a folder'),
  });
  write('nightshift.yaml', 'nmae: x\n');
  for (const words of [
    ['watch', '--once'],
    ['fix', 'api'],
  ])
    expect(await run(...words), words.join(' ')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('Did you mean name?'),
    });
  const doctor = await run('doctor');
  expect(doctor.code).toBe(1);
  expect(doctor.stdout).toMatch(/missing +configuration[\s\S]*nmae: x\n +\^{4}/);
});

test.concurrent('a damaged store is set aside and told; nothing of it is lost', async ({ onTestFinished }) => {
  const { run, write, folder } = workplace(onTestFinished);
  write('nightshift.yaml', oneService());
  mkdirSync(join(folder, 'state'));
  const garbage = randomBytes(5000);
  write('state/nightshift.sqlite', garbage);
  const read = await run('status');
  expect(read).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('is damaged') });
  const mended = await run('ping', 'x');
  expect(mended).toMatchObject({ code: 0, stdout: 'x has run\n' });
  expect(mended.stderr).toContain('The damaged file is kept as');
  expect(readdirSync(join(folder, 'state')).some((name) => name.includes('.damaged-'))).toBe(true);
  expect((await run('status')).code).toBe(0);
});

test.concurrent('a state folder that is a file is refused in words by every verb that needs it, and checks still run', async ({
  onTestFinished,
}) => {
  const { run, write } = workplace(onTestFinished);
  write('nightshift.yaml', oneService());
  write('state', 'in the way');
  for (const words of [['status'], ['watch', '--once'], ['fix', 'api'], ['note', '1', 'x'], ['incidents', '--json']])
    expect(await run(...words), words.join(' ')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/^the state folder .* is not a folder\n$/),
    });
  expect(await run('check')).toMatchObject({ code: 1, stderr: expect.stringContaining('measured without history') });
});

// Root may write everywhere, so for root there is no read-only folder to try this on.
test.skipIf(process.getuid?.() === 0)(
  'a read-only state folder can be read; what must write says who may not',
  async ({ onTestFinished }) => {
    const { run, write, folder } = workplace(onTestFinished);
    write('nightshift.yaml', oneService());
    await run('ping', 'x');
    chmodSync(join(folder, 'state'), 0o500);
    expect(await run('status')).toMatchObject({ code: 0, stderr: '' });
    for (const words of [['watch'], ['ping', 'x'], ['fix', 'api']])
      expect(await run(...words), words.join(' ')).toMatchObject({
        code: 2,
        stdout: '',
        stderr: expect.stringContaining('cannot be written to by'),
      });
    expect(await run('doctor')).toMatchObject({ code: 1, stdout: expect.stringContaining('install -d -m 700') });
    chmodSync(join(folder, 'state'), 0o700);
  },
);

test.concurrent('an own runbook with a mistake is listed with its place, and the others go on', async ({
  onTestFinished,
}) => {
  const { run, write } = workplace(onTestFinished);
  write('nightshift.yaml', oneService().replace('machine: {}', 'machine: {}\nrunbooks: [./mine.yaml]'));
  write(
    'mine.yaml',
    'common_issues:\n  - name: Mine\n    symptoms: [process_status = dead]\n    auto_resolve: [restart: "{service}"]\n',
  );
  const listed = await run('runbooks');
  expect(listed.code).toBe(1);
  expect(listed.stderr).toMatch(/mine\.yaml:3:\d+ /);
  expect(listed.stdout).toContain('Process is down');
});
