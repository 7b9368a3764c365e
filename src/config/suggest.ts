import { nearest } from './nearest.ts';
import { parseDuration, parsePercent, parseSize } from './units.ts';

const DURATION_UNITS: readonly [unit: string, ...words: string[]][] = [
  ['ms', 'ms', 'millis', 'milliseconds', 'msec'],
  ['s', 's', 'sec', 'secs', 'second', 'seconds'],
  ['m', 'm', 'min', 'mins', 'minute', 'minutes'],
  ['h', 'h', 'hr', 'hrs', 'hour', 'hours'],
  ['d', 'd', 'day', 'days'],
  ['w', 'w', 'week', 'weeks'],
];
const SIZE_UNITS: readonly [unit: string, ...words: string[]][] = [
  ['kB', 'kb', 'kilobytes', 'kilo', 'k'],
  ['MB', 'mb', 'megabytes', 'megs', 'mega', 'm'],
  ['GB', 'gb', 'gigabytes', 'gigs', 'giga', 'g'],
  ['TB', 'tb', 'terabytes', 'tera', 't'],
];
const NUMBER_WORDS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

function amountAndWord(text: string): { amount: string; word: string } | null {
  const match = /^\s*([\d.,]+|[a-z]+(?=[\s-]))?[\s_-]*([a-zµ]*)\.?\s*$/i.exec(text);
  if (!match?.[1]) return null;
  const spelled = NUMBER_WORDS.indexOf(match[1].toLowerCase());
  const amount = spelled >= 0 ? String(spelled) : match[1].replace(',', '.');
  return Number.isFinite(Number(amount)) ? { amount, word: match[2] ?? '' } : null;
}

function withUnit(text: string, units: typeof DURATION_UNITS, without: string): string | null {
  const parts = amountAndWord(text);
  if (!parts) return null;
  if (parts.word === '') return `${parts.amount}${without}`;
  const word = nearest(
    parts.word,
    units.flatMap((unit) => unit.slice(1)),
  );
  const unit = units.find((each) => word !== null && each.slice(1).includes(word));
  return unit ? `${parts.amount}${unit[0]}` : null;
}

function suggestPercent(text: string): string | null {
  const number = Number(text.replace(/\s*(%|percent|per cent|pct)\s*$/i, '').trim());
  if (text.trim() === '' || !Number.isFinite(number) || number < 0) return null;
  return number > 0 && number < 1 ? `${Math.round(number * 100)}%` : `${number}%`;
}

function suggestUrl(text: string): string | null {
  const url = /^\d{2,5}$/.test(text) ? `http://127.0.0.1:${text}` : `http://${text.replace(/^[a-z]*:?\/{1,3}/i, '')}`;
  return /^http:\/\/[\w.-]+(:\d+)?(\/[^\s@]*)?$/.test(url) ? url : null;
}

function suggestAddress(text: string): string | null {
  const bare = text.replace(/^[a-z]+:\/\//i, '').replace(/\/.*$/, '');
  if (/^:?\d{1,5}$/.test(bare)) return `127.0.0.1:${bare.replace(':', '')}`;
  return /^[\w.-]+:\d{1,5}$/.test(bare) ? bare : null;
}

function suggestList(value: unknown): string | null {
  if (typeof value !== 'string' || value === '' || !/^[\w@%+=:,./ -]+$/.test(value)) return null;
  return `[${value
    .trim()
    .split(/[\s,]+/)
    .join(', ')}]`;
}

const YES_NO: Readonly<Record<string, string>> = {
  yes: 'true',
  on: 'true',
  y: 'true',
  no: 'false',
  off: 'false',
  n: 'false',
};

/** By how the expectation begins: what the written text probably meant. Only forms that cannot hold a secret are built from it. */
const SUGGESTERS: readonly [begins: string, suggest: (text: string, value: unknown) => string | null][] = [
  ['a duration', (text) => withUnit(text, DURATION_UNITS, 's')],
  ['a size', (text) => withUnit(text, SIZE_UNITS, 'MB')],
  ['a percentage', suggestPercent],
  ['a limit', (text) => withUnit(text, [...SIZE_UNITS, ...DURATION_UNITS], '')],
  ['a URL', suggestUrl],
  ['HOST:PORT', suggestAddress],
  ['a program and its arguments', (_, value) => suggestList(value)],
  ['a list', (_, value) => suggestList(value)],
  ['true or false', (text) => YES_NO[text.toLowerCase()] ?? null],
  ['a number was', (text) => (/^-?\d+(\.\d+)?$/.test(text.trim()) ? `${text.trim()} without quotes` : null)],
  ['a path that starts', (text) => (/^[\w./-]+$/.test(text) ? `/${text.replace(/^\.?\/*/, '')}` : null)],
  ['a number of tokens', (text) => (/^\d+\s*(k|kb|tokens)$/i.test(text) ? `${Number.parseInt(text, 10)}k` : null)],
];

const understood = (text: string): boolean =>
  parseDuration(text) !== null || parseSize(text) !== null || parsePercent(text) !== null;

/** What a wrong value was probably meant to be, from what was expected there; undefined when there is no good guess. */
export function suggestFor(expected: string, value: unknown): string | undefined {
  if (value === null || typeof value === 'object' || value === undefined) return undefined;
  const text = String(value).slice(0, 200);
  const suggest = SUGGESTERS.find(([begins]) => expected.startsWith(begins))?.[1];
  const guess = suggest?.(text, value) ?? null;
  if (guess === null || guess === text) return undefined;
  if (/^a (duration|size|percentage|limit)/.test(expected) && !understood(guess)) return undefined;
  return guess;
}
