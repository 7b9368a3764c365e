import { estimateTokens } from './context.ts';
import { maskLine, type Slot, timeOf } from './log-line.ts';

interface CondenseOptions {
  /** The most tokens of the text that comes out. */
  budgetTokens: number;
  /** Milliseconds since the epoch: lines that say they are older are left out. */
  since?: number;
}

interface Condensed {
  text: string;
  /** Lines that were read (after `since`). */
  lines: number;
  /** Different kinds of line among them. */
  patterns: number;
}

interface Pattern {
  slots: (string | Slot)[];
  /** What each slot has held so far. */
  seen: SlotRange[];
  count: number;
  first: string | null;
  last: string | null;
  /** Lines of a stack trace, say, that stood below the first of its kind. */
  below: string[];
  alarming: boolean;
}
interface SlotRange {
  value: string;
  constant: boolean;
  /** Null once it has held something that is no number. */
  low: number | null;
  high: number | null;
}

/** Kinds of line that are told apart; all further ones are counted together. */
const MOST_PATTERNS = 4000;
const LONGEST_LINE = 600;
const FOLDED = 4;
const alarming =
  /\b(error|err|fatal|panic|critical|crit|alert|emerg|exception|fail(ed|ure|ing)?|refused|denied|timed? ?out|killed|oom|out of memory|cannot|can't|unable|corrupt|segfault|traceback|abort(ed)?|enospc|eacces|e[a-z]{3,}reset|5\d\d)\b|E(ACCES|CONN|NOENT|MFILE|ADDR|PIPE|ROFS|NOSPC)[A-Z]*/i;
/** A line that belongs to the one above it: a frame, a cause, an indented remark. */
const continuation = /^(\s{2,}|\t)\S|^\s*(at |\.\.\. \d+ more|Caused by: |File "|Traceback )|^\}?\s*$/;

/**
 * Makes many log lines few: lines that differ only in times, numbers, ids and the like become one, with how often it came, when
 * first and last, and the range of what differed (`took <38..11204>ms`); what did not differ stands there as it was. Stack traces are
 * folded. Kinds stand in the order they first came; when not all fit, rare and alarming ones stay.
 */
export function condenseLines(text: string, { budgetTokens, since }: CondenseOptions): Condensed {
  const patterns = new Map<string, Pattern>();
  let lines = 0;
  let overflow = 0;
  let current: Pattern | null = null;
  let skipping = false;
  for (const line of linesOf(text)) {
    if (line.trim() === '') continue;
    if ((current || skipping) && continuation.test(line) && !timeOf(line)) {
      if (skipping || !current) continue;
      lines += 1;
      if (current.count === 1 && current.below.length < 200) current.below.push(line.trim().slice(0, 200));
      continue;
    }
    const time = timeOf(line);
    skipping = since !== undefined && time !== null && time.at !== null && time.at < since;
    if (skipping) continue;
    lines += 1;
    const masked = maskLine(time ? line.slice(0, time.start) + line.slice(time.end) : line, LONGEST_LINE);
    let pattern = patterns.get(masked.key);
    if (!pattern) {
      if (patterns.size >= MOST_PATTERNS) {
        overflow += 1;
        continue;
      }
      pattern = {
        slots: masked.parts,
        seen: [],
        count: 0,
        first: time?.text ?? null,
        last: null,
        below: [],
        alarming: alarming.test(line),
      };
      patterns.set(masked.key, pattern);
    }
    pattern.count += 1;
    pattern.last = time?.text ?? pattern.last;
    widen(pattern, masked.parts);
    current = pattern;
  }
  return {
    text: withinBudget([...patterns.values()], overflow, budgetTokens),
    lines,
    patterns: patterns.size + (overflow > 0 ? 1 : 0),
  };
}

function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    const stop = end === -1 ? text.length : end;
    yield text.slice(start, text[stop - 1] === '\r' ? stop - 1 : stop);
    start = stop + 1;
  }
}

function widen(pattern: Pattern, parts: readonly (string | Slot)[]): void {
  let index = 0;
  for (const part of parts) {
    if (typeof part === 'string') continue;
    const number = part.kind === 'n' ? Number(part.value) : null;
    const range = pattern.seen[index];
    if (!range) pattern.seen.push({ value: part.value, constant: true, low: number, high: number });
    else {
      if (range.value !== part.value) range.constant = false;
      if (number === null) range.low = range.high = null;
      else if (range.low !== null && range.high !== null) {
        range.low = Math.min(range.low, number);
        range.high = Math.max(range.high, number);
      }
    }
    index += 1;
  }
}

function render(pattern: Pattern): string {
  let index = 0;
  const line = pattern.slots
    .map((part) => {
      if (typeof part === 'string') return part;
      const range = pattern.seen[index];
      index += 1;
      if (!range || range.constant) return part.value;
      if (range.low !== null) return `<${range.low}..${range.high}>`;
      return `<${part.kind === 'n' ? 'id' : part.kind}>`;
    })
    .join('')
    .trim();
  const when =
    pattern.first === null ? '' : pattern.count === 1 ? pattern.first : `${pattern.first}..${pattern.last ?? ''}`;
  const head = [pattern.count > 1 ? `×${pattern.count}` : '', when].filter(Boolean).join(' ');
  return [head ? `${head}  ${line}` : line, ...folded(pattern.below)].join('\n');
}

/** The telling lines of a trace: causes, and the first frames that are not a library's. */
function folded(below: string[]): string[] {
  if (below.length <= FOLDED) return below.map((line) => `    ${line}`);
  const foreign = /node_modules|node:internal|site-packages|\bjava\.|\bsun\.|\(internal/;
  const telling = below.filter((line) => /^caused by/i.test(line) || !foreign.test(line));
  const kept = (telling.length > 0 ? telling : below).slice(0, FOLDED - 1);
  return [...kept.map((line) => `    ${line}`), `    (${below.length - kept.length} more lines below it)`];
}

function withinBudget(patterns: Pattern[], overflow: number, budgetTokens: number): string {
  const rendered = patterns.map((pattern) => ({ pattern, text: render(pattern), order: 0 }));
  rendered.forEach((each, index) => {
    each.order = index;
  });
  const worth = ({ pattern }: { pattern: Pattern }) => (pattern.alarming ? 2 : 0) + 1 / pattern.count;
  const kept = new Set<number>();
  let left = budgetTokens - 30;
  for (const each of [...rendered].sort((a, b) => worth(b) - worth(a) || b.order - a.order)) {
    const tokens = estimateTokens(`${each.text}\n`);
    if (tokens > left) continue;
    left -= tokens;
    kept.add(each.order);
  }
  const gone = rendered.filter((each) => !kept.has(each.order));
  const lost = gone.reduce((sum, each) => sum + each.pattern.count, overflow);
  const text = rendered.filter((each) => kept.has(each.order)).map((each) => each.text);
  if (lost > 0) text.push(`(and ${gone.length + (overflow > 0 ? 1 : 0)} more kinds of line, ${lost} lines, left out)`);
  return text.join('\n');
}
