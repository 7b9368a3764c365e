import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { failure, messageOf, type Outcome, success } from '../base/outcome.ts';
import type { Database } from './database.ts';

const DAY = 86_400_000;
const KEEP = 3;
const NAME = /^nightshift-(\d{4}-\d{2}-\d{2})T(\d{2})-(\d{2})-(\d{2})Z\.sqlite$/;

const folderOf = (folder: string) => join(folder, 'backups');

/** A time as it may stand in a file name: `2026-11-21T03-25-00Z`. */
export const fileStamp = (at: number): string =>
  new Date(at).toISOString().slice(0, 19).replaceAll(':', '-').concat('Z');

/** The automatic backups, newest first. */
export function backupsIn(folder: string): { path: string; at: number }[] {
  const backups = folderOf(folder);
  if (!existsSync(backups)) return [];
  return readdirSync(backups)
    .flatMap((name) => {
      const [, day, hour, minute, second] = NAME.exec(name) ?? [];
      return day === undefined
        ? []
        : [{ path: join(backups, name), at: Date.parse(`${day}T${hour}:${minute}:${second}Z`) }];
    })
    .sort((a, b) => b.at - a.at);
}

/**
 * Makes a backup a day while the store is in use (SQLite's online backup) and keeps the newest three. A copy takes its
 * place among them only once it has been read through: a damaged store must not push its good backups out.
 */
export function createBackup(database: Database, folder: string, clock: Clock): () => Promise<Outcome<string | null>> {
  let running: Promise<Outcome<string | null>> | null = null;
  const make = async (): Promise<Outcome<string | null>> => {
    const [newest] = backupsIn(folder);
    if (newest && Math.abs(clock.now() - newest.at) < DAY) return success(null);
    const path = join(folderOf(folder), `nightshift-${fileStamp(clock.now())}.sqlite`);
    const unfinished = `${path}.unfinished`;
    try {
      mkdirSync(folderOf(folder), { recursive: true, mode: 0o700 });
      await database.backup(unfinished);
      chmodSync(unfinished, 0o600);
      const finding = wholeness(database, unfinished);
      if (finding !== 'ok') throw new Error(`the copy is not whole (${finding}): the store itself may be damaged`);
      renameSync(unfinished, path);
      for (const old of backupsIn(folder).slice(KEEP)) rmSync(old.path, { force: true });
      return success(path);
    } catch (error) {
      rmSync(unfinished, { force: true });
      return failure(`today's backup of the store was not made in ${folderOf(folder)}: ${messageOf(error)}`);
    }
  };
  return () => {
    running ??= make().finally(() => {
      running = null;
    });
    return running;
  };
}

function wholeness(database: Database, path: string): string {
  if (statSync(path).size === 0) return 'it is empty';
  const Sqlite = database.constructor;
  const copy: Database = Reflect.construct(Sqlite, [path, { fileMustExist: true }]);
  try {
    copy.pragma('journal_mode = DELETE');
    return String(copy.pragma('quick_check(1)', { simple: true }));
  } finally {
    copy.close();
  }
}
