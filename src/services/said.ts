import { stripVTControlCharacters } from 'node:util';

/** The end of what a program said, on one line, without colours. */
export function lastLines(text: string): string {
  const lines = stripVTControlCharacters(text)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^Run 'docker .*--help'/.test(line));
  return lines.slice(-3).join(' · ').slice(-500);
}

/** The value of a JSON text, or undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The newest whole lines of a text within a number of bytes. */
export function newestLines(text: string, maxBytes: number): { text: string; truncated: boolean } {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return { text, truncated: false };
  const tail = bytes.subarray(bytes.length - maxBytes);
  const lineEnd = tail.indexOf(10);
  return { text: tail.subarray(lineEnd + 1).toString('utf8'), truncated: true };
}
