const ESC = String.fromCharCode(27);
const COLOUR = new RegExp(`${ESC}\\[[0-9;]*m`, 'g');

/** What differs from one time to the next, in the order it must be looked for. */
const MASKS: readonly (readonly [pattern: RegExp, mask: string])[] = [
  [/\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?/g, '<time>'],
  [/\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? \d{1,2} [a-z]{3} \d{4} \d{2}:\d{2}:\d{2}(?: gmt)?/gi, '<time>'],
  [/\b[A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2}\b/g, '<time>'],
  [/\b\d{2}:\d{2}:\d{2}(?:[.,]\d+)?\b/g, '<time>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>'],
  [/\b0x[0-9a-f]+\b/gi, '<id>'],
  // Letters and digits mixed, long enough to be nobody's word: request ids, hashes, container ids, tokens.
  [/\b(?=[a-z0-9_-]*\d)(?=[a-z0-9_-]*[a-z])[a-z0-9_-]{16,}\b/gi, '<id>'],
  [/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,}\b/gi, '<id>'],
  [/\d+(?:[.,]\d+)*/g, '#'],
];

/**
 * A text without what changes each time it is written: times, ids, addresses, numbers, colours. The same trouble gives
 * the same text; at most `length` letters of it.
 */
export function maskChanging(text: string, length = 200): string {
  let masked = text.slice(0, length * 4).replace(COLOUR, '');
  for (const [pattern, mask] of MASKS) masked = masked.replace(pattern, mask);
  return masked.replace(/\s+/g, ' ').trim().toLowerCase().slice(0, length);
}
