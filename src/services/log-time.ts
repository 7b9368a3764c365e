/** When a log line says it was written. Without a zone, `time` is that wall-clock time read as UTC. */
export interface LogStamp {
  time: number;
  zoned: boolean;
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/** Stamps stand near the beginning of a line; further in, a date is more likely data. */
const SEARCHED = 240;
const DAY_MS = 86_400_000;

const ZONE = '(Z|[+-]\\d{2}:?\\d{2})?';
const ISO = new RegExp(`(\\d{4})[-/](\\d{2})[-/](\\d{2})[T ](\\d{2}):(\\d{2}):(\\d{2})(?:[.,](\\d{1,9}))?\\s?${ZONE}`);
const ACCESS = new RegExp(`(\\d{2})/([A-Z][a-z]{2})/(\\d{4}):(\\d{2}):(\\d{2}):(\\d{2})\\s?${ZONE}`);
const DAY_FIRST = /\b(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))?/;
const YEAR_LAST = /\b([A-Z][a-z]{2})\s+(\d{1,2}) (\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,6}))? (\d{4})\b/;
const SYSLOG = /^(?:<\d+>)?([A-Z][a-z]{2})\s+(\d{1,2}) (\d{2}):(\d{2}):(\d{2})\b/;
const EPOCH = /(?:^\[?|"(?:time|ts|timestamp)"\s*:\s*)(\d{10})(?:\.?(\d{1,6}))?\b/;

/**
 * The time a line carries, in the forms that common programs write: ISO 8601, syslog, nginx and Apache, Redis, Go, seconds
 * or milliseconds since the epoch. `reference` (when the file was last written) supplies the year where a line has none.
 */
export function stampOf(line: string, reference: number): LogStamp | null {
  const head = line.length > SEARCHED ? line.slice(0, SEARCHED) : line;
  let found = ISO.exec(head);
  if (found) return stamp(found[1], Number(found[2]) - 1, found[3], found[4], found[5], found[6], found[7], found[8]);
  found = ACCESS.exec(head);
  if (found) return stamp(found[3], monthOf(found[2]), found[1], found[4], found[5], found[6], undefined, found[7]);
  found = DAY_FIRST.exec(head);
  if (found) return stamp(found[3], monthOf(found[2]), found[1], found[4], found[5], found[6], found[7]);
  found = YEAR_LAST.exec(head);
  if (found) return stamp(found[7], monthOf(found[1]), found[2], found[3], found[4], found[5], found[6]);
  found = SYSLOG.exec(head);
  if (found) return withoutYear(found, reference);
  found = EPOCH.exec(head);
  if (found) return { time: Number(found[1]) * 1000 + fraction(found[2]), zoned: true };
  return null;
}

const monthOf = (name: string | undefined): number => MONTHS.indexOf((name ?? '').toLowerCase());

/** Milliseconds of the digits behind the seconds. */
const fraction = (digits: string | undefined): number => Number((digits ?? '').padEnd(3, '0').slice(0, 3));

function stamp(
  year: string | undefined,
  month: number,
  day: string | undefined,
  hour: string | undefined,
  minute: string | undefined,
  second: string | undefined,
  digits?: string,
  zone?: string,
): LogStamp | null {
  if (month < 0 || month > 11) return null;
  const time = Date.UTC(
    Number(year),
    month,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    fraction(digits),
  );
  if (!Number.isFinite(time)) return null;
  return zone === undefined ? { time, zoned: false } : { time: time - zoneOffset(zone), zoned: true };
}

function zoneOffset(zone: string): number {
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}

/** The latest year that does not put the line after the moment the file was written. */
function withoutYear(found: RegExpExecArray, reference: number): LogStamp | null {
  const year = new Date(reference).getUTCFullYear();
  for (const candidate of [year + 1, year, year - 1]) {
    const read = stamp(String(candidate), monthOf(found[1]), found[2], found[3], found[4], found[5]);
    if (read && read.time <= reference + DAY_MS) return read;
  }
  return null;
}

const QUARTER_MS = 15 * 60_000;
const CLOSE_MS = 5000;

/**
 * What to subtract from zone-less stamps to get real time. Normally this machine's own offset; but a program may log in
 * UTC, or the host be elsewhere: when the last stamp misses the time the file was written by a whole number of quarter
 * hours, that is the offset.
 */
export function zoneOffsetOf(lastStamp: number, writtenAt: number): number {
  const own = -new Date(writtenAt).getTimezoneOffset() * 60_000;
  if (Math.abs(lastStamp - own - writtenAt) < QUARTER_MS / 2) return own;
  const quarters = Math.round((lastStamp - writtenAt) / QUARTER_MS);
  const fits = Math.abs(lastStamp - writtenAt - quarters * QUARTER_MS) < CLOSE_MS;
  return fits && quarters >= -48 && quarters <= 56 ? quarters * QUARTER_MS : own;
}
