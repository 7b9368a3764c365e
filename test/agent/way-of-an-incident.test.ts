import { describe, expect, test } from 'vitest';
import { doing, runbook, World } from '../support/simulated-world.ts';

const service = (name: string, more = '', port = 1000 + name.length * 7 + name.charCodeAt(0)) =>
  `  ${name}: { manager: systemd, hold: 10s, starts_within: 10s, ${more} checks: [{ tcp: "127.0.0.1:${port}" }] }\n`;
const STACK = service('cache') + service('api', 'depends_on: [cache],') + service('mail');

/** A world that has run for a while, so that every verdict has settled. */
async function watched(options: Partial<ConstructorParameters<typeof World>[0]> = {}): Promise<World> {
  const world = new World({ services: STACK, ...options });
  await world.start();
  await world.pass(5000);
  return world;
}

describe('fixed means it held', () => {
  test('a broken dependency is one incident: found, mended, held, resolved and remembered', async () => {
    const world = await watched();
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('resolved');
    expect(world.done()).toEqual(['restart cache']);
    expect(world.incidents()).toHaveLength(1);
    expect(world.incident(1)).toMatchObject({
      service: 'cache',
      resolvedBy: 'nightshift',
      resolution: 'restart cache',
    });
    expect(world.sent).toEqual([]);
    expect(world.store.memory.list()).toMatchObject([{ held: 1, failed: 0 }]);
    const holding = world.entries(1, 'holding')[0]?.at ?? 0;
    expect((world.incident(1).resolvedAt ?? 0) - holding).toBeGreaterThanOrEqual(10_000);
  });

  test('what breaks again within the hold window is not resolved, is tried again, and goes to a person once', async () => {
    const world = await watched();
    world.things.break('cache', { reason: 'stuck', backAfter: 5000 });
    await world.untilState('escalated');
    expect(world.done()).toEqual(['restart cache', 'restart cache']);
    expect(world.store.memory.list()).toMatchObject([{ held: 0, failed: 2 }]);
    expect(world.store.actions.of(1).map((action) => action.held)).toEqual([false, false]);
    await world.pass(300_000);
    expect(world.sent).toHaveLength(1);
    expect(world.entries(1, 'escalated')).toHaveLength(1);
    expect(world.incident(1).state).toBe('escalated');
  });

  test('one that breaks again once is mended at the second try, and only that is what helped', async () => {
    const world = await watched();
    world.things.break('cache', { reason: 'stuck', backAfter: 5000, times: 1 });
    await world.untilState('resolved');
    expect(world.incident(1)).toMatchObject({ resolvedBy: 'nightshift', reopened: 1 });
    expect(world.store.actions.of(1).map((action) => action.held)).toEqual([false, true]);
    expect(world.store.memory.list()).toMatchObject([{ held: 1, failed: 1 }]);
  });

  test('an action that helps nothing is not credited when it heals by itself later', async () => {
    const world = await watched();
    world.things.break('cache', { reason: 'stuck', endsBy: 'nothing', endsAt: world.clock.now() + 300_000 });
    await world.untilState('escalated');
    await world.untilState('resolved');
    expect(world.incident(1)).toMatchObject({ resolvedBy: 'itself' });
    expect(world.store.memory.list().every((each) => each.held === 0)).toBe(true);
    expect(world.store.actions.of(1).every((action) => action.held === false)).toBe(true);
  });

  test('one that comes and goes by itself does not go round for ever: a person hears', async () => {
    const world = await watched({ runbooks: [] });
    // Down for 5 s, up for 5 s: never up for the hold window of 10 s, and never down for the 10 s it may take to start.
    world.things.break('cache', { reason: 'shaky', flapsEvery: 5000 });
    await world.until(() => world.sent.length > 0);
    await world.pass(300_000);
    expect(world.sent).toHaveLength(1);
    // It waits quietly: a quarter of an hour of flaps is not a page of lines.
    expect(
      world.store.incidents.timeline(1).filter((entry) => !['signal', 'recovered'].includes(entry.type)).length,
    ).toBeLessThan(20);
  });

  test('the third time within an hour it goes to a person, whatever else could be tried', async () => {
    const other = runbook('stuck', [doing('restart_service')], { name: 'another for the same' });
    const world = await watched({
      runbooks: [runbook('stuck', [doing('restart_service')]), other],
      more: 'limits: { actions_per_service_per_hour: 20 }',
    });
    world.things.break('cache', { reason: 'stuck', endsBy: 'nothing' });
    await world.untilState('escalated');
    expect(world.done()).toHaveLength(3);
    expect(world.sent).toMatchObject([{ reason: expect.stringContaining('the third time within an hour') }]);
  });

  test('an action that fails is not run for ever, and is told to memory as firmly as one that did not hold', async () => {
    const world = await watched({ run: async () => false });
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('escalated');
    expect(world.store.actions.of(1).map((action) => [action.state, action.held])).toEqual([
      ['failed', false],
      ['failed', false],
    ]);
    expect(world.store.memory.list()).toMatchObject([{ held: 0, failed: 2 }]);
  });

  test('a tool that throws is a failed action, not the end of the watch', async () => {
    const world = await watched({
      run: async () => {
        throw new Error('no such unit');
      },
    });
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('escalated');
    expect(world.store.actions.of(1)[0]).toMatchObject({
      state: 'failed',
      outcome: expect.stringContaining('no such unit'),
    });
    world.things.break('mail', { reason: 'else' });
    await world.until(() => world.sent.length === 2);
  });
});

describe('what heals before anything is done', () => {
  test('is resolved by itself, and nothing is learned', async () => {
    const world = await watched({ mode: 'propose' });
    world.things.break('cache', { reason: 'stuck', endsAt: world.clock.now() + 20_000 });
    await world.untilState('awaiting');
    await world.untilState('resolved');
    expect(world.incident(1).resolvedBy).toBe('itself');
    expect(world.done()).toEqual([]);
    expect(world.store.memory.list()).toEqual([]);
  });

  test('while a plan waits for its turn: the action is left out, and nobody is told', async () => {
    const world = await watched({
      runbooks: [runbook('stuck', [{ kind: 'wait', milliseconds: 10_000 }, doing('restart_service')])],
    });
    world.things.break('cache', { reason: 'stuck', endsAt: world.clock.now() + 9000 });
    await world.untilState('resolved');
    expect(world.done()).toEqual([]);
    expect(world.incident(1).resolvedBy).toBe('itself');
    expect(world.sent).toEqual([]);
  });

  test('while its plan waits for a yes: the step that was done before, and did not help, is not what helped', async () => {
    const steps = [doing('restart_service'), doing('end_idle_sessions')];
    const world = await watched({ runbooks: [runbook('full', steps)] });
    world.things.break('cache', { reason: 'full', endsBy: 'drain', endsAt: world.clock.now() + 60_000 });
    await world.untilState('awaiting');
    await world.untilState('resolved');
    expect(world.incident(1).resolvedBy).toBe('itself');
    expect(world.store.actions.of(1)).toMatchObject([{ held: false }]);
    expect(world.store.memory.list()).toEqual([]);
  });

  test('is not acted on any more when a yes comes late', async () => {
    const world = await watched({ mode: 'propose' });
    world.things.break('cache', { reason: 'stuck', endsAt: world.clock.now() + 20_000 });
    await world.untilState('resolved');
    expect(world.store.approvals.decide(1, 'approved', null)).toBeNull();
    await world.pass(120_000);
    expect(world.done()).toEqual([]);
  });

  test('a yes that comes in the moment it heals is not carried out', async () => {
    const world = await watched({ mode: 'propose' });
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('awaiting');
    world.things.mend('cache');
    world.store.approvals.decide(1, 'approved', null);
    await world.untilState('resolved');
    expect(world.done()).toEqual([]);
    expect(world.incident(1).resolvedBy).toBe('itself');
  });
});

describe('approvals', () => {
  test('a yes is carried out once, and proved', async () => {
    const world = await watched({ mode: 'propose' });
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('awaiting');
    await world.pass(60_000);
    expect(world.done()).toEqual([]);
    expect(world.entries(1, 'asked')).toHaveLength(1);
    world.store.approvals.decide(1, 'approved', null);
    await world.untilState('resolved');
    expect(world.done()).toEqual(['restart cache']);
    expect(world.incident(1).resolvedBy).toBe('nightshift');
  });

  test('a no goes to a person once, and is not asked again', async () => {
    const world = await watched({ mode: 'propose' });
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('awaiting');
    expect(world.asked).toMatchObject([{ reason: expect.stringContaining('A1: may I') }]);
    world.store.approvals.decide(1, 'denied', 'not tonight');
    await world.untilState('escalated');
    await world.pass(300_000);
    expect(world.sent).toMatchObject([{ reason: 'A1 was denied: not tonight' }]);
    expect(world.store.approvals.list()).toHaveLength(1);
  });

  test('no answer is a no', async () => {
    const world = await watched({ mode: 'propose' });
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('awaiting');
    await world.untilState('escalated', 1, 3_600_000);
    expect(world.sent).toMatchObject([{ reason: 'nobody answered A1 in time: no answer is no' }]);
  });

  test('an old no does not answer a new question', async () => {
    const world = await watched({ mode: 'propose' });
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('awaiting');
    world.store.approvals.decide(1, 'denied', null);
    await world.untilState('escalated');
    world.store.incidents.append(1, { type: 'reopened', text: 'a person' }, { state: 'open', escalatedAt: null });
    world.things.break('cache', { reason: 'full', endsBy: 'drain' });
    world.life.parts.runbooks.splice(0, 1, runbook('full', [doing('end_idle_sessions')]));
    await world.untilState('awaiting');
    await world.pass(120_000);
    expect(world.incident(1).state).toBe('awaiting');
    world.store.approvals.decide(2, 'approved', null);
    await world.untilState('resolved');
    expect(world.done()).toEqual(['drain cache']);
  });

  test('of a plan whose second step asks, the first is done once, and both are what helped', async () => {
    const steps = [doing('restart_service'), doing('end_idle_sessions')];
    const world = await watched({ runbooks: [runbook('full', steps)] });
    world.things.break('cache', { reason: 'full', endsBy: 'drain' });
    await world.untilState('awaiting');
    expect(world.done()).toEqual(['restart cache']);
    world.store.approvals.decide(1, 'approved', null);
    await world.untilState('resolved');
    expect(world.done()).toEqual(['restart cache', 'drain cache']);
    expect(world.incident(1)).toMatchObject({ resolvedBy: 'nightshift' });
    expect(world.store.actions.of(1).map((action) => action.held)).toEqual([true, true]);
  });

  test('a plan that asks twice for the same tool on other services asks twice', async () => {
    const world = await watched({
      mode: 'propose',
      runbooks: [runbook('stuck', [doing('restart_service', 'api'), doing('restart_service', 'cache')])],
    });
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('awaiting');
    world.store.approvals.decide(1, 'approved', null);
    await world.until(() => world.store.approvals.get(2) !== null);
    expect(world.done()).toEqual(['restart api']);
    world.store.approvals.decide(2, 'approved', null);
    await world.untilState('resolved');
    expect(world.done()).toEqual(['restart api', 'restart cache']);
  });

  test('a yes to one part says nothing about another part of the same service', async () => {
    const part = (name: string) => ({
      kind: 'action' as const,
      action: { tool: 'restart_service', arguments: { service: 'cache', part: name }, reason: '' },
    });
    const world = await watched({ mode: 'propose', runbooks: [runbook('stuck', [part('one'), part('two')])] });
    world.things.break('cache', { reason: 'stuck', backAfter: 0, times: 1 });
    await world.untilState('awaiting');
    world.store.approvals.decide(1, 'approved', null);
    await world.until(() => world.store.approvals.get(2)?.state === 'waiting');
    world.store.approvals.decide(2, 'approved', null);
    await world.untilState('resolved');
    expect(world.store.actions.of(1).map((action) => action.arguments.part)).toEqual(['one', 'two']);
    expect(world.sent).toEqual([]);
  });

  test('a step that stands twice in a plan is done twice', async () => {
    const world = await watched({
      runbooks: [
        runbook('stuck', [doing('restart_service'), { kind: 'wait', milliseconds: 1000 }, doing('restart_service')]),
      ],
    });
    world.things.break('cache', { reason: 'stuck', backAfter: 0, times: 1 });
    await world.untilState('resolved');
    expect(world.done()).toEqual(['restart cache', 'restart cache']);
  });
});

describe('plans', () => {
  test('one without an action goes to a person, with its advice', async () => {
    const world = await watched({ runbooks: [runbook('stuck', [], { advice: 'look at its disk' })] });
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('escalated');
    await world.pass(200_000);
    expect(world.sent).toMatchObject([{ reason: 'look at its disk' }]);
    expect(world.done()).toEqual([]);
  });

  test('in the mode observe nothing is done, and a person is told once', async () => {
    const world = await watched({ mode: 'observe' });
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('escalated');
    await world.pass(200_000);
    expect(world.done()).toEqual([]);
    expect(world.sent).toHaveLength(1);
  });

  test('an alert is told although the fix held', async () => {
    const steps = [doing('restart_service'), { kind: 'alert' as const, when: 'service == "cache"' }];
    const world = await watched({ runbooks: [runbook('stuck', steps)] });
    world.things.break('cache', { reason: 'stuck' });
    // The language of expressions is loaded at its first use, from a real disk.
    await new Promise((resolve) => setTimeout(resolve, 0));
    await import('@marcbachmann/cel-js');
    await world.untilState('resolved');
    expect(world.incident(1).resolvedBy).toBe('nightshift');
    expect(world.sent).toMatchObject([{ reason: 'still so after what was done: service == "cache"' }]);
  });

  test('what starts up is left alone until its time limit, and is not acted on', async () => {
    const world = await watched({ runbooks: [runbook('starting', [], { leaveAlone: true })] });
    world.things.break('cache', { reason: 'starting', endsAt: world.clock.now() + 9000 });
    await world.untilState('resolved');
    expect(world.entries(1, 'waiting')).toHaveLength(1);
    expect(world.incident(1).resolvedBy).toBe('itself');
    expect(world.sent).toEqual([]);
  });

  test('what starts up for ever goes to a person', async () => {
    const world = await watched({ runbooks: [runbook('starting', [], { leaveAlone: true })] });
    world.things.break('cache', { reason: 'starting' });
    await world.untilState('escalated');
    expect(world.entries(1, 'waiting')).toHaveLength(3);
    await world.pass(200_000);
    expect(world.sent).toHaveLength(1);
  });

  test('no service is acted on more than three times an hour, over all of its incidents', async () => {
    const world = await watched();
    for (let id = 1; id <= 3; id += 1) {
      world.things.break('cache', { reason: 'stuck' });
      await world.untilState('resolved', id);
    }
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('escalated', 4);
    expect(world.done()).toHaveLength(3);
    expect(world.sent).toHaveLength(1);
  });
});

describe('one cause, one incident', () => {
  test('two faults that have nothing to do with each other are worked on side by side', async () => {
    let finish: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const world = await watched({
      // The restart of the cache takes long: acting stands in line, looking does not.
      run: async (_tool, name, act) => {
        if (name === 'cache') await slow;
        act();
        return true;
      },
    });
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('acting', 1);
    world.things.break('mail', { reason: 'unheard-of' });
    await world.untilState('escalated', 2);
    expect(world.incident(1).state).toBe('acting');
    finish();
    await world.untilState('resolved', 1);
    expect(world.incident(2)).toMatchObject({ service: 'mail', state: 'escalated' });
  });

  test('when the dependency is mended and the dependant is still broken, the suspicion moves', async () => {
    const world = await watched();
    world.things.break('cache', { reason: 'stuck' });
    world.things.break('api', { reason: 'stuck' });
    await world.until(
      () => world.incidents().length > 0 && world.incidents().every(({ state }) => state === 'resolved'),
    );
    expect(world.done()).toEqual(['restart cache', 'restart api']);
    expect(world.sent).toEqual([]);
  });

  test('when a person mends what they were told of, what is still broken above it is taken up for itself', async () => {
    const world = await watched();
    world.things.break('cache', { reason: 'unheard-of' });
    await world.untilState('escalated');
    await world.until(() => 'api/tcp' in world.incident(1).checks);
    world.things.break('api', { reason: 'stuck' });
    await world.pass(20_000);
    expect(world.done()).toEqual([]);
    world.things.mend('cache');
    await world.untilState('resolved', 1);
    await world.untilState('resolved', 2);
    expect(world.incident(2)).toMatchObject({ service: 'api', resolvedBy: 'nightshift' });
    expect(world.done()).toEqual(['restart api']);
  });

  test('a dependency that breaks while its dependant waits for a person is mended all the same', async () => {
    const world = await watched();
    world.things.break('api', { reason: 'unheard-of' });
    await world.untilState('escalated');
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('resolved', 2);
    expect(world.incident(2)).toMatchObject({ service: 'cache', resolvedBy: 'nightshift' });
    expect(world.incident(1)).toMatchObject({ service: 'api', state: 'escalated' });
  });

  test('a warning below does not take the blame for what is down above it', async () => {
    const world = await watched();
    world.things.break('cache', { reason: 'slow', verdict: 'warn' });
    await world.untilState('escalated');
    world.things.break('api', { reason: 'stuck' });
    await world.untilState('resolved', 2);
    expect(world.incident(2)).toMatchObject({ service: 'api', resolvedBy: 'nightshift' });
    expect(world.done()).toEqual(['restart api']);
  });

  test('what was handed over as a warning and becomes critical is told once more', async () => {
    const world = await watched({ runbooks: [] });
    world.things.break('cache', { reason: 'slow', verdict: 'warn' });
    await world.until(() => world.sent.length === 1);
    await world.pass(200_000);
    world.things.break('cache', { reason: 'down' });
    await world.until(() => world.sent.length === 2);
    await world.pass(200_000);
    expect(world.sent.map(({ severity }) => severity)).toEqual(['warn', 'critical']);
    expect(world.incidents().filter(({ service }) => service === 'cache')).toHaveLength(1);
  });
});

describe('a host that does not answer', () => {
  const FAR = `${service('worker', 'host: pc,', 1)}${service('queue', 'host: pc,', 2)}`;
  const gone = { reason: 'host-unreachable', verdict: 'unknown' as const };
  const world = async () => {
    const found = new World({ services: STACK + FAR, more: 'hosts: { pc: { ssh: pc } }' });
    await found.start();
    await found.pass(5000);
    return found;
  };
  const all = ['worker', 'queue', 'machine@pc'];

  test('is one incident about the machine, told once, and over when it answers again', async () => {
    const far = await world();
    for (const name of all) far.things.break(name, gone);
    await far.untilState('escalated');
    await far.pass(200_000);
    expect(far.incidents().map((incident) => incident.service)).toEqual(['machine@pc']);
    expect(far.sent).toHaveLength(1);
    for (const name of all) far.things.mend(name);
    await far.untilState('resolved');
    expect(far.incident(1).resolvedBy).toBe('itself');
    expect(far.done()).toEqual([]);
  });

  test('what is down after it has come back is an incident of its own, and mended', async () => {
    const far = await world();
    for (const name of all) far.things.break(name, gone);
    await far.untilState('escalated');
    for (const name of all) far.things.mend(name);
    far.things.break('worker', { reason: 'stuck' });
    await far.untilState('resolved', 2);
    expect(far.incident(2)).toMatchObject({ service: 'worker', resolvedBy: 'nightshift' });
    await far.untilState('resolved', 1);
    expect(far.done()).toEqual(['restart worker']);
  });

  test('an action whose effect nobody could measure is neither a success nor a failure to memory', async () => {
    const far = new World({
      services: STACK + FAR,
      more: 'hosts: { pc: { ssh: pc } }',
      run: async (_tool, _name, act) => {
        act();
        for (const name of all) far.things.break(name, gone);
        return true;
      },
    });
    await far.start();
    await far.pass(5000);
    far.things.break('worker', { reason: 'stuck' });
    await far.untilState('escalated');
    expect(far.incident(1).service).toBe('machine@pc');
    for (const name of all) far.things.mend(name);
    await far.untilState('resolved');
    expect(far.incident(1).resolvedBy).toBe('itself');
    expect(far.store.memory.list()).toEqual([]);
  });

  test('is not forgotten when Nightshift is killed before it has opened the incident', async () => {
    const far = await world();
    far.life.parts.open = () => {
      throw new Error('killed');
    };
    for (const name of all) far.things.break(name, gone);
    await far.pass(20_000);
    far.kill();
    expect(far.incidents()).toEqual([]);
    await far.start();
    await far.untilState('escalated');
    expect(far.incident(1).service).toBe('machine@pc');
  });
});

describe('what cannot be measured', () => {
  test('is not resolved, does not go round, and goes to a person once', async () => {
    const world = await watched();
    world.things.break('cache', { reason: 'stuck', endsBy: 'nothing' });
    await world.untilState('diagnosing');
    world.things.break('cache', { reason: 'not-permitted', verdict: 'unknown', endsBy: 'nothing' });
    await world.untilState('escalated');
    const before = world.store.incidents.timeline(1).length;
    const looked = world.things.log.length;
    await world.pass(300_000);
    expect(world.sent).toHaveLength(1);
    expect(world.store.incidents.timeline(1).length - before).toBeLessThan(5);
    // Five checks every 2 s, and nothing measured over and over beside that.
    expect(world.things.log.length - looked).toBeLessThan(5 * 150 + 40);
    world.things.mend('cache');
    await world.untilState('resolved');
  });

  test('a service that is taken out of the configuration ends its incident, and nothing is learned', async () => {
    const world = await watched({ runbooks: [] });
    world.things.break('mail', { reason: 'unheard-of' });
    await world.untilState('escalated');
    await world.stop();
    world.config = world.configured(service('cache') + service('api', 'depends_on: [cache],'));
    await world.start();
    await world.untilState('resolved');
    expect(world.incident(1)).toMatchObject({
      resolvedBy: 'person',
      resolution: expect.stringContaining('not watched any more'),
    });
    expect(world.store.memory.list()).toEqual([]);
  });
});

describe('a person who was faster', () => {
  const says = (world: World, words: string) =>
    world.store.incidents.append(
      1,
      {
        type: 'note',
        text: `a person: ${words}`,
        data: {
          resolvedByPerson: true,
          by: words,
          actions: [{ tool: 'restart_service', arguments: { service: 'cache' }, reason: '' }],
        },
      },
      { state: 'holding' },
    );

  test('is believed once it holds, and what they said is done by memory the next time', async () => {
    const world = await watched({ runbooks: [] });
    world.things.break('cache', { reason: 'unheard-of' });
    await world.untilState('escalated');
    world.things.mend('cache');
    says(world, 'restart cache');
    await world.untilState('resolved');
    expect(world.incident(1).resolvedBy).toBe('person');
    world.things.break('cache', { reason: 'unheard-of' });
    await world.untilState('resolved', 2);
    expect(world.incident(2)).toMatchObject({ resolvedBy: 'nightshift', diagnosis: { source: 'memory' } });
  });

  test('is not believed while it still fails, and not credited when it heals by itself later', async () => {
    const world = await watched({ runbooks: [] });
    world.things.break('cache', { reason: 'unheard-of', endsBy: 'nothing', endsAt: world.clock.now() + 300_000 });
    await world.untilState('escalated');
    says(world, 'restart cache');
    await world.untilState('escalated');
    await world.untilState('resolved', 1, 1_000_000);
    expect(world.incident(1).resolvedBy).toBe('itself');
    expect(world.store.memory.list()).toEqual([]);
    expect(world.sent).toHaveLength(1);
  });

  test('who closes it while its plan waits is left alone: nothing is done in it, nothing opened again', async () => {
    const world = await watched({
      runbooks: [runbook('stuck', [{ kind: 'wait', milliseconds: 30_000 }, doing('restart_service')])],
    });
    world.things.break('cache', { reason: 'stuck' });
    await world.until(() => world.store.incidents.get(1)?.diagnosis != null);
    const now = world.clock.now();
    world.store.incidents.append(
      1,
      { type: 'resolved', text: 'not measured' },
      { state: 'resolved', resolvedAt: now, resolvedBy: 'person', resolution: 'by hand' },
    );
    await world.untilState('resolved', 2);
    expect(world.incident(1)).toMatchObject({ state: 'resolved', resolvedBy: 'person', resolvedAt: now });
    expect(world.store.actions.of(1)).toEqual([]);
  });

  test('who says so while it is looked into is believed if it comes back in time, and nobody is told', async () => {
    const world = await watched({ measuringMs: 1500 });
    world.things.break('cache', { reason: 'stuck', endsAt: world.clock.now() + 10_000 });
    await world.until(() => world.incidents().length === 1);
    says(world, 'restart cache');
    await world.untilState('resolved');
    expect(world.incident(1).resolvedBy).toBe('person');
    expect(world.done()).toEqual([]);
    expect(world.sent).toEqual([]);
  });
});

describe('somebody hears', () => {
  test('a webhook that is down gets the message once it is back, once', async () => {
    let status = 500;
    const world = await watched({ runbooks: [], answer: () => status });
    world.things.break('cache', { reason: 'unheard-of' });
    await world.untilState('escalated');
    await world.pass(200_000);
    expect(world.sent).toEqual([]);
    status = 200;
    await world.pass(200_000);
    expect(world.sent).toHaveLength(1);
  });

  test('when Nightshift itself fails at an incident, a person is told', async () => {
    const world = await watched();
    world.life.parts.guard.perform = async () => {
      throw new Error('a bug');
    };
    world.things.break('cache', { reason: 'stuck' });
    await world.untilState('escalated');
    expect(world.sent).toMatchObject([{ reason: expect.stringContaining('a bug') }]);
  });
});
