import { describe, expect, it } from 'vitest';
import type { Facts } from '../../src/incidents/incident.ts';
import { compileExpression, compileWithPosition } from '../../src/runbooks/expression.ts';

async function evaluate(text: string, facts: Facts): Promise<boolean | 'unknown'> {
  const compiled = await compileExpression(text);
  if (!compiled.ok) throw new Error(compiled.error);
  return compiled.value.evaluate(facts);
}

describe('the dialect of symptoms', () => {
  it.each([
    ['worker_process_status == "dead"', { worker_process_status: 'dead' }, true],
    ["service == 'brain-api'", { service: 'brain-api' }, true],
    ['last_heartbeat > 5 minutes', { last_heartbeat: 300_001 }, true],
    ['last_heartbeat > 5 minutes', { last_heartbeat: 300_000 }, false],
    ['uptime < 1h30m', { uptime: 5_399_999 }, true],
    ['uptime < 1 hour 30 minutes and host == "pc"', { uptime: 5_399_999, host: 'pc' }, true],
    ['latency > 250ms', { latency: 251 }, true],
    ['memory_usage > 90%', { memory_usage: 90.5 }, true],
    ['memory_usage > 90%', { memory_usage: 90 }, false],
    [
      '(memory_usage > 90% or cpu_usage > 95%) and service == "x"',
      { memory_usage: 5, cpu_usage: 96, service: 'x' },
      true,
    ],
    ['log_size > 2GB', { log_size: 2 * 1024 ** 3 + 1 }, true],
    ['log_size > 1.5 MB', { log_size: 1.5 * 1024 ** 2 }, false],
    ['http_status in [502, 503]', { http_status: 503 }, true],
    ['service in ["api", "web"]', { service: 'db' }, false],
    ['failing_kind contains "disk"', { failing_kind: 'disk http' }, true],
    ['log_error matches "cannot (open|read)"', { log_error: 'cannot read x' }, true],
    ['not memory_usage > 90%', { memory_usage: 50 }, true],
    ['not tcp_open and http_status == 200', { tcp_open: false, http_status: 200 }, true],
    ['not not tcp_open', { tcp_open: true }, true],
    ['!(tcp_open) || out_of_memory == true', { tcp_open: true, out_of_memory: true }, true],
    ['exit_code == -1', { exit_code: -1 }, true],
    ['check_health_body contains "a \\" and b"', { check_health_body: 'x a " and b y' }, true],
  ] satisfies [string, Facts, boolean][])('%s', async (text, facts, expected) => {
    expect(await evaluate(text, facts)).toBe(expected);
  });

  it('names the facts it reads', async () => {
    const compiled = await compileExpression('disk_usage > 90% and (service == "a" or not tcp_open)');
    expect(compiled.ok && compiled.value.reads.toSorted()).toEqual(['disk_usage', 'service', 'tcp_open']);
  });

  it.each([
    ['disk_usage = 90', 11, '=='],
    ['disk_usage > 90% and', 20, 'not understood'],
    ['disk_usage > 5 apples', 13, 'neither a duration'],
    ['http_status == "dead"', 0, 'cannot be compared'],
    ['disk_usage', 0, 'comparison was expected'],
    ['service == "open', 11, 'no end'],
    ['disk_usage > 90%; rm', 16, 'not understood'],
    ['log_error matches "("', 0, 'regular expression'],
    ['   ', 0, 'expression was expected'],
    [`${'('.repeat(200)}disk_usage > 1${')'.repeat(200)}`, 0, 'not understood'],
  ])('says where %s is wrong', async (text, offset, words) => {
    const compiled = await compileWithPosition(text);
    expect(compiled.ok).toBe(false);
    if (compiled.ok) return;
    expect(compiled.problem.message).toContain(words);
    if (text.length < 100) expect(compiled.problem.offset).toBe(Math.min(offset, text.length));
  });

  it('knows a misspelt fact and the right word for it', async () => {
    const compiled = await compileWithPosition('service == "a" and memry_usage > 90%');
    expect(compiled.ok && compiled.unknownFacts).toEqual([
      { name: 'memry_usage', offset: 19, message: expect.stringContaining('did you mean memory_usage?') },
    ]);
  });
});

describe('what was not measured', () => {
  type Truth = boolean | 'unknown';
  const truths: Truth[] = [true, false, 'unknown'];
  const both = truths.flatMap((a) => truths.map((b) => [a, b] as const));
  // Kleene's strong logic: an operator answers as soon as what is known decides it.
  const and = (a: Truth, b: Truth): Truth =>
    a === false || b === false ? false : a === true && b === true ? true : 'unknown';
  const or = (a: Truth, b: Truth): Truth =>
    a === true || b === true ? true : a === false && b === false ? false : 'unknown';
  const not = (a: Truth): Truth => (a === 'unknown' ? a : !a);
  /** A fact that is as true as wanted, and a comparison over it. */
  const factsFor = (a: Truth, b: Truth): Facts => ({
    ...(a === 'unknown' ? {} : { disk_usage: a ? 99 : 1 }),
    ...(b === 'unknown' ? {} : { service: b ? 'x' : 'y' }),
  });
  const A = 'disk_usage > 90%';
  const B = 'service == "x"';

  it.each(both)('%s and %s', async (a, b) => {
    const facts = factsFor(a, b);
    expect(await evaluate(`${A} and ${B}`, facts)).toBe(and(a, b));
    expect(await evaluate(`${A} or ${B}`, facts)).toBe(or(a, b));
    expect(await evaluate(`not ${A}`, facts)).toBe(not(a));
    // De Morgan's laws, double negation and absorption hold with three values, too.
    expect(await evaluate(`not (${A} and ${B})`, facts)).toBe(await evaluate(`not ${A} or not ${B}`, facts));
    expect(await evaluate(`not (${A} or ${B})`, facts)).toBe(await evaluate(`not ${A} and not ${B}`, facts));
    expect(await evaluate(`not not ${A}`, facts)).toBe(a);
    expect(await evaluate(`${A} and (${A} or ${B})`, facts)).toBe(a);
    expect(await evaluate(`${A} and ${B}`, facts)).toBe(await evaluate(`${B} and ${A}`, facts));
  });

  it('learning more never turns a yes into a no', async () => {
    for (const text of [`${A} or ${B}`, `${A} and ${B}`, `not ${A} or ${B}`, `not (${A} or not ${B})`]) {
      for (const [a, b] of both) {
        const before = await evaluate(text, factsFor(a, b));
        if (before === 'unknown') continue;
        for (const moreA of a === 'unknown' ? [true, false] : [a]) {
          for (const moreB of b === 'unknown' ? [true, false] : [b]) {
            expect(await evaluate(text, factsFor(moreA, moreB))).toBe(before);
          }
        }
      }
    }
  });

  it('is unknown for null, not-a-number and what cannot be compared', async () => {
    expect(await evaluate('disk_usage > 90%', { disk_usage: null })).toBe('unknown');
    expect(await evaluate('disk_usage > 90%', { disk_usage: Number.NaN })).toBe('unknown');
    expect(await evaluate('check_x_count > 3', { check_x_count: 'many' })).toBe('unknown');
    expect(await evaluate('disk_usage > 90%', { disk_usage: 'full' })).toBe('unknown');
    expect(await evaluate('check_x_flag', { check_x_flag: 'yes' })).toBe('unknown');
    expect(await evaluate('check_x_flag', { check_x_flag: true })).toBe(true);
  });
});
