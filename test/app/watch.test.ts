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
