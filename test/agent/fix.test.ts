import { expect, test } from 'vitest';
import { claimIncident, releaseIncident } from '../../src/agent/claim.ts';
import { type Fixed, fixIncident } from '../../src/agent/fix.ts';
import { doing, runbook, World } from '../support/simulated-world.ts';

const SERVICES = `
  cache: { manager: systemd, hold: 5s, starts_within: 5s, checks: [{ tcp: "127.0.0.1:6379" }] }
  batch: { manager: systemd }
`;

/** `nightshift fix`, in a process of its own beside whatever runs. */
async function fix(
  world: World,
  service: string,
  more: { issue?: string; dryRun?: boolean; pid?: number } = {},
): Promise<Fixed> {
  const parts = await world.partsFor({ dead: false, writes: 0, diesAt: Number.POSITIVE_INFINITY });
  let fixed: Fixed | null = null;
  const options = {
    service,
    issue: more.issue ?? '',
    dryRun: more.dryRun === true,
    onTimeline: () => undefined,
    onDiagnosis: () => undefined,
  };
  const working = fixIncident(parts, options, {
    claim: (incident) => claimIncident(world.store, incident, more.pid ?? process.pid, world.clock.now()),
    release: (incident) => releaseIncident(world.store, incident),
  }).then((result) => {
    fixed = result;
  });
  await world.until(() => fixed !== null);
  await working;
  if (fixed === null) throw new Error('it did not end');
  return fixed;
}

test('what is broken is mended and proved, by a person in the record', async () => {
  const world = new World({ services: SERVICES });
  world.things.break('cache', { reason: 'stuck' });
  expect(await fix(world, 'cache')).toMatchObject({ ok: true, state: 'resolved' });
  expect(world.store.actions.of(1)).toMatchObject([{ by: 'person', held: true }]);
});

test('a dry run says what it would do, and leaves nothing behind', async () => {
  const world = new World({ services: SERVICES });
  world.things.break('cache', { reason: 'stuck' });
  expect(await fix(world, 'cache', { dryRun: true })).toMatchObject({
    ok: true,
    summary: expect.stringContaining('restart cache'),
  });
  expect(world.done()).toEqual([]);
  expect(world.incidents()).toEqual([]);
});

test('a runbook that a person names is carried out though all checks pass, once', async () => {
  const world = new World({ services: SERVICES });
  expect(await fix(world, 'cache', { issue: 'when stuck' })).toMatchObject({ ok: true, state: 'resolved' });
  expect(world.done()).toEqual(['restart cache']);
  expect(world.incident(1).diagnosis).toMatchObject({ source: 'runbook', cause: 'stuck' });
});

test('a runbook that was named and does not help is not run over and over', async () => {
  const world = new World({ services: SERVICES, runbooks: [runbook('stuck', [doing('restart_service')])] });
  world.things.break('cache', { reason: 'unheard-of' });
  expect(await fix(world, 'cache', { issue: 'when stuck' })).toMatchObject({ ok: true });
  world.things.break('cache', { reason: 'unheard-of', endsBy: 'nothing' });
  expect(await fix(world, 'cache', { issue: 'when stuck' })).toMatchObject({ ok: false, state: 'escalated' });
  expect(world.done()).toHaveLength(2);
});

test('without a check nothing can be proved: it is done, and never called resolved', async () => {
  const world = new World({ services: SERVICES });
  expect(await fix(world, 'batch', { issue: 'when stuck' })).toMatchObject({ ok: false, state: 'escalated' });
  expect(world.done()).toEqual(['restart batch']);
  await world.start();
  await world.pass(60_000);
  expect(world.incident(1).state).toBe('escalated');
  expect(world.store.incidents.timeline(1).length).toBeLessThan(10);
});

test('an incident that was handed over is taken up, and nobody is told a second time', async () => {
  const world = new World({ services: SERVICES, runbooks: [] });
  await world.start();
  world.things.break('cache', { reason: 'unheard-of' });
  await world.untilState('escalated');
  expect(await fix(world, 'cache')).toMatchObject({ ok: false, incident: 1, state: 'escalated' });
  expect(world.sent).toHaveLength(1);
});

test('while another process works on an incident, the watch leaves it alone', async () => {
  const world = new World({ services: SERVICES });
  await world.start();
  await world.pass(3000);
  claimIncident(world.store, 1, process.ppid, world.clock.now());
  world.things.break('cache', { reason: 'stuck' });
  await world.pass(60_000);
  expect(world.done()).toEqual([]);
  expect(world.incident(1).state).toBe('open');
  releaseIncident(world.store, 1);
  await world.untilState('resolved');
});
