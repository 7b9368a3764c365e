/** A number with at most one decimal: `3`, `3.4`. */
export const formatNumber = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toFixed(Math.abs(value) < 10 ? 2 : 1)));

/** Bytes for people, in powers of 1024 as `df -h` counts: `1.5 GB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let index = 0;
  while (Math.abs(value) >= 1024 && index < units.length - 1) {
    value /= 1024;
    index += 1;
  }
  return `${Number(value.toFixed(value < 10 && index > 0 ? 1 : 0))} ${units[index]}`;
}

/** A span of time for people: `4 ms`, `2.5 s`, `12 min`, `3 h`, `14 days`. */
export function formatSpan(milliseconds: number): string {
  const value = Math.abs(milliseconds);
  if (value < 1000) return `${Math.round(value)} ms`;
  if (value < 120_000) return `${Number((value / 1000).toFixed(value < 10_000 ? 1 : 0))} s`;
  if (value < 7_200_000) return `${Math.round(value / 60_000)} min`;
  if (value < 172_800_000) return `${Math.round(value / 3_600_000)} h`;
  return `${Math.round(value / 86_400_000)} days`;
}

/** What a service sent, as one short line: control characters and runs of space become one space. */
export function excerpt(text: string, length = 200): string {
  const start = text.length > length * 4 ? text.slice(0, length * 4) : text;
  const clean = start.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim();
  return clean.length > length ? `${clean.slice(0, length - 1)}…` : clean;
}

/** One decimal, for values that are kept and compared by people. */
export const tenth = (value: number): number => Math.round(value * 10) / 10;
