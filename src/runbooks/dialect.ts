import { failure, type Outcome, success } from '../base/outcome.ts';
import { parseDuration, parseSize } from '../config/units.ts';

/** What an expression as people write it becomes in CEL, and where each part of it came from. */
interface Translation {
  cel: string;
  /** The offset in the written text for an offset in `cel`. */
  sourceOffset(offset: number): number;
}

interface Token {
  kind: 'string' | 'number' | 'word' | 'symbol';
  text: string;
  at: number;
}

const TOKEN =
  /\s*(?:(?<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<number>\d+(?:\.\d+)?)|(?<word>[A-Za-z_][A-Za-z0-9_]*)|(?<symbol>&&|\|\||[=!<>]=|[^\sA-Za-z0-9_]))/y;

const WORDS: Record<string, string> = { and: '&&', or: '||', not: '!' };
/** What ends the reach of a `not`: it holds for a whole comparison, as in Python or SQL, not for its first word only. */
const ENDS_NOT = new Set(['and', 'or', '&&', '||', ')', ']', ',', '?', ':']);
const METHODS = new Set(['contains', 'matches', 'startsWith', 'endsWith']);

/**
 * Translates a symptom such as `last_heartbeat > 5 minutes and not paused` to CEL. Beyond CEL it knows `and`, `or`, `not`;
 * percentages (`90%` is 90); durations (`5 minutes`, `1h30m`: milliseconds); sizes (`2GB`: bytes, powers of 1024); and
 * `FACT contains "text"`, `FACT matches "pattern"`. Where a unit could be both (`5m`) it is a duration. All numbers are doubles.
 */
export function toCel(text: string): Outcome<Translation> {
  const scanned = scan(text);
  if (!scanned.ok) return scanned;
  const tokens = scanned.value;
  const output: { text: string; at: number }[] = [];
  const nots: number[] = [];
  let depth = 0;
  const closeNots = (at: number) => {
    while (nots.at(-1) === depth) {
      nots.pop();
      output.push({ text: ')', at });
    }
  };
  for (let index = 0; index < tokens.length; index++) {
    const token = tokens[index];
    if (!token) break;
    if (token.kind !== 'string') {
      if (ENDS_NOT.has(token.text)) closeNots(token.at);
      if (token.text === '(' || token.text === '[') depth++;
      if (token.text === ')' || token.text === ']') depth--;
    }
    const next = tokens[index + 1];
    if (token.kind === 'number') {
      const quantity = readQuantity(tokens, index);
      if (!quantity.ok) return quantity;
      output.push({ text: quantity.value.cel, at: token.at });
      index += quantity.value.extra;
    } else if (token.text === 'not') {
      nots.push(depth);
      output.push({ text: '!(', at: token.at });
    } else if (token.kind === 'word' && WORDS[token.text]) {
      output.push({ text: WORDS[token.text] ?? '', at: token.at });
    } else if (token.kind === 'word' && next?.kind === 'word' && METHODS.has(next.text)) {
      const argument = tokens[index + 2];
      if (argument?.kind !== 'string' && argument?.kind !== 'word')
        return failure(`column ${next.at + 1}: a quoted text was expected after ${next.text}`);
      output.push({ text: `${token.text}.${next.text}(${argument.text})`, at: token.at });
      index += 2;
    } else if (token.text === '=') {
      return failure(`column ${token.at + 1}: == was expected to compare, not =`);
    } else {
      output.push({ text: token.text, at: token.at });
    }
  }
  closeNots(text.length);
  return success(assemble(output, text.trimEnd().length));
}

function scan(text: string): Outcome<Token[]> {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim() !== '') {
    const from = TOKEN.lastIndex;
    const groups = TOKEN.exec(text)?.groups;
    if (!groups) return failure(`column ${from + 1}: this is not understood: ${text.slice(from, from + 20)}`);
    const found = groups.string ?? groups.number ?? groups.word ?? groups.symbol ?? '';
    const kind = groups.string ? 'string' : groups.number ? 'number' : groups.word ? 'word' : 'symbol';
    if (found === '"' || found === "'") return failure(`column ${TOKEN.lastIndex}: the quoted text has no end`);
    tokens.push({ kind, text: found, at: TOKEN.lastIndex - found.length });
  }
  return success(tokens);
}

/** A number with what belongs to it: a percent sign, or units such as `1 hour 30 minutes`. */
function readQuantity(tokens: Token[], index: number): Outcome<{ cel: string; extra: number }> {
  const first = tokens[index];
  if (!first) return failure('a number was expected');
  const next = tokens[index + 1];
  if (next?.text === '%' && !startsOperand(tokens[index + 2]))
    return success({ cel: double(Number(first.text)), extra: 1 });
  let written = '';
  let taken = 0;
  for (;;) {
    const number = tokens[index + taken];
    const unit = tokens[index + taken + 1];
    if (number?.kind !== 'number' || unit?.kind !== 'word' || unit.text in WORDS || unit.text === 'in') break;
    written += `${number.text}${unit.text} `;
    taken += 2;
  }
  if (taken === 0) return success({ cel: double(Number(first.text)), extra: 0 });
  const value = parseDuration(written) ?? parseSize(written);
  if (value === null) {
    return failure(`column ${first.at + 1}: ${written.trim()} is neither a duration (5m, 2 hours) nor a size (2GB)`);
  }
  return success({ cel: double(value), extra: taken - 1 });
}

/** After `90%` such a token would make it a remainder, as in `10 % 3`. */
const startsOperand = (token: Token | undefined): boolean =>
  token !== undefined &&
  (token.kind === 'number' ||
    token.kind === 'string' ||
    token.text === '(' ||
    (token.kind === 'word' && !(token.text in WORDS)));

const double = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));

function assemble(parts: { text: string; at: number }[], sourceEnd: number): Translation {
  let cel = '';
  const starts: { cel: number; source: number }[] = [];
  for (const part of parts) {
    starts.push({ cel: cel.length, source: part.at });
    cel += `${part.text} `;
  }
  return {
    cel: cel.trimEnd(),
    sourceOffset: (offset) => {
      if (offset >= cel.trimEnd().length) return sourceEnd;
      return starts.findLast((start) => start.cel <= offset)?.source ?? 0;
    },
  };
}
