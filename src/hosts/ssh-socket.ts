import { lstatSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A path of a Unix socket has 104 bytes on macOS; our folder takes 17 of them, %C 41, and ssh adds 17 while it makes one. */
const LONGEST_PARENT = 28;

/**
 * Where control sockets lie, named by ssh's own hash of host, port and user, so that a changed ~/.ssh/config counts at
 * once. The folder is one that nobody else can enter, the same for every Nightshift of this user: a verb beside `watch`
 * finds the connection open. Somebody else's folder of that name is never used.
 */
export function controlSocket(): string {
  const parents = [process.env.XDG_RUNTIME_DIR ?? '/tmp', tmpdir(), '/tmp'];
  for (const parent of parents.filter(({ length }) => length <= LONGEST_PARENT)) {
    const folder = join(parent, `nightshift-${process.getuid?.() ?? 0}`);
    if (isPrivate(folder)) return join(folder, '%C');
  }
  return join(mkdtempSync('/tmp/nightshift-'), '%C');
}

/** Makes the folder if need be; false when it cannot be made or is not ours alone. */
function isPrivate(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const stats = lstatSync(folder);
    return stats.isDirectory() && stats.uid === process.getuid?.() && (stats.mode & 0o077) === 0;
  } catch {
    return false;
  }
}
