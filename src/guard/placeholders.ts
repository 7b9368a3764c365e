import { createHash } from 'node:crypto';

/** At most this many things of a kind keep their number; the oldest is forgotten then, so that no log fills the memory. */
const NUMBERED = 10_000;

/** Begin and end of a mark: private-use characters that no rule takes for part of a secret's name or surroundings. */
const BEGIN = '\uE000';
const END = '\uE001';
const MARK = /\uE000(\d+)\uE001/g;
const FOREIGN = /[\uE000\uE001]/g;
const WRITTEN = /<(?:secret|personal):[a-z-]{1,24}:\d{1,9}>/g;

/** True for a value that a rule before has replaced, or that came in replaced. */
export const isMarked = (value: string): boolean => value.startsWith(BEGIN);

/** Gives the same thing the same placeholder for as long as it lives. Keeps digests, not the secrets. */
interface Placeholders {
  /** Hands `work` the text with a way to replace things by marks, and writes the marks out as placeholders at the end. */
  within(text: string, work: (text: string, replace: (kind: string, secret: string) => string) => string): string;
}

export function createPlaceholders(): Placeholders {
  const numbers = new Map<string, Map<string, number>>();
  const given = new Map<string, number>();

  const written = (kind: string, value: string): string => {
    const digest = createHash('sha256').update(value).digest('base64');
    const ofKind = numbers.get(kind) ?? new Map<string, number>();
    numbers.set(kind, ofKind);
    let number = ofKind.get(digest);
    if (number === undefined) {
      number = (given.get(kind) ?? 0) + 1;
      given.set(kind, number);
      ofKind.set(digest, number);
      const [oldest] = ofKind.keys();
      if (ofKind.size > NUMBERED && oldest !== undefined) ofKind.delete(oldest);
    }
    return `<${kind === 'email' || kind === 'card' ? 'personal' : 'secret'}:${kind}:${number}>`;
  };

  return {
    within(text, work) {
      const marks: string[] = [];
      const mark = (placeholder: string) => `${BEGIN}${marks.push(placeholder) - 1}${END}`;
      // What was replaced before stays as it is: redacting twice changes nothing.
      const prepared = text.replace(FOREIGN, '\uFFFD').replace(WRITTEN, mark);
      const result = work(prepared, (kind, secret) => mark(written(kind, secret)));
      return marks.length === 0
        ? result
        : result.replace(MARK, (whole, index: string) => marks[Number(index)] ?? whole);
    },
  };
}
