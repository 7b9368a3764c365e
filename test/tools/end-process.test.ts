import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { endProcess } from '../../tools/act/end-process.ts';
import { listPorts } from '../../tools/look/list-ports.ts';
import { listProcesses } from '../../tools/look/list-processes.ts';
import type { ProcessEntry } from '../../tools/shared/processes.ts';
import { untouchable } from '../../tools/shared/untouchable.ts';
import { call, freePort, LISTENER, plan, startProgram, world } from './world.ts';

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** Gone also for us, who have to take notice of our child's end first. */
const ended = (pid: number) => vi.waitFor(() => expect(alive(pid)).toBe(false));

describe('end_process', () => {
  test('ends a process of the service by the id it was given', async () => {
    const port = await freePort();
    const pid = await startProgram(LISTENER, `mine-${port}`, String(port));
    const { context } = world({ services: `  api: { manager: process, match: "mine-${port}", drain: 2s }\n` });
    const { details } = await call(listProcesses, { service: 'api' }, context);
    const id = details.processes[0]?.id ?? '';
    expect(await plan(endProcess, { service: 'api', process: id }, context)).toMatchObject({
      plan: { service: 'api', risk: 'disruptive', undo: 'none' },
    });
    expect(alive(pid)).toBe(true);
    expect(await call(endProcess, { service: 'api', process: id }, context)).toMatchObject({
      ok: true,
      details: { pid, ended: true },
    });
    await ended(pid);
    expect(await call(endProcess, { service: 'api', process: id }, context)).toMatchObject({ ok: false });
  });

  test('one that ignores SIGTERM is ended by SIGKILL, but only after its time to drain', async () => {
    const port = await freePort();
    const pid = await startProgram(`process.on('SIGTERM', () => {}); ${LISTENER}`, `deaf-${port}`, String(port));
    const { context } = world({ services: `  api: { manager: process, match: "deaf-${port}", drain: 300ms }\n` });
    const { details } = await call(listProcesses, { service: 'api' }, context);
    const result = await call(endProcess, { service: 'api', process: details.processes[0]?.id ?? '' }, context);
    expect(result.ok).toBe(true);
    expect(result.content).toContain('SIGKILL');
    await ended(pid);
  });

  test('the stray on its port only when a person listed it', async () => {
    const port = await freePort();
    const pid = await startProgram(LISTENER, `stray-${port}`, String(port));
    const services = (more: string) =>
      `  api: { manager: process, match: "never-${port}", drain: 2s, checks: [{ tcp: "127.0.0.1:${port}" }]${more} }\n`;
    const forbidden = world({ services: services('') }).context;
    const { details } = await call(listPorts, { service: 'api' }, forbidden);
    for (const args of [{ service: 'api' }, { service: 'api', process: details.listening[0]?.id ?? '' }]) {
      expect(await plan(endProcess, args, forbidden)).toMatchObject({ refusal: expect.stringContaining('strays:') });
      expect((await call(endProcess, args, forbidden)).ok).toBe(false);
    }
    expect(alive(pid)).toBe(true);
    const allowed = world({ services: services(`, strays: ["stray-${port}"]`) }).context;
    expect(await call(endProcess, { service: 'api' }, allowed)).toMatchObject({ ok: true, details: { pid } });
    await ended(pid);
  });

  test('a process that has nothing to do with the service is left alone', async () => {
    const [port, other] = [await freePort(), await freePort()];
    const pid = await startProgram(LISTENER, `bystander-${other}`, String(other));
    const { context } = world({
      services: `  api: { manager: process, match: "never-${port}", strays: ["bystander"], checks: [{ tcp: "127.0.0.1:${port}" }] }\n  web: { manager: process, match: "bystander-${other}" }\n`,
    });
    const { details } = await call(listProcesses, { service: 'web' }, context);
    const id = details.processes[0]?.id ?? '';
    expect(await plan(endProcess, { service: 'api', process: id }, context)).toMatchObject({
      refusal: expect.stringContaining('neither belongs'),
    });
    expect(await plan(endProcess, { service: 'api' }, context)).toMatchObject({
      refusal: expect.stringContaining('nobody else holds'),
    });
    expect(alive(pid)).toBe(true);
  });

  test('an id whose number means another process by now, or that was never given', async () => {
    const port = await freePort();
    const pid = await startProgram(LISTENER, `again-${port}`, String(port));
    const { context } = world({ services: `  api: { manager: process, match: "again-${port}" }\n` });
    const { details } = await call(listProcesses, { service: 'api' }, context);
    const real = context.handles.recall('process', details.processes[0]?.id ?? '')?.value ?? {};
    const earlier = context.handles.remember('process', 'local', { ...real, began: '1' });
    const renamed = context.handles.remember('process', 'local', { ...real, command: 'sshd' });
    const elsewhere = context.handles.remember('process', 'pc', real);
    const refusals = {
      [earlier]: 'another process',
      [renamed]: 'another command line',
      [elsewhere]: 'on pc',
      'pid-999': 'not known',
    };
    for (const [id, why] of Object.entries(refusals))
      expect(await plan(endProcess, { service: 'api', process: id }, context)).toMatchObject({
        refusal: expect.stringContaining(why),
      });
    expect(alive(pid)).toBe(true);
    expect(
      endProcess.input(context.scope, context.config).safeParse({ service: 'api', process: String(pid) }).success,
    ).toBe(false);
  });

  test('not even as a listed stray: ourselves and what started us', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const { context } = world({
      services: `  api: { manager: process, match: "never-${port}", strays: [node, vitest], checks: [{ tcp: "127.0.0.1:${port}" }] }\n`,
    });
    expect(await plan(endProcess, { service: 'api' }, context)).toMatchObject({
      // `ps` and `ss` start side by side: for an instant our half-started child holds the socket, too.
      refusal: expect.stringMatching(/never ended|several processes hold/),
    });
    server.close();
  });
});

test('what is never ended, whoever asks', () => {
  const entry = (more: Partial<ProcessEntry>): ProcessEntry => ({
    pid: 500,
    parent: 1,
    user: 0,
    state: 'S',
    ageMs: 1,
    rssBytes: 1,
    cpuPercent: 0,
    command: 'node x',
    ...more,
  });
  const far = { kind: 'ssh' } as const;
  for (const never of [
    { pid: 1 },
    { command: '/usr/sbin/sshd -D' },
    { command: 'sshd: root@pts/0' },
    { command: '[kworker/0:1]', parent: 2 },
    { command: '/lib/systemd/systemd-journald' },
    { command: '/usr/sbin/launchd' },
    { command: 'node /opt/nightshift/bin/nightshift.js watch' },
  ])
    expect(untouchable(entry(never), [], far), JSON.stringify(never)).not.toBeNull();
  expect(untouchable(entry({}), [], far)).toBeNull();
  expect(
    untouchable(entry({ pid: process.ppid }), [entry({ pid: process.pid, parent: process.ppid })], { kind: 'local' }),
  ).toContain('Nightshift');
});
