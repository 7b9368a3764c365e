import { createServer } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { CheckConfig } from '../../src/config/checks.ts';
import type { CheckContext, CheckResult } from '../../src/health/check.ts';
import { createMonitor } from '../../src/health/monitor.ts';
import { runSchedule } from '../../src/health/schedule.ts';
import {
  checkOf,
  contextOf,
  handClock,
  listening,
  measure,
  resultOf,
  scriptedHost,
  serviceOf,
  tcpServer,
} from './support.ts';

const monitorOf = (checks: CheckConfig[], more: Partial<CheckContext> = {}, concurrency = 8) =>
  createMonitor({
    config: { name: 'home', services: new Map([['api', serviceOf({ checks })]]) },
    clock: contextOf().clock,
    context: () => contextOf(more),
    concurrency,
  });

const command = (name: string, more: Partial<CheckConfig> = {}): CheckConfig =>
  checkOf('command', { command: ['probe', name] }, { key: `api/${name}`, name, ...more });

describe('measure', () => {
  test('keeps the order, never measures more than the limit at once, and one result per check', async () => {
    let running = 0;
    let most = 0;
    const host = scriptedHost(() => ({}));
    const slow = {
      ...host,
      run: async (request: Parameters<typeof host.run>[0]) => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running -= 1;
        return host.run(request);
      },
    };
    const checks = Array.from({ length: 20 }, (_, index) => command(`c${index}`));
    const results = await monitorOf(checks, { host: slow }, 3).measure(checks);
    expect(results.map((result) => result.check)).toEqual(checks.map((check) => check.key));
    expect(most).toBe(3);
  });

  test('one that hangs, and ignores its signal, holds up nobody and is given up on', async () => {
    const host = scriptedHost(() => ({}));
    const hanging = {
      ...host,
      run: (request: Parameters<typeof host.run>[0]) =>
        request.argv[1] === 'hang' ? new Promise<never>(() => undefined) : host.run(request),
    };
    const checks = [
      command('hang', { withinMs: 100 }),
      ...Array.from({ length: 30 }, (_, index) => command(`c${index}`)),
    ];
    const startedAt = performance.now();
    const results = await monitorOf(checks, { host: hanging }, 2).measure(checks);
    expect(performance.now() - startedAt).toBeLessThan(1500);
    expect(results[0]).toMatchObject({ check: 'api/hang', verdict: 'critical', reason: 'timed-out' });
    expect(results.slice(1).every((result) => result.verdict === 'ok')).toBe(true);
  });

  test('what only looks at the machine and hangs is unknown, not critical', async () => {
    const host = { ...scriptedHost(() => ({})), run: () => new Promise<never>(() => undefined) };
    const result = await measure(checkOf('memory', { memory: 'machine' }, { withinMs: 50 }), { host });
    expect(result).toMatchObject({ verdict: 'unknown', reason: 'timed-out' });
  });

  test('what a check throws becomes its result', async () => {
    const host = scriptedHost(() => {
      throw new Error('the probe\nbroke');
    });
    const [result] = await monitorOf([], { host }).measure([command('broken')]);
    expect(result).toMatchObject({ verdict: 'unknown', reason: 'failed' });
    expect(result?.summary).toBe('measuring command for api/broken failed: the probe broke');
  });

  test('a check is never measured twice at once: the second waits and measures anew', async () => {
    const server = createServer((socket) => socket.destroy());
    const port = await listening(server);
    const check = checkOf('tcp', { tcp: `127.0.0.1:${port}` });
    const monitor = monitorOf([check]);
    let running = 0;
    let most = 0;
    let reached = 0;
    const host = {
      ...contextOf().host,
      reach: async (address: string, to: number) => {
        reached += 1;
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 20));
        running -= 1;
        return contextOf().host.reach(address, to);
      },
    };
    const watched = monitorOf([check], { host });
    await Promise.all([watched.measure([check]), watched.measure([check]), watched.measure([check, check])]);
    expect({ most, reached }).toEqual({ most: 1, reached: 4 });
    const report = await monitor.all();
    server.close();
    expect(report).toMatchObject({ name: 'home', counts: { ok: 1, warn: 0, critical: 0, unknown: 0 } });
    expect(report.results).toHaveLength(1);
  });
});

describe('the schedule', () => {
  const stops: AbortController[] = [];
  afterEach(() => {
    for (const stop of stops.splice(0)) stop.abort();
  });

  /** Runs it on a clock set by hand, and keeps what was started when. */
  function scheduled(
    checks: CheckConfig[],
    { random = (): number => 0, concurrency = 100, hang = [] as string[] } = {},
  ) {
    const clock = handClock(0);
    const stop = new AbortController();
    stops.push(stop);
    const starts: { key: string; at: number }[] = [];
    const batches: CheckResult[][] = [];
    const hanging = new Map<string, () => void>(hang.map((key) => [key, () => undefined]));
    const measureOne = vi.fn((check: CheckConfig, controller: AbortController) => {
      starts.push({ key: check.key, at: clock.now() });
      const result = () => resultOf(check, 'ok', clock.now());
      if (!hanging.has(check.key)) return Promise.resolve(result());
      return new Promise<CheckResult>((resolve) => {
        hanging.set(check.key, () => resolve(result()));
        controller.signal.addEventListener('abort', () => resolve(result()));
      });
    });
    const done = (async () => {
      for await (const batch of runSchedule({ checks, measureOne, clock, concurrency, random }, stop.signal))
        batches.push(batch);
    })();
    const at = (key: string): number[] => starts.filter((start) => start.key === key).map((start) => start.at);
    return { clock, stop, starts, batches, hanging, measureOne, done, at };
  }

  test('each at its own pace, without drift, in batches', async () => {
    const run = scheduled([command('fast', { everyMs: 2000 }), command('slow', { everyMs: 5000 })]);
    await run.clock.advance(20_000);
    expect(run.at('api/fast')).toEqual([0, 2000, 4000, 6000, 8000, 10_000, 12_000, 14_000, 16_000, 18_000, 20_000]);
    expect(run.at('api/slow')).toEqual([0, 5000, 10_000, 15_000, 20_000]);
    expect(run.batches[0]).toHaveLength(2);
    expect(run.batches.flat()).toHaveLength(16);
  });

  test('jitter spreads starts by up to a tenth and never adds up; the first report comes soon', async () => {
    let seed = 7;
    const random = () => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const checks = Array.from({ length: 50 }, (_, index) => command(`c${index}`, { everyMs: 60_000 }));
    const run = scheduled(checks, { random });
    await run.clock.advance(500);
    expect(new Set(run.starts.map((start) => start.key)).size).toBe(50);
    for (let minute = 0; minute < 5; minute += 1) await run.clock.advance(60_000);
    const fifth = run.starts.slice(-50).map((start) => start.at - 5 * 60_000);
    expect(Math.max(...run.at('api/c0').map((at, turn) => at - turn * 60_000))).toBeLessThanOrEqual(6500);
    expect(Math.max(...fifth) - Math.min(...fifth)).toBeGreaterThan(1000);
    expect(new Set(fifth).size).toBeGreaterThan(20);
  });

  test('a check that still runs is not started again, and the others go on', async () => {
    const run = scheduled([command('hung', { everyMs: 1000 }), command('fine', { everyMs: 1000 })], {
      hang: ['api/hung'],
    });
    await run.clock.advance(10_500);
    expect(run.at('api/hung')).toEqual([0]);
    expect(run.at('api/fine')).toHaveLength(11);
    run.hanging.get('api/hung')?.();
    run.hanging.delete('api/hung');
    await run.clock.advance(1000);
    expect(run.at('api/hung')).toEqual([0, 11_000]);
  });

  test('no more at once than the limit; who waited longest goes first', async () => {
    const run = scheduled([command('a'), command('b'), command('c')], { concurrency: 2, hang: ['api/a', 'api/b'] });
    await run.clock.advance(100);
    expect(run.starts.map((start) => start.key)).toEqual(['api/a', 'api/b']);
    run.hanging.get('api/a')?.();
    await run.clock.advance(100);
    expect(run.starts.map((start) => start.key)).toEqual(['api/a', 'api/b', 'api/c']);
  });

  test('after the machine slept for hours each is measured once, spread out', async () => {
    const checks = Array.from({ length: 40 }, (_, index) => command(`c${index}`, { everyMs: 60_000 }));
    const run = scheduled(checks, { random: () => Math.random() });
    await run.clock.advance(70_000);
    const before = run.starts.length;
    const wokeAt = run.clock.now() + 8 * 3_600_000;
    run.clock.set(wokeAt);
    await run.clock.advance(40_000);
    const after = run.starts.slice(before);
    expect(after).toHaveLength(40);
    expect(new Set(after.map((start) => start.at)).size).toBeGreaterThan(10);
  });

  test('a clock that was set back does not stop it', async () => {
    const run = scheduled([command('a', { everyMs: 60_000 })]);
    await run.clock.advance(120_000);
    run.clock.set(-10 * 3_600_000);
    const before = run.starts.length;
    await run.clock.advance(65_000);
    expect(run.starts.length).toBeGreaterThan(before);
  });

  test('ends at once when told to, and ends what is under way', async () => {
    const run = scheduled([command('hung')], { hang: ['api/hung'] });
    await run.clock.advance(10);
    run.stop.abort();
    await run.done;
    expect(run.measureOne.mock.calls[0]?.[1].signal.aborted).toBe(true);
    expect(run.batches).toEqual([]);
  });

  test('with nothing to measure it waits to be ended', async () => {
    const run = scheduled([]);
    await run.clock.advance(60_000);
    run.stop.abort();
    await run.done;
    expect(run.batches).toEqual([]);
  });
});

test('run measures real endpoints again and again until it is ended', async () => {
  let connections = 0;
  const port = await tcpServer(() => {
    connections += 1;
  });
  const check = checkOf('tcp', { tcp: `127.0.0.1:${port}` }, { everyMs: 20 });
  const stop = new AbortController();
  const seen: CheckResult[] = [];
  for await (const batch of monitorOf([check]).run(stop.signal)) {
    seen.push(...batch);
    if (seen.length >= 5) stop.abort();
  }
  expect(seen.every((result) => result.verdict === 'ok')).toBe(true);
  expect(connections).toBeGreaterThanOrEqual(5);
});
