import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { quote, quoteAll } from '../../src/hosts/quote.ts';

/** A small generator of its own, so that a failure can be repeated. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

const PIECES = [
  "'",
  '"',
  '\\',
  '\n',
  '\r',
  '\t',
  ' ',
  '$HOME',
  '`id`',
  '$(id)',
  ';',
  '&&',
  '|',
  '>',
  '<',
  '*',
  '?',
  '[a]',
  '{a,b}',
  '~',
  '#',
  '!',
  '-',
  '--',
  '=',
  '%',
  'a',
  'Z9',
  'ü',
  '日本',
  '🦉',
  '\u0001',
  '\u007f',
  '\u00a0',
  '\u2028',
];

describe('quote', () => {
  it('carries any words through sh unchanged', () => {
    const next = random(20_260_101);
    const words = Array.from({ length: 600 }, () =>
      Array.from({ length: Math.floor(next() * 9) }, () => PIECES[Math.floor(next() * PIECES.length)]).join(''),
    );
    words.push('', '-n', '--', '-e', "'", "''", "'\\''", '\n', 'a\n', '\n\n', '~root', '=ls');
    for (let index = 0; index < words.length; index += 60) {
      const some = words.slice(index, index + 60);
      const out = execFileSync('sh', ['-c', `printf '%s\\0' ${quoteAll(some)}`], { encoding: 'utf8' });
      expect(out.split('\0').slice(0, -1)).toEqual(some);
    }
  });

  it('carries them through two shells when quoted twice', () => {
    const word = `it's "$HOME" \\ \n\`id\``;
    const inner = `printf %s ${quote(word)}`;
    expect(execFileSync('sh', ['-c', `sh -c ${quote(inner)}`], { encoding: 'utf8' })).toBe(word);
  });
});
