/** US dollars per million tokens. `since` is the day from which it holds. */
interface Price {
  since: string;
  /** Prompts with at most this many tokens, cached ones included; absent: any. */
  upTo?: number;
  input: number;
  output: number;
  /** Writing to the cache for 5 minutes; absent: 1.25 times the input. */
  cacheWrite?: number;
  /** Absent: a tenth of the input. */
  cacheRead?: number;
}

// List prices of the vendor's pages as collected on 2026-11-20. The first entry that fits counts, newest first.
const prices: [model: RegExp, Price[]][] = [
  [
    /^claude-haiku-5-5/,
    [
      { since: '2026-10-21', upTo: 100_000, input: 0.1, output: 0.5, cacheWrite: 0.125, cacheRead: 0.01 },
      { since: '2026-10-21', input: 0.5, output: 2.5, cacheWrite: 0.625, cacheRead: 0.05 },
    ],
  ],
  [
    /^claude-sonnet-5-5/,
    [
      { since: '2026-10-07', input: 2, output: 10, cacheWrite: 2.5, cacheRead: 0.1 },
      { since: '2026-01-01', input: 2, output: 10, cacheWrite: 2.5, cacheRead: 0.2 },
    ],
  ],
  [/^claude-opus-5-5/, [{ since: '2026-01-01', input: 4, output: 20 }]],
  [/^claude-fable-5-1/, [{ since: '2026-01-01', input: 10, output: 50 }]],
  [/^claude-opus-5(-\d{8})?$/, [{ since: '2026-01-01', input: 5, output: 25, cacheWrite: 6.25, cacheRead: 0.5 }]],
  [/^claude-sonnet-5(-\d{8})?$/, [{ since: '2026-01-01', input: 2, output: 10, cacheWrite: 2.5, cacheRead: 0.2 }]],
  [/^claude-haiku-4-5/, [{ since: '2026-01-01', input: 1, output: 5 }]],
  [/^claude-opus-4-8/, [{ since: '2026-01-01', input: 5, output: 25 }]],
  [/^claude-sonnet-4-6/, [{ since: '2026-01-01', input: 3, output: 15 }]],
];

interface TokenCounts {
  /** Without what the cache gave or took. */
  input: number;
  output: number;
  cacheWrite: number;
  cacheRead: number;
}

/** What one request cost in US dollars, by the list price that holds at `at`; null when the model's price is not known. */
export function costOf(model: string, tokens: TokenCounts, at: number): number | null {
  const known = prices.find(([pattern]) => pattern.test(model))?.[1];
  const prompt = tokens.input + tokens.cacheWrite + tokens.cacheRead;
  const price =
    known?.find((each) => Date.parse(each.since) <= at && prompt <= (each.upTo ?? Number.POSITIVE_INFINITY)) ??
    known?.findLast((each) => prompt <= (each.upTo ?? Number.POSITIVE_INFINITY));
  if (!price) return null;
  const dollars =
    tokens.input * price.input +
    tokens.output * price.output +
    tokens.cacheWrite * (price.cacheWrite ?? price.input * 1.25) +
    tokens.cacheRead * (price.cacheRead ?? price.input * 0.1);
  return dollars / 1_000_000;
}
