/** The first number on the last line that is not empty; null when there is none there. */
export function numberIn(text: string): number | null {
  const line = text.trimEnd().split('\n').at(-1) ?? '';
  const match = /[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?/i.exec(line);
  return match ? Number(match[0]) : null;
}
