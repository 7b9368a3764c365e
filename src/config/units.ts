import { z } from 'zod';

const DURATIONS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const DURATION_WORDS: Record<string, string> = {
  millisecond: 'ms',
  sec: 's',
  second: 's',
  min: 'm',
  minute: 'm',
  hour: 'h',
  hr: 'h',
  day: 'd',
  week: 'w',
};
const SIZES: Record<string, number> = {
  b: 1,
  k: 1024,
  kb: 1024,
  kib: 1024,
  m: 1024 ** 2,
  mb: 1024 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1024 ** 3,
  gib: 1024 ** 3,
  t: 1024 ** 4,
  tb: 1024 ** 4,
  tib: 1024 ** 4,
};

/** Milliseconds in `250ms`, `2s`, `5m`, `1h30m`, `2 days`; null when it is not a duration. */
export function parseDuration(text: string): number | null {
  const compact = text.trim().toLowerCase();
  if (!/^(\d+(\.\d+)?\s*[a-z]+\s*)+$/.test(compact)) return null;
  let total = 0;
  for (const [, amount, word] of compact.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/g)) {
    const unit = DURATIONS[word ?? ''] ?? DURATIONS[DURATION_WORDS[(word ?? '').replace(/s$/, '')] ?? ''];
    if (unit === undefined) return null;
    total += Number(amount) * unit;
  }
  return total;
}

/** Bytes in `2GB`, `512 MB`, `100k` (powers of 1024, as `df -h` counts); null when it is not a size. */
export function parseSize(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text.trim());
  const unit = SIZES[match?.[2]?.toLowerCase() ?? ''];
  return match && unit !== undefined ? Math.round(Number(match[1]) * unit) : null;
}

/** 90 in `90%`, -20 in `-20%`; null when it is not a percentage. */
export function parsePercent(text: string): number | null {
  const match = /^(-?\d+(?:\.\d+)?)\s*%$/.exec(text.trim());
  return match ? Number(match[1]) : null;
}

/** In the configuration one way to write it is enough; `2 sec` is told what was meant. */
const strictDuration = (written: string): number | null =>
  /^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/.test(written.trim()) ? parseDuration(written) : null;

const text = (parse: (value: string) => number | null, expected: string) =>
  z.string().transform((value, context) => {
    const parsed = parse(value);
    if (parsed !== null) return parsed;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });

/** A duration as people write it, to milliseconds. */
export const duration = text(strictDuration, 'a duration such as 2s, 250ms or 5m was expected').meta({
  description: 'a duration such as 250ms, 2s, 5m, 1h or 7d',
});

/** A size as people write it, to bytes. */
export const size = text(parseSize, 'a size such as 512MB or 2GB was expected').meta({
  description: 'a size such as 512MB or 2GB',
});

/** A percentage as people write it, to a number from 0 to 100. */
export const percent = text(parsePercent, 'a percentage such as 90% was expected').meta({
  description: 'a percentage such as 90%',
});

/** `env:NAME` or `file:PATH`. The value itself never stands in the configuration. */
export const secretReference = z
  .string()
  .regex(
    /^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/,
    'a reference such as env:NAME or file:PATH was expected; the secret itself must not stand here',
  )
  .meta({ description: 'env:NAME or file:PATH; never the secret itself' });
