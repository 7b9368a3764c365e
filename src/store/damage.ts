import { closeSync, copyFileSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import type DatabaseConstructor from 'better-sqlite3';
import type { Clock } from '../base/clock.ts';
import { failure, messageOf, type Outcome, success } from '../base/outcome.ts';
import { backupsIn, fileStamp } from './backup.ts';
import { type Database, sqliteCode } from './database.ts';
import { holdsWatchLock, takeWatchLock } from './watch-lock.ts';

/** Read through at every start: what nobody could measure again. Samples are too many for that; the daily backup reads them. */
const PRECIOUS = ['incidents', 'timeline', 'actions', 'approvals', 'memory_cases', 'settings'];

const isDamage = (error: unknown): boolean => {
  const code = sqliteCode(error) ?? '';
  return code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT');
};

/** What is wrong with the file, in a few words; null when nothing is seen. */
export function lookForDamage(Sqlite: typeof DatabaseConstructor, file: string, hasBackups: boolean): string | null {
  if (statSync(file).size === 0) return hasBackups ? 'it was empty' : null;
  let database: Database | undefined;
  try {
    database = new Sqlite(file, { fileMustExist: true, timeout: 5000 });
    const known = new Set(
      database
        .prepare<[], { name: string }>("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .all()
        .map((row) => row.name),
    );
    // A file that was cut off shows here, too: SQLite refuses one shorter than its header says.
    for (const table of PRECIOUS.filter((name) => known.has(name))) {
      const finding = String(database.pragma(`quick_check('${table}')`, { simple: true }));
      if (finding !== 'ok') return finding.replace(/\s+/g, ' ').slice(0, 200);
    }
    return null;
  } catch (error) {
    if (isDamage(error)) return messageOf(error);
    throw error;
  } finally {
    database?.close();
  }
}

/** Sets a damaged file aside and puts the newest backup that is whole in its place, or nothing. Says what was done. */
export function repair(
  Sqlite: typeof DatabaseConstructor,
  folder: string,
  file: string,
  clock: Clock,
  suspicion: string,
): Outcome<string> {
  // Only one process mends, and none while a watch works on the file; the watch itself has the lock before it opens.
  const lock = holdsWatchLock(folder) ? null : takeWatchLock(folder);
  if (lock && !lock.ok)
    return failure(
      `${file} is damaged (${suspicion}), and a running watch holds it: stop that first, then run this again`,
    );
  try {
    // Another process may have mended it while this one waited.
    const still = lookForDamage(Sqlite, file, backupsIn(folder).length > 0);
    if (still === null) return success(`${file} was damaged, and another process has mended it`);
    const aside = `${file}.damaged-${fileStamp(clock.now())}`;
    renameSync(file, aside);
    for (const suffix of ['-wal', '-shm']) if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
    for (const backup of backupsIn(folder)) {
      copyFileSync(backup.path, file);
      if (lookForDamage(Sqlite, file, true) !== null) continue;
      return success(
        `the store was damaged (${still}). It was restored from the backup of ${new Date(backup.at).toISOString()}; what came after that is missing. The damaged file is kept as ${aside}`,
      );
    }
    rmSync(file, { force: true });
    closeSync(openSync(file, 'a', 0o600));
    return success(
      `the store was damaged (${still}) and there is no whole backup: a new one was started, without history. The damaged file is kept as ${aside}`,
    );
  } catch (error) {
    return failure(`${file} is damaged (${suspicion}) and could not be set aside: ${messageOf(error)}`);
  } finally {
    lock?.value.release();
  }
}
