import { expect, test } from 'vitest';
import type { Fault } from '../support/simulated-things.ts';
import { doing, runbook, World } from '../support/simulated-world.ts';

const WORLDS = Number(process.env.NIGHTSHIFT_RANDOM_WORLDS ?? 8);
const HOUR = 3_600_000;
const NAMES = ['database', 'cache', 'api', 'web'] as const;
const SERVICES = `
  database: { manager: systemd, hold: 8s, starts_within: 6s, checks: [{ tcp: "127.0.0.1:1001" }] }
  cache: { manager: systemd, hold: 8s, starts_within: 6s, checks: [{ tcp: "127.0.0.1:1002", fails: 1 }] }
  api: { manager: systemd, hold: 8s, starts_within: 6s, depends_on: [database, cache], checks: [{ tcp: "127.0.0.1:1003" }] }
  web: { manager: systemd, hold: 8s, starts_within: 6s, depends_on: [api], checks: [{ tcp: "127.0.0.1:1004", fails: 3 }] }
`;
const RUNBOOKS = [
  runbook('stuck', [doing('restart_service')]),
  runbook('full', [doing('restart_service'), { kind: 'wait', milliseconds: 2000 }, doing('end_idle_sessions')]),
  runbook('starting', [], { leaveAlone: true }),
];

/** A small generator of the same numbers for the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function faultFrom(next: () => number, now: number): Fault {
  const pick = <Value>(...values: Value[]): Value => values[Math.floor(next() * values.length)] as Value;
  const reason = pick('stuck', 'stuck', 'full', 'starting', 'unheard-of');
  return {
    reason,
    endsBy: pick('restart', 'restart', reason === 'full' ? 'drain' : 'restart', 'nothing'),
    ...pick<Partial<Fault>>(
      {},
      {},
      { endsAt: now + next() * 60_000 },
      { backAfter: next() * 20_000, times: pick(1, 2, 99) },
      { flapsEvery: 1000 + next() * 20_000 },
      { verdict: 'unknown', reason: 'not-permitted', endsAt: now + 30_000 },
    ),
  };
}

test.each(Array.from({ length: WORLDS }, (_, index) => index + 1))(
  'the rules hold in the random world %i',
  async (seed) => {
    const next = random(seed);
    const world = new World({
      services: SERVICES,
      runbooks: RUNBOOKS,
      mode: next() < 0.7 ? 'act' : 'propose',
      run: async (_tool, _service, act) => {
        if (next() < 0.15) return false;
        act();
        if (next() < 0.05) throw new Error('it acted, and broke off');
        return true;
      },
    });
    const broken: string[] = [];
    world.hear((event) => {
      if (event.type !== 'timeline' || event.entry.type !== 'resolved') return;
      for (const service of new Set(Object.values(event.incident.checks).map((result) => result.service)))
        if (world.things.fails(service, 1000))
          broken.push(
            `${new Date(world.clock.now()).toISOString()} #${event.incident.id} was resolved while ${service} fails`,
          );
    });
    await world.start();
    for (let turn = 0; turn < 10; turn += 1) {
      if (next() < 0.6)
        world.things.break(NAMES[Math.floor(next() * NAMES.length)] ?? 'api', faultFrom(next, world.clock.now()));
      if (next() < 0.3) world.life.diesAt = world.life.writes + 1 + Math.floor(next() * 25);
      await world.clock.pass(next() * 30_000, () => world.life.dead);
      for (const approval of world.store.approvals.list({ state: 'waiting' }))
        if (next() < 0.4) world.store.approvals.decide(approval.id, next() < 0.7 ? 'approved' : 'denied', null);
      const luck = next();
      if (!world.life.dead && luck > 0.2) continue;
      if (world.life.dead || luck < 0.1) world.kill();
      else await world.stop();
      await world.start();
    }
    world.life.diesAt = Number.POSITIVE_INFINITY;
    if (world.life.dead) {
      world.kill();
      await world.start();
    }
    // Every flap ends some day; what is broken for good stays so.
    const settled = () => world.incidents().every(({ state }) => ['resolved', 'escalated', 'awaiting'].includes(state));
    await world.clock.pass(60_000);
    await world.until(settled, 400_000);
    // What was taken out of an incident is taken up within a cycle of chores.
    await world.pass(25_000);
    await world.until(settled, 400_000);

    const story = `seed ${seed}\n${world.story()}`;
    expect(broken, story).toEqual([]);
    for (const service of NAMES) {
      const log = world.things.log.filter((each) => each.service === service);
      const acts = log.filter(({ what }) => what !== 'measured');
      for (const [index, each] of log.entries())
        if (each.what !== 'measured')
          expect(log[index + 1]?.what ?? 'measured', `${story}\n${service}: two actions without a look`).toBe(
            'measured',
          );
      for (const each of acts)
        expect(
          acts.filter(({ at }) => at <= each.at && at > each.at - HOUR).length,
          `${story}\n${service}: too many actions`,
        ).toBeLessThanOrEqual(3);
    }
    for (const incident of world.incidents()) {
      expect(world.entries(incident.id, 'escalated').length, story).toBeLessThanOrEqual(1);
      expect(
        new Set(world.sent.filter((message) => message.incident === incident.id).map(({ at }) => at)).size,
        story,
      ).toBeLessThanOrEqual(1);
      if (incident.state === 'escalated')
        expect(
          world.sent.some((message) => message.incident === incident.id),
          story,
        ).toBe(true);
    }
    expect(world.store.actions.unfinished(), story).toEqual([]);
    // Whatever fails now is in an incident.
    for (const service of NAMES)
      if (world.things.fails(service, 30_000))
        expect(
          world.incidents().some(({ state, checks }) => state !== 'resolved' && `${service}/tcp` in checks),
          `${story}\n${service} fails, and nobody knows`,
        ).toBe(true);
  },
);
