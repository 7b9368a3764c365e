import { describe, expect, test } from 'vitest';
import { limit } from '../../src/config/checks.ts';
import { excerpt, formatBytes, formatNumber, formatSpan } from '../../src/health/format.ts';
import { alike, atPath } from '../../src/health/json-path.ts';
import { breaches, breachOf, isSize, judge, limitText } from '../../src/health/limits.ts';
import { numberIn } from '../../src/health/number-in.ts';
import { countVerdicts, createReport, worstVerdict } from '../../src/health/report.ts';
import { checkOf, resultOf } from './support.ts';

const written = (text: string | number) => limit.parse(text);

test.each([
  ['90%', 90, false],
  ['90%', 90.1, true],
  ['>= 90%', 90, true],
  ['< 5', 5, false],
  ['< 5', 4, true],
  ['<= 5', 5, true],
  ['== 0', 0, true],
  ['!= 1', 1, false],
  ['!= 1', 2, true],
  ['500ms', 501, true],
  ['2GB', 2 * 1024 ** 3, false],
])('%s against %d: breached %s', (text, value, breached) => {
  expect(breaches(value, written(text))).toBe(breached);
});

test('the worse of two limits counts, and the summary names it with its direction', () => {
  const limits = { warn: written('80%'), critical: written('90%') };
  expect(breachOf(85, limits)).toMatchObject({ verdict: 'warn', reason: 'over-limit' });
  expect(breachOf(95, limits)).toMatchObject({ verdict: 'critical' });
  expect(breachOf(50, limits)).toBeNull();
  expect(breachOf(3, { critical: written('< 5') })).toMatchObject({ reason: 'under-limit' });
  expect(judge({ value: 95, summary: '95 % full' }, limits)).toEqual({
    value: 95,
    verdict: 'critical',
    reason: 'over-limit',
    summary: '95 % full (limit: > 90%)',
  });
  expect(limitText(written('< 5'))).toBe('< 5');
  expect([isSize(written('< 2GB')), isSize(written('90%')), isSize(written(7))]).toEqual([true, false, false]);
});

describe('small helpers', () => {
  test.each([
    ['data.items[0].status', 'up'],
    ['data["items"]', undefined],
    ['a.b', 'literal'],
    ['data.items[9].status', undefined],
    ['data.items.length', undefined],
    ['constructor', undefined],
    ['__proto__.polluted', undefined],
  ])('atPath %s', (path, found) => {
    expect(atPath({ data: { items: [{ status: 'up' }] }, 'a.b': 'literal', a: { b: 'nested' } }, path)).toBe(found);
  });

  test('alike', () => {
    expect([alike('3', 3), alike(true, 'true'), alike(null, null)]).toEqual([true, true, true]);
    expect([alike(null, 'null'), alike(undefined, null), alike({}, '[object Object]'), alike(0, false)]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  test.each([
    ['42\n', 42],
    ['queue depth: 17 jobs', 17],
    ['first 1\nlast -2.5e3', -2500],
    ['', null],
    ['none', null],
  ])('numberIn %j', (text, number) => {
    expect(numberIn(text)).toBe(number);
  });

  test('what people read', () => {
    expect([formatBytes(0), formatBytes(1536), formatBytes(3 * 1024 ** 4)]).toEqual(['0 B', '1.5 kB', '3 TB']);
    expect([formatSpan(4), formatSpan(2500), formatSpan(600_000), formatSpan(3 * 86_400_000)]).toEqual([
      '4 ms',
      '2.5 s',
      '10 min',
      '3 days',
    ]);
    expect([formatNumber(3), formatNumber(2.34567), formatNumber(1234.567)]).toEqual(['3', '2.35', '1234.6']);
    expect(excerpt('a\u001b[31mb\u202ec\u0000\n\n d')).toBe('a [31mb c d');
  });
});

test('a report counts its verdicts', () => {
  const check = checkOf('tcp', { tcp: '127.0.0.1:1' });
  const results = (['ok', 'ok', 'critical', 'unknown'] as const).map((verdict) => resultOf(check, verdict, 1));
  expect(countVerdicts(results)).toEqual({ ok: 2, warn: 0, critical: 1, unknown: 1 });
  expect(createReport('home', 9, results)).toMatchObject({ name: 'home', at: 9, counts: { critical: 1 } });
  expect([
    worstVerdict([]),
    worstVerdict(['ok', 'unknown']),
    worstVerdict(['unknown', 'warn']),
    worstVerdict(['critical', 'unknown']),
  ]).toEqual(['ok', 'unknown', 'warn', 'critical']);
});
