import type { FileFacts, Host } from '../hosts/host.ts';
import type { Measurement } from './check.ts';
import { findFile } from './file-facts.ts';
import { fileTrouble } from './finding.ts';

/** Where reading of a log ended. */
interface LogPosition {
  inode: number;
  offset: number;
}

type NewLines =
  | { ok: true; text: string; position: LogPosition | null; skippedBytes: number }
  | { ok: false; measurement: Measurement };

/** More than this at once is not read: the newest part stands for the rest. */
const MAX_BYTES = 4 * 1024 * 1024;
/** A last line without an end that is longer than this is counted as it stands. */
const MAX_TAIL = 64 * 1024;

/**
 * The whole lines that were added to a log since the last time. A log that was rotated is read to its end under its old
 * name (`.1`) first, one that was cut off is read from its beginning. Without a position only the place is noted.
 */
export async function newLines(host: Host, path: string, last: LogPosition | null): Promise<NewLines> {
  const found = await findFile(host, path);
  if (!found.ok) return found;
  const { facts } = found;
  if (facts === null) return { ok: true, text: '', position: last, skippedBytes: 0 };
  if (last === null)
    return { ok: true, text: '', position: { inode: facts.inode, offset: facts.sizeBytes }, skippedBytes: 0 };
  const rotated = facts.inode !== last.inode;
  const before = rotated ? await restOfRotated(host, path, last) : { text: '', skippedBytes: 0 };
  const from = rotated || facts.sizeBytes < last.offset ? 0 : last.offset;
  const read = await readSpan(host, path, from, facts);
  if (!read.ok) return read;
  return {
    ok: true,
    text: before.text + read.text,
    position: { inode: facts.inode, offset: read.end },
    skippedBytes: before.skippedBytes + read.skippedBytes,
  };
}

async function restOfRotated(
  host: Host,
  path: string,
  last: LogPosition,
): Promise<{ text: string; skippedBytes: number }> {
  const old = await findFile(host, `${path}.1`);
  if (!old.ok || old.facts?.inode !== last.inode || old.facts.sizeBytes <= last.offset)
    return { text: '', skippedBytes: 0 };
  const read = await readSpan(host, `${path}.1`, last.offset, old.facts);
  return read.ok ? read : { text: '', skippedBytes: 0 };
}

type Span = { ok: true; text: string; end: number; skippedBytes: number } | { ok: false; measurement: Measurement };

async function readSpan(host: Host, path: string, from: number, { sizeBytes }: FileFacts): Promise<Span> {
  if (sizeBytes <= from) return { ok: true, text: '', end: from, skippedBytes: 0 };
  const start = Math.max(from, sizeBytes - MAX_BYTES);
  const read = await host.readFile(path, { from: start, maxBytes: sizeBytes - start });
  if (!read.ok) return { ok: false, measurement: await fileTrouble(host, read.error) };
  const { text } = read.value;
  const lastBreak = text.lastIndexOf('\n');
  const tail = text.slice(lastBreak + 1);
  // The beginning of a line is left for next time, unless its bytes cannot be told from its text or it never ends.
  const whole = tail === '' || tail.length > MAX_TAIL || tail.includes('\ufffd');
  return {
    ok: true,
    text: whole ? text : text.slice(0, lastBreak + 1),
    end: whole ? sizeBytes : sizeBytes - Buffer.byteLength(tail),
    skippedBytes: start - from,
  };
}
