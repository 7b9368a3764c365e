import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { failure, messageOf, type Outcome, success } from '../base/outcome.ts';
import type { FileFacts, FileText, Host } from './host.ts';
import { continuationBytes } from './tail-buffer.ts';

const DEFAULT_TEXT_BYTES = 256 * 1024;
const DEFAULT_WHOLE_BYTES = 1024 * 1024;
const LINKS_FOLLOWED = 40;

export type FileOperations = Pick<
  Host,
  'readFile' | 'readBytes' | 'writeFile' | 'fileFacts' | 'list' | 'rename' | 'remove' | 'relink'
>;

/** File operations of this machine. */
export const localFiles: FileOperations = {
  readFile: (path, options = {}) =>
    attempt(`read ${path}`, () => readText(path, options.maxBytes ?? DEFAULT_TEXT_BYTES, options)),
  readBytes: (path, options = {}) =>
    attempt(`read ${path}`, () => readWhole(path, options.maxBytes ?? DEFAULT_WHOLE_BYTES)),
  writeFile: (path, content, options = {}) => attempt(`write ${path}`, () => replaceFile(path, content, options.mode)),
  fileFacts: (path) => attempt(`look at ${path}`, () => factsOf(path)),
  list: (directory) => attempt(`list ${directory}`, () => listDirectory(directory)),
  rename: (from, to) => attempt(`move ${from} to ${to}`, () => fs.rename(from, to)),
  remove: (path) => attempt(`remove ${path}`, () => removeOne(path)),
  relink: (link, target) => attempt(`point ${link} at ${target}`, () => pointLink(link, target)),
};

async function attempt<Value>(what: string, operation: () => Promise<Value>): Promise<Outcome<Value>> {
  try {
    return success(await operation());
  } catch (thrown) {
    return failure(`could not ${what}: ${messageOf(thrown)}`);
  }
}

const codeOf = (thrown: unknown): unknown => (thrown instanceof Error && 'code' in thrown ? thrown.code : undefined);

/** Opens a regular file, at the end of links that may be followed. Without O_NONBLOCK a named pipe would hold us for ever. */
async function withFile<Value>(
  path: string,
  use: (file: fs.FileHandle, size: number) => Promise<Value>,
): Promise<Value> {
  const { place, makers } = await landingPlace(path);
  const file = await fs.open(place, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    const stats = await file.stat();
    refuseStrangers(makers, stats.uid);
    if (!stats.isFile()) throw new Error(`it is not a file but a ${kindOf(stats)}`);
    return await use(file, stats.size);
  } finally {
    await file.close();
  }
}

/** Up to `length` bytes from `position`; fewer only at the end of the file. */
async function readSpan(file: fs.FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

function readText(path: string, maxBytes: number, options: { from?: number; fromEnd?: boolean }): Promise<FileText> {
  return withFile(path, async (file, size) => {
    // Files of /proc say that they have no size and have content all the same.
    const known = size > 0 ? size : maxBytes;
    const start = options.fromEnd ? Math.max(0, size - maxBytes) : Math.max(0, options.from ?? 0);
    const bytes = await readSpan(file, start, Math.max(0, Math.min(maxBytes, known - start)));
    const halved = options.fromEnd && start > 0 ? continuationBytes(bytes) : 0;
    const sizeBytes = Math.max(size, start + bytes.length);
    return {
      text: bytes.subarray(halved).toString('utf8'),
      sizeBytes,
      from: start + halved,
      truncated: start > 0 || start + bytes.length < sizeBytes,
    };
  });
}

function readWhole(path: string, maxBytes: number): Promise<Uint8Array> {
  return withFile(path, async (file, size) => {
    const bytes = size > maxBytes ? null : await readSpan(file, 0, (size > 0 ? size : maxBytes) + 1);
    if (bytes && bytes.length <= maxBytes) return new Uint8Array(bytes);
    throw new Error(`it has ${Math.max(size, bytes?.length ?? 0)} bytes, more than the ${maxBytes} allowed here`);
  });
}

/** Where `path` leads to: links are followed, also one whose target does not exist yet. With the users who made them. */
async function landingPlace(path: string): Promise<{ place: string; makers: number[] }> {
  let place = resolve(path);
  const makers: number[] = [];
  for (let step = 0; step < LINKS_FOLLOWED; step += 1) {
    const stats = await statsOf(place);
    if (!stats?.isSymbolicLink()) return { place, makers };
    makers.push(stats.uid);
    place = resolve(dirname(place), await fs.readlink(place));
  }
  throw new Error('too many symbolic links');
}

/**
 * Whoever may write beside a log, a pid file or a watched file could make it a link to a file that only we may read or
 * write. So a link is followed when root, we ourselves, or the owner of what it leads to made it, and otherwise not.
 */
function refuseStrangers(makers: readonly number[], owner: number | null): void {
  const stranger = makers.find((maker) => maker !== 0 && maker !== process.getuid?.() && maker !== owner);
  if (stranger !== undefined)
    throw new Error(`it is a link made by another user (${stranger}) to something that is not theirs: not followed`);
}

async function replaceFile(path: string, content: string | Uint8Array, mode: number | undefined): Promise<void> {
  const { place, makers } = await landingPlace(path);
  const before = await statsOf(place);
  refuseStrangers(makers, before?.uid ?? null);
  if (before && !before.isFile()) throw new Error(`it is not a file but a ${kindOf(before)}`);
  const temporary = temporaryBeside(place);
  try {
    // Nobody else reads it until it has its final mode.
    const file = await fs.open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content);
      if (before) await keepOwner(file, before);
      await file.chmod(mode ?? (before ? before.mode & 0o7777 : 0o644));
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.rename(temporary, place);
  } catch (thrown) {
    await fs.rm(temporary, { force: true });
    throw thrown;
  }
  await syncDirectory(dirname(place));
}

async function keepOwner(file: fs.FileHandle, before: Stats): Promise<void> {
  const now = await file.stat();
  if (now.uid === before.uid && now.gid === before.gid) return;
  try {
    await file.chown(before.uid, before.gid);
  } catch (thrown) {
    throw new Error(
      `its owner ${before.uid}:${before.gid} could not be kept (${messageOf(thrown)}), so it is unchanged`,
    );
  }
}

async function pointLink(link: string, target: string): Promise<void> {
  const before = await statsOf(link);
  if (before && !before.isSymbolicLink()) throw new Error(`it is not a link but a ${kindOf(before)}`);
  const temporary = temporaryBeside(link);
  try {
    await fs.symlink(target, temporary);
    if (before && process.getuid?.() === 0) await fs.lchown(temporary, before.uid, before.gid);
    await fs.rename(temporary, link);
  } catch (thrown) {
    await fs.rm(temporary, { force: true });
    throw thrown;
  }
  await syncDirectory(dirname(link));
}

/** One file, link or empty directory; never a tree. What is already gone is as wanted. */
async function removeOne(path: string): Promise<void> {
  const stats = await statsOf(path);
  if (!stats) return;
  if (stats.isDirectory()) await fs.rmdir(path);
  else await fs.unlink(path);
}

async function listDirectory(directory: string): Promise<FileFacts[]> {
  const names = (await fs.readdir(directory)).sort();
  const entries: FileFacts[] = [];
  const atOnce = 64;
  for (let index = 0; index < names.length; index += atOnce) {
    const group = await Promise.all(names.slice(index, index + atOnce).map((name) => factsOf(join(directory, name))));
    for (const facts of group) if (facts) entries.push(facts);
  }
  return entries;
}

async function factsOf(path: string): Promise<FileFacts | null> {
  const stats = await statsOf(path);
  if (!stats) return null;
  const target = stats.isSymbolicLink() ? await fs.readlink(path) : undefined;
  return {
    path,
    kind: kindOf(stats),
    sizeBytes: stats.size,
    modifiedAt: Math.round(stats.mtimeMs),
    mode: stats.mode & 0o7777,
    owner: stats.uid,
    group: stats.gid,
    inode: stats.ino,
    ...(target === undefined ? {} : { target }),
  };
}

async function statsOf(path: string): Promise<Stats | null> {
  try {
    return await fs.lstat(path);
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT' || codeOf(thrown) === 'ENOTDIR') return null;
    throw thrown;
  }
}

function kindOf(stats: Stats): FileFacts['kind'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'link';
  return stats.isSocket() ? 'socket' : 'other';
}

const temporaryBeside = (path: string): string =>
  join(dirname(path), `.${basename(path).slice(0, 200)}.nightshift-${randomBytes(6).toString('hex')}`);

/** So that the rename itself survives a power cut. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await fs.open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
