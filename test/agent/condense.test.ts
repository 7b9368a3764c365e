import { describe, expect, it } from 'vitest';
import { condenseLines } from '../../src/agent/condense.ts';
import { estimateTokens } from '../../src/agent/context.ts';

const clock = (seconds: number) => new Date(Date.parse('2026-03-01T13:50:00Z') + seconds * 1000).toISOString();

/** Half an hour of a checkout service: 41 022 lines of 38 kinds, one of them rare and telling. */
function checkoutLog(): string {
  const usual = Array.from(
    { length: 36 },
    (_, kind) => (n: number) =>
      `INFO worker step ${'abcdefghijkl'[kind % 12]}${'xyz'[Math.floor(kind / 12)]} handled order ${n} in ${n % 97} ms for 10.0.${n % 250}.${n % 199} trace ${(n * 2_654_435_761).toString(16).padStart(12, 'a1')}`,
  );
  const lines: string[] = [];
  for (let n = 0; n < 41_016; n += 1) {
    const at = clock(n * 0.04);
    lines.push(n % 21 === 0 ? `${at} POST /checkout took ${38 + (n % 11_167)}ms` : `${at} ${usual[n % 36]?.(n)}`);
  }
  lines.splice(
    20_000,
    0,
    `${clock(800)} ERROR lock wait on orders: pid 811 idle in transaction`,
    '    at lockRow (/srv/app/orders.js:41:7)',
    '    at next (/srv/app/node_modules/q/index.js:3:1)',
    '    at run (node:internal/process:1:1)',
    '    at a (/srv/app/node_modules/q/a.js:1:1)',
    '    at b (/srv/app/node_modules/q/b.js:1:1)',
  );
  return `${lines.join('\n')}\n`;
}

describe('condensing a log', () => {
  it('makes 41 022 lines 38 patterns, within the budget, with the one that tells', () => {
    const log = checkoutLog();
    const begun = performance.now();
    const condensed = condenseLines(log, { budgetTokens: 1500 });
    expect(performance.now() - begun).toBeLessThan(5000);
    expect(condensed).toMatchObject({ lines: 41_022, patterns: 38 });
    expect(estimateTokens(condensed.text)).toBeLessThanOrEqual(1500);
    expect(condensed.text).toContain('ERROR lock wait on orders: pid 811 idle in transaction');
    expect(condensed.text).toContain('at lockRow (/srv/app/orders.js:41:7)');
    expect(condensed.text).not.toContain('node_modules');
    expect(condensed.text).toMatch(/×1954 13:50:00\.\.14:17:\d\d {2}POST \/checkout took <38\.\.\d+>ms/);
  });

  it('keeps what does not vary as it is: the port, the address, the code', () => {
    const lines = Array.from(
      { length: 41 },
      (_, n) => `${clock(n)} ERROR req=${n} connect ECONNREFUSED 127.0.0.1:6379 after ${n * 3} ms`,
    );
    const { text, patterns } = condenseLines(lines.join('\n'), { budgetTokens: 500 });
    expect(patterns).toBe(1);
    expect(text).toBe(
      '×41 13:50:00..13:50:40  ERROR req=<0..40> connect ECONNREFUSED 127.0.0.1:6379 after <0..120> ms',
    );
  });

  it('keeps a line that came once word for word, in the order of first appearance', () => {
    const text =
      'Mar  1 13:50:01 db postgres[811]: FATAL: remaining connection slots are reserved\nMar  1 13:50:02 db kernel: all well\n';
    expect(condenseLines(text, { budgetTokens: 500 }).text).toBe(
      '13:50:01  db postgres[811]: FATAL: remaining connection slots are reserved\n13:50:02  db kernel: all well',
    );
  });

  it('prefers alarming and rare kinds when not all fit, and counts the others', () => {
    const words = Array.from(
      { length: 300 },
      (_, n) =>
        `quiet kind ${String.fromCharCode(97 + (n % 26))}${String.fromCharCode(97 + Math.floor(n / 26))} says nothing much at all`,
    );
    const { text } = condenseLines(
      [...words, ...words, 'ENOSPC: no space left on device, write', ...words].join('\n'),
      { budgetTokens: 200 },
    );
    expect(text).toContain('ENOSPC: no space left on device');
    expect(text).toMatch(/\(and \d+ more kinds of line, \d+ lines, left out\)$/);
    expect(estimateTokens(text)).toBeLessThanOrEqual(200);
  });

  it('leaves out what says it is older', () => {
    const text = [
      `${clock(0)} old error`,
      '    at oldFrame (a.js:1:1)',
      `${clock(100)} new error`,
      '    at newFrame (a.js:1:1)',
    ].join('\n');
    const condensed = condenseLines(text, { budgetTokens: 500, since: Date.parse(clock(50)) });
    expect(condensed.lines).toBe(2);
    expect(condensed.text).not.toContain('old');
    expect(condensed.text).toContain('newFrame');
  });

  it.each([
    ['nginx', '2026/03/01 13:50:01 [error] 31#31: *7 upstream timed out', '13:50:01'],
    ['an access log', '10.0.0.7 - - [01/Mar/2026:13:50:01 +0000] "GET / HTTP/1.1" 502 0', '13:50:01'],
    ['JSON lines', '{"level":50,"time":1772373001000,"msg":"boom"}', '13:50:01Z'],
  ])('finds the time in %s', (_, line, time) => {
    expect(condenseLines(`${line}\n`, { budgetTokens: 200 }).text).toContain(`${time}  `);
  });

  it.each([
    ['nothing', ''],
    ['one line of 5 MB without an end', 'a1'.repeat(2_500_000)],
    ['NUL bytes', '\0\0\0\n\0x\n'],
    [
      'what makes a careless pattern slow',
      `${'0'.repeat(100_000)}!\n${'a-'.repeat(50_000)}\n${'1.'.repeat(50_000)}\n${'a@'.repeat(50_000)}`,
    ],
    [
      '100 000 kinds',
      Array.from(
        { length: 100_000 },
        (_, n) => `kind ${[...String(n)].map((digit) => 'abcdefghij'[Number(digit)]).join('')}`,
      ).join('\n'),
    ],
  ])('is bounded for %s', (_, text) => {
    const begun = performance.now();
    const condensed = condenseLines(text, { budgetTokens: 300 });
    expect(estimateTokens(condensed.text)).toBeLessThanOrEqual(300);
    expect(performance.now() - begun).toBeLessThan(3000);
  });
});
