import { failure, type Outcome, success } from '../base/outcome.ts';
import type { Host } from '../hosts/host.ts';
import { type LogStamp, stampOf, zoneOffsetOf } from './log-time.ts';
import type { LogText, LogWindow } from './manager.ts';

const DEFAULT_MAX_BYTES = 1024 * 1024;
const PROBE_BYTES = 32 * 1024;

/**
 * The lines of log files that fall into a window, oldest first, at most `window.maxBytes` in all (default 1 MB). Only the
 * end of a file is read, however large it is. A line without a time belongs to the one before it. A file without any
 * times gives its newest bytes when it was written to within the window, else nothing. When the window begins before the
 * file does, its rotated sibling `FILE.1` comes first. It is a failure only when no file could be read; one that could
 * not says so in its `source`.
 */
export async function readLogFiles(
  host: Host,
  paths: readonly string[],
  window: LogWindow,
): Promise<Outcome<LogText[]>> {
  const texts: LogText[] = [];
  const errors: string[] = [];
  let budget = window.maxBytes ?? DEFAULT_MAX_BYTES;
  for (const [index, path] of paths.entries()) {
    const share = Math.max(1, Math.floor(budget / (paths.length - index)));
    const read = await readOne(host, path, window, share, true);
    if (read.ok) {
      texts.push(...read.value);
      for (const { text } of read.value) budget -= Buffer.byteLength(text);
    } else {
      errors.push(read.error);
      texts.push({ text: '', source: `${path} (not read: ${read.error})`, truncated: false });
    }
  }
  return errors.length > 0 && errors.length === paths.length ? failure(errors.join('; ')) : success(texts);
}

async function readOne(
  host: Host,
  path: string,
  window: LogWindow,
  maxBytes: number,
  withSibling: boolean,
): Promise<Outcome<LogText[]>> {
  const size = await writtenAt(host, path);
  if (!size.ok) return size;
  const { modifiedAt, sizeBytes } = size.value;
  if (window.since !== undefined && modifiedAt < window.since)
    return success([{ text: '', source: path, truncated: false }]);

  const tail = await readSpan(host, path, Math.max(0, sizeBytes - maxBytes), maxBytes);
  if (!tail.ok) return tail;
  let span = tail.value;
  let stamps = stampsOf(span.lines, modifiedAt);
  const last = stamps.findLast((entry) => entry !== null);
  const offset = last && !last.zoned ? zoneOffsetOf(last.time, modifiedAt) : 0;
  const first = firstTime(stamps, offset);
  if (window.until !== undefined && first !== null && first > window.until && span.from > 0) {
    const end = await findEnd(host, path, window.until, offset, span.from, modifiedAt);
    const earlier = await readSpan(host, path, Math.max(0, end - maxBytes), Math.min(maxBytes, end));
    if (!earlier.ok) return earlier;
    span = earlier.value;
    stamps = stampsOf(span.lines, modifiedAt);
  }

  const begins = firstTime(stamps, offset);
  const missesBeginning = window.since === undefined || begins === null || begins > window.since;
  const kept = withinWindow(span.lines, stamps, offset, window);
  const text: LogText = { text: kept.join('\n'), source: path, truncated: span.from > 0 && missesBeginning };
  const left = maxBytes - Buffer.byteLength(text.text);
  if (!withSibling || window.since === undefined || span.from > 0 || !missesBeginning || left <= 0)
    return success([text]);
  const sibling = `${path}.1`;
  const facts = await host.fileFacts(sibling);
  if (!facts.ok || facts.value?.kind !== 'file' || facts.value.modifiedAt < window.since) return success([text]);
  const older = await readOne(host, sibling, window, left, false);
  return success(older.ok ? [...older.value, text] : [text]);
}

/** Size and time of what a path leads to (the path itself may be a link). */
async function writtenAt(host: Host, path: string): Promise<Outcome<{ modifiedAt: number; sizeBytes: number }>> {
  let place = path;
  for (let step = 0; step < 10; step += 1) {
    const facts = await host.fileFacts(place);
    if (!facts.ok) return facts;
    if (!facts.value) return failure(`${place} does not exist`);
    if (facts.value.target === undefined) return success(facts.value);
    const { dirname, resolve } = await import('node:path/posix');
    place = resolve(dirname(place), facts.value.target);
  }
  return failure(`${path} leads through too many links`);
}

interface Span {
  from: number;
  lines: string[];
}

/** Whole lines from `from` on. NUL bytes are what a truncated file leaves behind for a writer that kept its position. */
async function readSpan(host: Host, path: string, from: number, maxBytes: number): Promise<Outcome<Span>> {
  const read = await host.readFile(path, { from, maxBytes });
  if (!read.ok) return read;
  const text = read.value.text.replaceAll('\0', '');
  const firstBreak = text.indexOf('\n');
  const whole = from > 0 && firstBreak >= 0 ? text.slice(firstBreak + 1) : text;
  return success({ from, lines: whole === '' ? [] : whole.replace(/\n$/, '').split('\n') });
}

const stampsOf = (lines: readonly string[], reference: number): (LogStamp | null)[] =>
  lines.map((line) => stampOf(line, reference));

const realTime = (stamp: LogStamp, offset: number): number => (stamp.zoned ? stamp.time : stamp.time - offset);

function firstTime(stamps: readonly (LogStamp | null)[], offset: number): number | null {
  const first = stamps.find((stamp) => stamp !== null);
  return first ? realTime(first, offset) : null;
}

function withinWindow(lines: string[], stamps: (LogStamp | null)[], offset: number, window: LogWindow): string[] {
  let time = firstTime(stamps, offset);
  if (time === null) return lines;
  const { since = 0, until = Number.POSITIVE_INFINITY } = window;
  // Most stamps have whole seconds: a line of the second in which the window begins is in it.
  const from = since - (since % 1000);
  return lines.filter((_, index) => {
    const stamp = stamps[index];
    if (stamp) time = realTime(stamp, offset);
    return time === null || (time >= from && time <= until);
  });
}

/** Where in a large file, before `high`, the lines after `until` begin: halves the distance until it is one probe wide. */
async function findEnd(
  host: Host,
  path: string,
  until: number,
  offset: number,
  high: number,
  reference: number,
): Promise<number> {
  let low = 0;
  let end = high;
  while (end - low > PROBE_BYTES * 2) {
    const middle = Math.floor((low + end) / 2);
    const probe = await readSpan(host, path, middle, PROBE_BYTES);
    const time = probe.ok ? firstTime(stampsOf(probe.value.lines, reference), offset) : null;
    if (time !== null && time <= until) low = middle;
    else end = middle;
  }
  return Math.min(high, end + PROBE_BYTES);
}
