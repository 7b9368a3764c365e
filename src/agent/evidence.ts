import type { Evidence } from '../incidents/incident.ts';

/** One thing that was seen, under the short id a model names it by. */
export interface ResultRecord {
  id: string;
  tool: string;
  title: string;
  /** As a model may be shown it: redacted, its invisible characters made visible. */
  content: string;
  /** What was shown instead, when the whole was too long. */
  shown?: string;
}

/** A model's last word, taken apart. What it did not say is null or empty. */
export interface Answer {
  /** What is not one of the sections. */
  text: string;
  /** `process-down`. */
  cause: string | null;
  /** The sentence behind it. */
  because: string | null;
  object: string | null;
  /** 0 to 1. */
  confidence: number | null;
  evidence: { source: string; quote: string }[];
  notChecked: string[];
  next: string | null;
}

const sections = {
  cause: /^(root )?cause$/,
  because: /^(because|explanation|reason)$/,
  object: /^(object|component|affected)$/,
  confidence: /^confidence$/,
  evidence: /^(evidence|proof)$/,
  notChecked: /^(not checked|unchecked|not known|unknown)$/,
  next: /^(next|next step|next steps|advice|recommendation)$/,
} as const;
type Section = keyof typeof sections;

/**
 * Takes a last word apart: lines such as `CAUSE: process-down: its process is gone`, `EVIDENCE: [r3] "quoted"`. It takes
 * small letters, Markdown around the names, sections over several lines and lists; it never fails.
 */
export function parseAnswer(given: string): Answer {
  const parts: Record<Section, string[]> = {
    cause: [],
    because: [],
    object: [],
    confidence: [],
    evidence: [],
    notChecked: [],
    next: [],
  };
  const text: string[] = [];
  let section: Section | null = null;
  for (const line of withoutThinking(given).split('\n')) {
    const head = headOf(line);
    if (head) {
      section = head.section;
      if (head.rest) parts[section].push(head.rest);
    } else if (section && line.trim() !== '') parts[section].push(line.trim());
    else if (!section) text.push(line);
  }
  const one = (name: Section) => parts[name].join(' ').trim() || null;
  const cause = splitCause(one('cause'));
  return {
    text: text
      .join('\n')
      .replace(/^```\w*\s*|```\s*$/g, '')
      .trim(),
    cause: cause.id,
    because: one('because') ?? cause.because,
    object: one('object')?.replace(/[`*"]/g, '').replace(/\.$/, '') ?? null,
    confidence: toConfidence(one('confidence')),
    evidence: parts.evidence.flatMap(quotesIn),
    notChecked: parts.notChecked.flatMap(listItems).filter((item) => !/^(none|nothing|n\/a|-)\.?$/i.test(item)),
    next: one('next'),
  };
}

const withoutThinking = (text: string): string => text.replace(/^\s*<think>[\s\S]*?<\/think>/i, '').replace(/\r/g, '');

function headOf(line: string): { section: Section; rest: string } | null {
  const match = /^[\s>#*_`-]*([A-Za-z][A-Za-z _]{2,20}?)[*_`\s]*:[*_`]*\s*(.*)$/.exec(line);
  const word = match?.[1]?.toLowerCase().replace(/_/g, ' ').trim() ?? '';
  for (const [section, pattern] of Object.entries(sections)) {
    if (pattern.test(word) && isSection(section)) return { section, rest: match?.[2]?.trim() ?? '' };
  }
  return null;
}
const isSection = (name: string): name is Section => name in sections;

/** `process-down: its process is gone` is an id and a sentence; a sentence alone has no id. */
function splitCause(text: string | null): { id: string | null; because: string | null } {
  if (text === null) return { id: null, because: null };
  const plain = text.replace(/[*`]/g, '').trim();
  const match = /^([a-z][a-z0-9]*(?:[-_][a-z0-9]+)*)\s*(?:[:.–—]|-\s|\(|,\s|$)\s*(.*)$/i.exec(plain);
  const id = match?.[1]?.toLowerCase().replace(/_/g, '-');
  if (id && (match?.[2] === '' || /^[a-z0-9-]+\s*[:–—(.-]/i.test(plain))) {
    return { id, because: match?.[2]?.replace(/\)$/, '').trim() || null };
  }
  return { id: null, because: plain };
}

function toConfidence(text: string | null): number | null {
  if (text === null) return null;
  const number = /(\d+(?:[.,]\d+)?)\s*(%|\/\s*100?\b)?/.exec(text);
  if (number) {
    const value = Number((number[1] ?? '').replace(',', '.'));
    const scale = number[2]?.startsWith('/') && !number[2].includes('100') ? 10 : 100;
    const share = number[2] || value > 1 ? value / scale : value;
    return Math.min(Math.max(share, 0), 1);
  }
  if (/\b(very high|certain|sure)/i.test(text)) return 0.95;
  if (/\bhigh/i.test(text)) return 0.9;
  if (/\b(medium|moderate|likely)/i.test(text)) return 0.6;
  if (/\b(low|unsure|guess)/i.test(text)) return 0.3;
  return null;
}

const listItems = (line: string): string[] =>
  line
    .replace(/^[-*•\d.)\s]+/, '')
    .split(/\s*;\s*/)
    .map((item) => item.trim())
    .filter(Boolean);

/** `[r3] "quoted"`, several in a line, quotes of any kind or none at all. */
function quotesIn(line: string): { source: string; quote: string }[] {
  const marks = [...line.matchAll(/\[\s*([a-z]{1,12}\d{0,6}(?:[-/][\w./-]+)?)\s*\]|\b([rf]\d{1,4})\s*[:=]/gi)];
  return marks
    .map((mark, index) => {
      const text = line.slice(mark.index + mark[0].length, marks[index + 1]?.index ?? line.length);
      return { source: (mark[1] ?? mark[2] ?? '').toLowerCase(), quote: unquote(text) };
    })
    .filter((item) => item.quote !== '');
}

function unquote(text: string): string {
  const plain = text.replace(/^[\s:,–—-]+|[\s;,]+$/g, '');
  const pairs: Record<string, string> = { '"': '"', "'": "'", '`': '`', '“': '”', '«': '»', '„': '“' };
  const close = pairs[plain[0] ?? ''];
  if (close === undefined) return plain;
  const end = plain.lastIndexOf(close);
  return (end > 0 ? plain.slice(1, end) : plain.slice(1)).trim();
}

const SHORTEST_QUOTE = 3;

/** Looks for each quote in the result it names. What is not there, or names nothing that was seen, stays unverified: a guess. */
export function verifyEvidence(
  items: readonly { source: string; quote: string }[],
  results: ReadonlyMap<string, ResultRecord>,
): Evidence[] {
  const seen = new Set<string>();
  return items.flatMap((item) => {
    const key = `${item.source} ${item.quote}`;
    if (seen.has(key)) return [];
    seen.add(key);
    const record = results.get(item.source);
    return [
      {
        source: item.source,
        title: record?.title ?? 'nothing that was seen',
        quote: item.quote,
        verified: record !== undefined && (holds(record.content, item.quote) || holds(record.shown ?? '', item.quote)),
      },
    ];
  });
}

/** Whether a text holds a quote: blanks and quotation marks may differ, and `...` may stand for what was left out, in order. */
function holds(text: string, quote: string): boolean {
  const within = normalise(text);
  const pieces = normalise(quote)
    .split(/\s*(?:\.{3}|…|\[…\])\s*/)
    .filter(Boolean);
  if (pieces.join('').length < SHORTEST_QUOTE || pieces.length > 4) return false;
  if (pieces.length > 1 && pieces.some((piece) => piece.length < SHORTEST_QUOTE)) return false;
  let from = 0;
  for (const piece of pieces) {
    const at = within.indexOf(piece, from);
    if (at === -1) return false;
    from = at + piece.length;
  }
  return true;
}

const normalise = (text: string): string =>
  text
    .replace(/\\(["'])/g, '$1')
    .replace(/[“”„«»]/g, '"')
    .replace(/[‘’]/g, "'")
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();

/** What is wrong with a last word, for the model to put right once; null when it can stand. */
export function problemWith(purpose: 'triage' | 'ask', answer: Answer, evidence: readonly Evidence[]): string | null {
  const missing: string[] = [];
  if (purpose === 'triage' && answer.cause === null && answer.because === null) missing.push('a CAUSE: line');
  if (purpose === 'ask' && answer.text === '') missing.push('the answer itself');
  const unknown = answer.cause === 'unknown' || (purpose === 'ask' && answer.notChecked.length > 0);
  if (evidence.length === 0 && !unknown) missing.push('EVIDENCE: lines such as EVIDENCE: [r1] "words copied from r1"');
  if (missing.length > 0) return `Your answer lacks ${missing.join(' and ')}. Give the whole answer again with it.`;
  const unfounded = evidence.filter((item) => !item.verified);
  if (unfounded.length === 0) return null;
  const shown = unfounded.slice(0, 3).map((item) => `[${item.source}] "${item.quote.slice(0, 80)}"`);
  return (
    `These quotes are not in the results they name: ${shown.join(', ')}. ` +
    'Copy the words exactly, or leave the claim out. Give the whole answer again.'
  );
}
