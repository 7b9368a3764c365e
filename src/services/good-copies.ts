import { createHash, randomUUID } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { GoodCopies } from '../../tools/tool.ts';
import type { Clock } from '../base/clock.ts';

const KEEP = 3;
const LARGEST_BYTES = 1024 * 1024;

/** What is known of one kept version. The bytes are in a file called by their own digest. */
const indexSchema = z.object({
  service: z.string(),
  path: z.string(),
  versions: z.array(z.object({ at: z.number(), sha256: z.string().regex(/^[0-9a-f]{64}$/), sizeBytes: z.number() })),
});
type Index = z.infer<typeof indexSchema>;

const digestOf = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

/**
 * The last three distinct versions of a service's files from times when its checks passed, kept raw for restoring, for
 * nobody else's eyes, and sent nowhere. Kept by content: a file that does not change costs nothing.
 */
export function createGoodCopies(options: { folder: string; clock: Clock }): GoodCopies & {
  /** Throws, and keeps what it had, when the file is larger than 1 MB or the disk does not take it. */
  keep(service: string, path: string, bytes: Uint8Array): void;
} {
  const root = join(options.folder, 'good-copies');
  // Names come from the configuration and paths hold slashes: a digest is a safe name for both together.
  const folderOf = (service: string, path: string) => join(root, digestOf(`${service}\0${path}`).slice(0, 32));

  const indexIn = (folder: string): Index | null => {
    const file = join(folder, 'index.json');
    if (!existsSync(file)) return null;
    try {
      return indexSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    } catch {
      // A damaged index says nothing about which bytes were good: they are kept anew at the next good moment.
      return null;
    }
  };

  return {
    keep(service, path, bytes) {
      if (bytes.byteLength > LARGEST_BYTES) {
        throw new Error(`${path} is ${bytes.byteLength} bytes: good copies are kept of files up to ${LARGEST_BYTES}`);
      }
      const folder = folderOf(service, path);
      const sha256 = digestOf(bytes);
      const before = indexIn(folder)?.versions ?? [];
      if (before[0]?.sha256 === sha256) return;
      for (const each of [options.folder, root, folder]) mkdirSync(each, { recursive: true, mode: 0o700 });
      writeWhole(join(folder, sha256), bytes);
      const version = { at: options.clock.now(), sha256, sizeBytes: bytes.byteLength };
      const versions = [version, ...before.filter((each) => each.sha256 !== sha256)].slice(0, KEEP);
      const index: Index = { service, path, versions };
      writeWhole(join(folder, 'index.json'), Buffer.from(JSON.stringify(index)));
      const needed = new Set(['index.json', ...versions.map((each) => each.sha256)]);
      for (const name of readdirSync(folder)) if (!needed.has(name)) rmSync(join(folder, name), { force: true });
    },
    list(service, path) {
      const folder = folderOf(service, path);
      const versions = indexIn(folder)?.versions ?? [];
      return versions
        .filter((each) => existsSync(join(folder, each.sha256)))
        .map((each) => ({ id: `${folder.slice(root.length + 1)}-${each.sha256}`, ...each }));
    },
    read(id) {
      const [, folder, sha256] = /^([0-9a-f]{32})-([0-9a-f]{64})$/.exec(id) ?? [];
      if (folder === undefined || sha256 === undefined)
        throw new Error(`there is no good copy ${JSON.stringify(id.slice(0, 120))}`);
      const bytes = new Uint8Array(readFileSync(join(root, folder, sha256)));
      if (digestOf(bytes) !== sha256)
        throw new Error(`the good copy ${id} is damaged on the disk: it must not be restored`);
      return bytes;
    },
  };
}

/** A reader sees the old file or the new one, never half: written beside it, synced, renamed. */
function writeWhole(file: string, bytes: Uint8Array): void {
  const temporary = `${file}.${randomUUID()}`;
  const descriptor = openSync(temporary, 'wx', 0o600);
  try {
    let written = 0;
    while (written < bytes.byteLength) written += writeSync(descriptor, bytes, written);
    fsyncSync(descriptor);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
  chmodSync(temporary, 0o600);
  renameSync(temporary, file);
}
