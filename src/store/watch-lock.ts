import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { failure, messageOf, type Outcome, success } from '../base/outcome.ts';
import { type Database, loadSqlite, sqliteCode } from './database.ts';
import { strangeFolder } from './folder.ts';

/** Locks this process holds, by folder. Held here, too, so that no garbage collection closes one. */
const held = new Map<string, Database>();

/** Whether this very process is the watch of a folder. */
export const holdsWatchLock = (folder: string): boolean => held.has(resolve(folder));

/**
 * One watch per state folder. The lock is an open transaction on a file of its own, which the system gives up when the
 * process ends, however it ends: there is no stale lock to clean up. Refused with the pid of whoever has it.
 */
export function takeWatchLock(folder: string): Outcome<{ release(): void }> {
  const sqlite = loadSqlite();
  if (!sqlite.ok) return sqlite;
  const key = resolve(folder);
  const file = join(folder, 'watch.lock');
  let database: Database | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const strange = strangeFolder(folder);
    if (strange !== null) return failure(strange);
    // SQLite alone may open this file: closing any other descriptor of it would drop the locks of this whole process.
    database = new sqlite.value(file, { timeout: 0 });
    database.exec('BEGIN EXCLUSIVE');
    chmodSync(file, 0o600);
    writeFileSync(join(folder, 'watch.pid'), `${process.pid}\n`, { mode: 0o600 });
  } catch (error) {
    database?.close();
    if (!sqliteCode(error)?.startsWith('SQLITE_BUSY'))
      return failure(`the lock ${file} cannot be taken: ${messageOf(error)}`);
    const pid = pidOfHolder(folder);
    return failure(
      `a watch already runs on ${folder} (pid ${pid ?? 'unknown'}): every other verb works beside it. To stop it: kill ${pid ?? 'PID'}`,
    );
  }
  held.set(key, database);
  const taken = database;
  return success({
    release() {
      if (held.get(key) === taken) held.delete(key);
      taken.close();
    },
  });
}

function pidOfHolder(folder: string): number | null {
  const file = join(folder, 'watch.pid');
  if (!existsSync(file)) return null;
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  return Number.isInteger(pid) ? pid : null;
}

/** The pid of the watch that runs on a folder, or null. It asks the lock, not the pid file: that may be left over. */
export function watchHolder(folder: string): number | null {
  const file = join(folder, 'watch.lock');
  if (holdsWatchLock(folder)) return process.pid;
  const sqlite = loadSqlite();
  if (!sqlite.ok || !existsSync(file)) return null;
  let database: Database | undefined;
  try {
    database = new sqlite.value(file, { timeout: 0, readonly: true });
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return null;
  } catch (error) {
    return sqliteCode(error)?.startsWith('SQLITE_BUSY') ? pidOfHolder(folder) : null;
  } finally {
    database?.close();
  }
}
