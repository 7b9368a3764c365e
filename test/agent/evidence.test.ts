import { describe, expect, it } from 'vitest';
import { parseAnswer, problemWith, verifyEvidence } from '../../src/agent/evidence.ts';

const records = new Map([
  [
    'r1',
    { id: 'r1', tool: 'logs', title: 'logs(api)', content: 'connect  ECONNREFUSED\n127.0.0.1:6379 "at once" again' },
  ],
  ['r2', { id: 'r2', tool: 'logs', title: 'logs(db)', content: 'long', shown: '×41  took <38..11204>ms' }],
]);

describe('taking an answer apart', () => {
  it('reads the format as it was told', () => {
    const answer = parseAnswer(
      [
        'CAUSE: dependency-down: cache was killed, so api cannot reach it',
        'OBJECT: cache',
        'CONFIDENCE: 0.85',
        'EVIDENCE: [r1] "connect ECONNREFUSED 127.0.0.1:6379"',
        'EVIDENCE: [r2] "took <38..11204>ms"',
        'NOT CHECKED: who killed it; the kernel log',
        'NEXT: nothing',
      ].join('\n'),
    );
    expect(answer).toEqual({
      text: '',
      cause: 'dependency-down',
      because: 'cache was killed, so api cannot reach it',
      object: 'cache',
      confidence: 0.85,
      evidence: [
        { source: 'r1', quote: 'connect ECONNREFUSED 127.0.0.1:6379' },
        { source: 'r2', quote: 'took <38..11204>ms' },
      ],
      notChecked: ['who killed it', 'the kernel log'],
      next: 'nothing',
    });
  });

  it('reads what small models make of it', () => {
    const answer = parseAnswer(
      [
        '<think>CAUSE: wrong</think>Here is what I found.',
        '**Cause:** `disk-full` - the log fills the disk',
        '## Confidence: high',
        '- **Evidence**:',
        '  - [r1]: “connect ECONNREFUSED”',
        '  2. r2: took <38..11204>ms',
        'Not checked: none',
        'next steps:',
        '  rotate the log',
      ].join('\r\n'),
    );
    expect(answer).toMatchObject({
      text: 'Here is what I found.',
      cause: 'disk-full',
      because: 'the log fills the disk',
      confidence: 0.9,
      evidence: [
        { source: 'r1', quote: 'connect ECONNREFUSED' },
        { source: 'r2', quote: 'took <38..11204>ms' },
      ],
      notChecked: [],
      next: 'rotate the log',
    });
  });

  it.each([
    ['85%', 0.85],
    ['0,7', 0.7],
    ['90 / 100', 0.9],
    ['8/10', 0.8],
    ['medium', 0.6],
    ['no idea', null],
  ])('takes a confidence of %s', (text, value) => {
    expect(parseAnswer(`CONFIDENCE: ${text}`).confidence).toBe(value);
  });

  it('keeps an answer in plain words, with its marks, apart from its evidence', () => {
    const answer = parseAnswer(
      'Checkout waited for a lock [r1]. It ended at 14:11.\n\nEVIDENCE: [r1] "at once"\nNOT CHECKED: who held it',
    );
    expect(answer).toMatchObject({
      text: 'Checkout waited for a lock [r1]. It ended at 14:11.',
      evidence: [{ source: 'r1' }],
      notChecked: ['who held it'],
    });
    expect(parseAnswer('The cause is a lock, and nothing else is here')).toMatchObject({ cause: null, evidence: [] });
  });

  it('takes a sentence as a cause without an id', () => {
    expect(parseAnswer('CAUSE: The cache is gone')).toMatchObject({ cause: null, because: 'The cache is gone' });
    expect(parseAnswer('CAUSE: unknown')).toMatchObject({ cause: 'unknown' });
  });
});

describe('checking evidence', () => {
  const verified = (source: string, quote: string) => verifyEvidence([{ source, quote }], records)[0]?.verified;

  it('finds a quote whatever its blanks and quotation marks, also in what was shown instead', () => {
    expect(verified('r1', 'connect ECONNREFUSED 127.0.0.1:6379')).toBe(true);
    expect(verified('r1', '“at once”')).toBe(true);
    expect(verified('r1', 'connect … again')).toBe(true);
    expect(verified('r2', 'took <38..11204>ms')).toBe(true);
  });

  it('does not find what is elsewhere, out of order, made up, or nothing at all', () => {
    expect(verified('r2', 'ECONNREFUSED')).toBe(false);
    expect(verified('r1', 'again ... connect')).toBe(false);
    expect(verified('r1', 'connect ECONNREFUSED 127.0.0.1:5432')).toBe(false);
    expect(verified('r9', 'connect')).toBe(false);
    expect(verified('r1', '...')).toBe(false);
    expect(verified('r1', 'a')).toBe(false);
    expect(verified('r1', 'c...o...n...e')).toBe(false);
  });

  it('asks for what is missing, but takes "unknown" without evidence', () => {
    const problem = (text: string) => {
      const answer = parseAnswer(text);
      return problemWith('triage', answer, verifyEvidence(answer.evidence, records));
    };
    expect(problem('I think it is the cache.')).toMatch(/CAUSE.*EVIDENCE/);
    expect(problem('CAUSE: disk-full: full\nEVIDENCE: [r1] "no space left"')).toContain('"no space left"');
    expect(problem('CAUSE: disk-full: full\nEVIDENCE: [r1] "at once"')).toBeNull();
    expect(problem('CAUSE: unknown: not enough was seen')).toBeNull();
  });
});
