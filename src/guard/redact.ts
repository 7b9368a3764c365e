import { visible } from '../base/visible.ts';
import { redactNamed } from './named-secrets.ts';
import { redactCards, redactMail } from './personal.ts';
import { createPlaceholders, isMarked } from './placeholders.ts';
import { type SecretFormat, secretFormats, secretPlaces } from './secret-formats.ts';

/**
 * Replaces secrets and personal data, and makes what a terminal would obey harmless: colours would hide a secret's name from
 * us, and an escape sequence in a log could rewrite the screen of whoever reads it. One instance gives the same thing the same placeholder, so a reader can follow it. */
export interface Redactor {
  /** The text with placeholders such as `<secret:aws-key:1>`. Redacting twice changes nothing more. Linear in its length. */
  redact(text: string): string;
  /**
   * A value that is known to be secret (what an `env:` or `file:` reference stands for): always replaced from now on, also
   * where it is URL-encoded, base64 or JSON text. Shorter than 4 characters it is not taken: it would hit anything.
   */
  know(value: string): void;
}

const SHORTEST_KNOWN = 4;
const formats: readonly SecretFormat[] = [...secretFormats, ...secretPlaces];
/** Most texts hold no hint of any format: one expression says so. */
const anyHint = new RegExp(
  formats
    .flatMap((format) => format.hints)
    .map((hint) => hint.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('|'),
  'i',
);

type Replace = (kind: string, secret: string) => string;

export function createRedactor(): Redactor {
  const placeholders = createPlaceholders();
  /** How a known secret may be written, to the secret; the longest first, because one may hold another. */
  let known: [written: string, secret: string][] = [];

  const redactKnown = (text: string, replace: Replace): string => {
    let result = text;
    for (const [written, secret] of known) {
      if (result.includes(written)) result = result.replaceAll(written, () => replace('known', secret));
    }
    return result;
  };

  return {
    redact: (text) =>
      placeholders.within(visible(text), (prepared, replace) => {
        let result = redactKeyBlocks(redactKnown(prepared, replace), replace);
        if (anyHint.test(result)) {
          const low = result.toLowerCase();
          for (const format of formats) {
            if (format.hints.some((hint) => low.includes(hint))) result = redactFormat(result, format, replace);
          }
        }
        return redactCards(redactMail(redactNamed(result, replace), replace), replace);
      }),
    know(value) {
      const forms = new Map(known);
      for (const secret of new Set([value, value.trim()])) {
        if (secret.length < SHORTEST_KNOWN) continue;
        forms.set(secret, secret);
        forms.set(encodeURIComponent(secret.toWellFormed()), secret);
        forms.set(JSON.stringify(secret).slice(1, -1), secret);
        forms.set(Buffer.from(secret).toString('base64'), secret);
      }
      known = [...forms].sort(([a], [b]) => b.length - a.length);
    },
  };
}

/** Redacts one text by itself: its placeholders are numbered from 1. */
export const redact = (text: string): string => createRedactor().redact(text);

function redactFormat(text: string, format: SecretFormat, replace: Replace): string {
  return text.replace(format.pattern, (whole: string, ...rest: unknown[]) => {
    const groups: unknown = rest.at(-1);
    const secret: unknown = typeof groups === 'object' && groups !== null && 'secret' in groups ? groups.secret : whole;
    if (typeof secret !== 'string' || isMarked(secret)) return whole;
    const at = whole.lastIndexOf(secret);
    return whole.slice(0, at) + replace(format.kind, secret) + whole.slice(at + secret.length);
  });
}

/** Private key blocks, as a whole. One without an end (a log that was cut off) goes to the end of the text. */
function redactKeyBlocks(text: string, replace: Replace): string {
  const begins = /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g;
  let result = '';
  let done = 0;
  for (let begin = begins.exec(text); begin !== null; begin = begins.exec(text)) {
    const end = text.indexOf('-----END ', begin.index);
    const close = end === -1 ? -1 : text.indexOf('-----', end + 9);
    const stop = close === -1 ? text.length : close + 5;
    result += text.slice(done, begin.index) + replace('private-key', text.slice(begin.index, stop));
    done = stop;
    begins.lastIndex = stop;
  }
  return done === 0 ? text : result + text.slice(done);
}
