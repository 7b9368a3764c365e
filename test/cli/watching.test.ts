import { existsSync, readFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { isAlive, oneService, workplace } from './nightshift.ts';

// Each verb is a process of its own: on a busy machine a test of ten takes its time.
vi.setConfig({ testTimeout: 60_000 });

test.concurrent('a second watch is refused with the first one’s pid; the other verbs work beside it; SIGINT ends it cleanly', async ({
  onTestFinished,
}) => {
  const { start, run, json, write, read } = workplace(onTestFinished);
  write('nightshift.yaml', oneService());
  const first = start('watch');
  await first.said(/resolved +#1/);
  const second = await run('watch', '--once', '--json');
  expect(second).toMatchObject({ code: 2, stdout: '' });
  expect(second.stderr).toContain(`pid ${first.pid}`);
  expect(await json('status')).toMatchObject({ watch_pid: first.pid, services: [{ name: 'api', verdict: 'ok' }] });
  expect(await run('note', '1', 'seen')).toMatchObject({ code: 0 });
  await first.said(/note +#?1? ?seen/);
  first.signal('SIGINT');
  const ended = await first.ended;
  expect(ended).toMatchObject({ code: 0, stderr: expect.stringContaining('stopping') });
  // In a pipe: no colour, nothing redrawn, no line longer than a log can bear.
  for (const character of ['\u001b', '\r']) expect(ended.stdout).not.toContain(character);
  expect(ended.stdout).toMatch(/^\d\d:\d\d:\d\d {2}INCIDENT {2}#1 .* critical$/m);
  expect(ended.stdout).toMatch(/^ {10}act {7}start api {3}reversible/m);
  expect(await json('status')).toMatchObject({ watch_pid: null });
  // What it started is not its own: the service goes on.
  expect(isAlive(Number(read('api.pid')))).toBe(true);
});

test.concurrent('a running watch takes up a changed configuration; a bad one is told and the old one goes on', async ({
  onTestFinished,
}) => {
  const { start, write } = workplace(onTestFinished);
  const good = oneService();
  write('nightshift.yaml', good);
  const watch = start('watch', '--json');
  await watch.said(/"type":"resolved"/);
  write('nightshift.yaml', good.replace('hold:', 'hodl:'));
  await watch.said(/"type":"warning"[^\n]*so the old one goes on[^\n]*Did you mean hold/);
  const before = watch.stdout().length;
  await watch.said(new RegExp(`^[\\s\\S]{${before}}[\\s\\S]*"type":"report"[^\\n]*"ok":2`));
  write(
    'nightshift.yaml',
    `${good}  cache:\n    manager: process\n    match: never-there-at-all\n    checks:\n      - command: ["true"]\n`,
  );
  await watch.said(/"type":"config-changed"/);
  await watch.said(/"type":"report"[^\n]*"check":"cache\/command"/);
  watch.signal('SIGTERM');
  const { code, stdout, stderr } = await watch.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => z.object({ type: z.string() }).parse(JSON.parse(line)).type);
  expect(events.filter((type) => type === 'watch-start')).toHaveLength(1);
});

test.concurrent('a reader who leaves ends a watch, and crashes nothing', async ({ onTestFinished }) => {
  const { start, write } = workplace(onTestFinished);
  write('nightshift.yaml', oneService());
  const watch = start('watch', '--json');
  await watch.said(/"type":"report"/);
  watch.stopReading();
  expect(await watch.ended).toMatchObject({ code: 0, stderr: '' });
  const list = start('runbooks');
  list.stopReading();
  expect(await list.ended).toMatchObject({ code: 0, stderr: '' });
});

test.concurrent('without a configuration a watch discovers, changes nothing, and the verbs beside it know what it found', async ({
  onTestFinished,
}) => {
  const { run, json, folder } = workplace(onTestFinished);
  const watched = await run('watch', '--once', '--json', '--mode', 'observe');
  expect(watched.code, watched.stderr).not.toBe(2);
  const event = z.object({
    type: z.literal('report'),
    report: z.object({ results: z.array(z.object({ service: z.string() })) }),
  });
  const reports = watched.stdout
    .trim()
    .split('\n')
    .flatMap((line) => event.safeParse(JSON.parse(line)).data ?? []);
  const found = new Set(reports.at(-1)?.report.results.map((result) => result.service));
  expect(found).toContain('machine');
  const status = z.object({
    config: z.null(),
    mode: z.literal('observe'),
    services: z.array(z.object({ name: z.string() })),
  });
  const known = status.parse(await json('status')).services.map((service) => service.name);
  expect(new Set(known)).toEqual(found);
  const checked = await run('check', 'machine');
  expect(checked.stdout).toContain('machine/disk');
  expect(checked.stdout).toContain('no nightshift.yaml: this is what was found here');
  expect(existsSync(`${folder}/nightshift.yaml`)).toBe(false);
});

test.concurrent('Ctrl-C in the demo ends all that it started and removes its folder, also when pressed twice', async ({
  onTestFinished,
}) => {
  const { start } = workplace(onTestFinished);
  const demo = start('demo');
  const folder = (await demo.said(/\/\S*nightshift-demo-\w+/)).trim();
  await demo.said(/INCIDENT +#1/);
  const pids = ['cache', 'api', 'worker'].map((name) => Number(readFileSync(`${folder}/${name}.pid`, 'utf8')));
  demo.signal('SIGINT');
  demo.signal('SIGINT');
  expect(await demo.ended).toMatchObject({
    code: 130,
    stdout: expect.stringContaining('nothing of the demo runs any more'),
  });
  expect(existsSync(folder)).toBe(false);
  expect(pids.filter(isAlive)).toEqual([]);
});
