import { describe, expect, test } from 'vitest';
import type { CheckConfig } from '../../src/config/checks.ts';
import type { Verdict } from '../../src/health/check.ts';
import { createHysteresis, type Hysteresis } from '../../src/health/hysteresis.ts';
import { checkOf, resultOf } from './support.ts';

const letters: Record<string, Verdict> = { o: 'ok', w: 'warn', c: 'critical', u: 'unknown' };

const pushed = (hysteresis: Hysteresis, check: CheckConfig, letter: string, at: number) =>
  hysteresis.push(resultOf(check, letters[letter] ?? 'unknown', at), check);

/** Feeds results one second apart; says which signals came at which result: `2:unknown>critical`. */
function feed(sequence: string, fails: number, of: number): string {
  const check = checkOf('tcp', { tcp: '127.0.0.1:1' }, { fails, of });
  const hysteresis = createHysteresis();
  return [...sequence]
    .map((letter, index) => {
      const signal = pushed(hysteresis, check, letter, index);
      return signal ? `${index}:${signal.previous}>${signal.verdict}@${signal.since}` : '';
    })
    .filter(Boolean)
    .join(' ');
}

describe('a verdict changes only after `fails` of the last `of`', () => {
  test.each([
    ['oooo', 2, 2, ''],
    ['c', 2, 2, ''],
    ['cc', 2, 2, '1:unknown>critical@0'],
    ['ococococ', 2, 2, ''],
    ['oocc', 2, 2, '3:ok>critical@2'],
    ['oocccc', 2, 2, '3:ok>critical@2'],
    ['occo', 2, 2, '2:ok>critical@1'],
    ['occoo', 2, 2, '2:ok>critical@1 4:critical>ok@3'],
    ['occococo', 2, 2, '2:ok>critical@1'],
    ['oc', 1, 1, '1:ok>critical@1'],
    ['occooo', 2, 4, '2:ok>critical@1 5:critical>ok@3'],
    ['occococococo', 2, 4, '2:ok>critical@1'],
    ['occo', 2, 3, '2:ok>critical@1'],
    ['occoo', 2, 3, '2:ok>critical@1 4:critical>ok@3'],
    ['occcoo', 3, 5, '3:ok>critical@1'],
    ['occcooo', 3, 5, '3:ok>critical@1 6:critical>ok@4'],
    ['oww', 2, 2, '2:ok>warn@1'],
    ['owc', 2, 2, '2:ok>warn@1'],
    ['owcc', 2, 2, '2:ok>warn@1 3:warn>critical@2'],
    ['occw', 2, 2, '2:ok>critical@1'],
    ['occww', 2, 2, '2:ok>critical@1 4:critical>warn@3'],
    ['occwo', 2, 2, '2:ok>critical@1 4:critical>warn@3'],
    ['occwoo', 2, 2, '2:ok>critical@1 4:critical>warn@3 5:warn>ok@4'],
  ])('%s with %i of %i', (sequence, fails, of, signals) => {
    expect(feed(sequence, fails, of)).toBe(signals);
  });
});

describe('unknown', () => {
  test.each([
    ['ou', '', 'one is no news'],
    ['ouu', '2:ok>unknown@1', 'a host that went away is'],
    ['ouuoo', '2:ok>unknown@1 4:unknown>ok@3', 'and that it came back, too'],
    ['ouc', '', 'it does not count as a failure'],
    ['occu', '2:ok>critical@1', 'nor as a recovery'],
    ['occuu', '2:ok>critical@1 4:critical>unknown@3', 'what cannot be seen is not known to be down'],
    ['occuucc', '2:ok>critical@1 4:critical>unknown@3 6:unknown>critical@5', ''],
    ['uuo', '', 'a first good word is silent'],
    ['uucc', '3:unknown>critical@2', ''],
    ['ouuoc', '2:ok>unknown@1', 'one good and one bad make no verdict'],
  ])('%s: %s %s', (sequence, signals) => {
    expect(feed(sequence, 2, 2)).toBe(signals);
  });
});

test('a signal carries what the result said', () => {
  const check = checkOf('tcp', { tcp: '127.0.0.1:1' }, { fails: 1, of: 1 });
  const result = { ...resultOf(check, 'critical', 5), summary: 'connection refused', reason: 'refused' };
  expect(createHysteresis().push(result, check)).toEqual({
    check: 'api/tcp',
    service: 'api',
    verdict: 'critical',
    previous: 'unknown',
    summary: 'connection refused',
    reason: 'refused',
    since: 5,
    at: 5,
  });
});

test('nothing is lost over a restart, at whatever result it falls', () => {
  const check = checkOf('tcp', { tcp: '127.0.0.1:1' });
  const sequence = 'ococcuoocwwoouuoo';
  const signalsOf = (restart: boolean) => {
    let hysteresis = createHysteresis();
    return [...sequence].flatMap((letter, index) => {
      const signal = pushed(hysteresis, check, letter, index);
      if (restart) hysteresis = createHysteresis({ saved: JSON.parse(JSON.stringify(hysteresis.save())) });
      return signal ? [signal] : [];
    });
  };
  expect(signalsOf(true)).toEqual(signalsOf(false));
  expect(signalsOf(true).length).toBeGreaterThan(3);
});

test('settled and since follow, and a check that is gone is forgotten', () => {
  const check = checkOf('tcp', { tcp: '127.0.0.1:1' });
  const hysteresis = createHysteresis();
  expect([hysteresis.settled(check.key), hysteresis.since(check.key)]).toEqual(['unknown', null]);
  for (const [at, letter] of [...'occ'].entries()) pushed(hysteresis, check, letter, at);
  expect([hysteresis.settled(check.key), hysteresis.since(check.key)]).toEqual(['critical', 1]);
  hysteresis.retain(['other/check']);
  expect(hysteresis.settled(check.key)).toBe('unknown');
});

test.each([[null], ['text'], [{ 'api/tcp': { settled: 'excellent' } }], [[1, 2]]])(
  'a damaged memory %j is as good as none',
  (saved) => {
    const check = checkOf('tcp', { tcp: '127.0.0.1:1' });
    const hysteresis = createHysteresis({ saved });
    expect(pushed(hysteresis, check, 'c', 1)).toBeNull();
    expect(pushed(hysteresis, check, 'c', 2)).toMatchObject({ verdict: 'critical' });
  },
);
