import { createContext, Script } from 'node:vm';

/** Longer lines are cut: what matters of a log line stands at its beginning. */
const MAX_LINE = 4096;

type Counted = { ok: true; matches: number; example: string | null } | { ok: false; reason: string; summary: string };

const script = new Script(
  '({ matches: lines.filter((line) => pattern.test(line)).length, example: lines.find((line) => pattern.test(line)) ?? null })',
);

/**
 * How many lines match. A pattern that runs away (`(a+)+$` on the wrong line takes longer than the universe) is ended
 * by the engine after `timeoutMs`, which an ordinary call could not be: it would hold up every other check.
 */
export function countMatches(text: string, pattern: string, timeoutMs: number): Counted {
  const expression = compile(pattern);
  if (!expression) return { ok: false, reason: 'bad-pattern', summary: `${pattern} is not a regular expression` };
  const lines = text.split('\n').map((line) => (line.length > MAX_LINE ? line.slice(0, MAX_LINE) : line));
  try {
    const found: { matches: number; example: string | null } = script.runInContext(
      createContext({ lines, pattern: expression }),
      {
        timeout: Math.max(Math.floor(timeoutMs), 1),
      },
    );
    return { ok: true, ...found };
  } catch {
    return { ok: false, reason: 'pattern-too-slow', summary: `${pattern} takes too long on these lines` };
  }
}

/** `(?i)` in front, as most tools write it, makes it ignore case. */
function compile(pattern: string): RegExp | null {
  const ignoreCase = pattern.startsWith('(?i)');
  try {
    return new RegExp(ignoreCase ? pattern.slice(4) : pattern, ignoreCase ? 'i' : '');
  } catch {
    return null;
  }
}
