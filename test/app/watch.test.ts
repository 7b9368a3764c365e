import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { openStore } from '../../src/store/open.ts';
import { type RunningWatch, startWatch } from './running-watch.ts';

let running: RunningWatch | null = null;
afterEach(async () => {
  await running?.end();
  running = null;
}, 30_000);

const storeOf = (watch: RunningWatch) => {
  const opened = openStore(watch.config.stateFolder, { clock: systemClock });
  if (!opened.ok) throw new Error(opened.error);
  return opened.value;
};

test('a killed dependency is found as the cause, started, proved and resolved in one incident', async () => {
  running = await startWatch();
  process.kill(await running.pidOf('cache'), 'SIGKILL');
  const { incident } = await running.until('resolved');
  expect(incident).toMatchObject({ service: 'cache', resolvedBy: 'nightshift', state: 'resolved' });
  expect(incident.diagnosis).toMatchObject({ source: 'runbook', cause: 'process-down' });
  await running.stopWatch();
  const store = storeOf(running);
  const actions = store.actions.of(incident.id);
  expect(actions.map((action) => [action.tool, action.service, action.state, action.held])).toEqual([
    ['start_service', 'cache', 'succeeded', true],
  ]);
  expect(store.incidents.list()).toHaveLength(1);
  // Holding is not resolved: the checks had to pass for the whole window of 2 s.
  const timeline = store.incidents.timeline(incident.id);
  const holding = timeline.find((entry) => entry.type === 'holding')?.at ?? Number.POSITIVE_INFINITY;
  const resolved = timeline.find((entry) => entry.type === 'resolved')?.at ?? 0;
  expect(resolved - holding).toBeGreaterThanOrEqual(1900);
  store.close();
  expect(await running.pidOf('cache')).toBeGreaterThan(0);
}, 60_000);

test('what no runbook knows is handed over once; what a person did is done by memory the second time', async () => {
  running = await startWatch();
  process.kill(await running.pidOf('cache'), 'SIGUSR2');
  const first = await running.until('escalated');
  expect(first.incident.diagnosis?.source).toBe('none');
  // It stays broken for several cycles, and nobody is told again.
  await new Promise((resolve) => setTimeout(resolve, 4000));
  expect(running.told.filter(({ entry }) => entry.type === 'escalated')).toHaveLength(1);
  expect(running.told.filter(({ entry }) => entry.type === 'action-start')).toHaveLength(0);

  await running.manager('cache')?.restart();
  const store = storeOf(running);
  store.incidents.append(
    first.incident.id,
    {
      type: 'note',
      text: 'a person: restart cache',
      data: {
        resolvedByPerson: true,
        by: 'restart cache',
        actions: [{ tool: 'restart_service', arguments: { service: 'cache' }, reason: '' }],
      },
    },
    { state: 'holding' },
  );
  store.close();
  expect((await running.until('resolved')).incident.resolvedBy).toBe('person');

  process.kill(await running.pidOf('cache'), 'SIGUSR2');
  const second = await running.until('resolved', first.incident.id);
  expect(second.incident).toMatchObject({ resolvedBy: 'nightshift' });
  expect(second.incident.diagnosis).toMatchObject({ source: 'memory', sourceName: `#${first.incident.id}` });
}, 90_000);

test('in observe mode nothing is done, and a person is told what would be', async () => {
  running = await startWatch((yaml) => yaml.replace('mode: act', 'mode: observe'));
  process.kill(await running.pidOf('cache'), 'SIGKILL');
  const { incident } = await running.until('escalated');
  expect(incident.diagnosis?.plan.length).toBeGreaterThan(0);
  await running.stopWatch();
  const store = storeOf(running);
  expect(store.actions.of(incident.id).filter((action) => action.state !== 'refused')).toEqual([]);
  store.close();
  await expect(running.pidOf('cache')).rejects.toThrow('does not run');
}, 60_000);

test('in propose mode it asks, acts once a person has said yes, and proves it', async () => {
  running = await startWatch((yaml) => yaml.replace('mode: act', 'mode: propose'));
  process.kill(await running.pidOf('cache'), 'SIGKILL');
  const asked = await running.until('asked');
  await expect(running.pidOf('cache')).rejects.toThrow('does not run');
  const store = storeOf(running);
  const [approval] = store.approvals.list({ state: 'waiting', incident: asked.incident.id });
  expect(approval).toMatchObject({ service: 'cache', risk: 'reversible' });
  store.approvals.decide(approval?.id ?? 0, 'approved', null);
  store.close();
  expect((await running.until('resolved')).incident.resolvedBy).toBe('nightshift');
}, 60_000);

test('what heals before anything is done is resolved by itself, with no action', async () => {
  running = await startWatch((yaml) => yaml.replace('mode: act', 'mode: propose'));
  process.kill(await running.pidOf('cache'), 'SIGKILL');
  await running.until('asked');
  await running.manager('cache')?.start();
  expect((await running.until('resolved')).incident.resolvedBy).toBe('itself');
  expect(running.told.filter(({ entry }) => entry.type === 'action-start')).toHaveLength(0);
}, 60_000);
