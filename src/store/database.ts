import { createRequire } from 'node:module';
import type DatabaseConstructor from 'better-sqlite3';
import { failure, messageOf, type Outcome, success } from '../base/outcome.ts';

export type Database = DatabaseConstructor.Database;

/** SQLite's own word for a failure, such as `SQLITE_FULL`; null when the error is not SQLite's. */
export function sqliteCode(thrown: unknown): string | null {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : null;
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : null;
}

/** Loaded at first use: `--version` must not pay for it, and on an old Node the import ends the process without a word. */
export function loadSqlite(): Outcome<typeof DatabaseConstructor> {
  const major = Number(process.versions.node.split('.')[0]);
  if (!(major >= 22)) {
    return failure(
      `the store needs Node 22.12 or newer, and this is ${process.version}: run \`npm ci\`, which brings one`,
    );
  }
  try {
    const required: typeof DatabaseConstructor = createRequire(import.meta.url)('better-sqlite3');
    return success(required);
  } catch (error) {
    return failure(
      `SQLite could not be loaded (${messageOf(error)}): run \`npm ci\` in the folder of nightshift again`,
    );
  }
}

/** What SQLite met, in words that say what to do. */
export function explain(thrown: unknown, file: string): string {
  const code = sqliteCode(thrown) ?? '';
  const detail = messageOf(thrown);
  if (code === 'SQLITE_FULL')
    return `the disk that holds ${file} is full: nothing more can be kept until there is room (df -h)`;
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return `${file} is locked by another process for more than 5 s: see who holds it with fuser ${file}`;
  }
  if (code.startsWith('SQLITE_READONLY'))
    return `${file} cannot be written to: check who owns it and how its disk is mounted`;
  if (code.startsWith('SQLITE_CANTOPEN'))
    return `${file} cannot be opened (${detail}): check that it and its folder may be read and written`;
  if (code.startsWith('SQLITE_IOERR'))
    return `the disk that holds ${file} gave an error (${code}): look at the kernel log`;
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) {
    return `${file} is damaged (${detail}): the next start of a verb that writes sets it aside and restores the newest backup`;
  }
  return `${file}: ${detail}`;
}

/** A failure of the store while it was in use, explained. */
class StoreError extends Error {
  readonly code: string;
  constructor(message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'StoreError';
    this.code = sqliteCode(cause) ?? 'UNKNOWN';
  }
}

/** The same methods, with SQLite's errors explained. */
export function explaining<Part extends object>(part: Part, file: string): Part {
  return new Proxy(part, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      if (typeof value !== 'function') return value;
      return (...parameters: unknown[]): unknown => {
        try {
          return Reflect.apply(value, target, parameters);
        } catch (error) {
          if (sqliteCode(error) === null) throw error;
          throw new StoreError(explain(error, file), error);
        }
      };
    },
  });
}

/** Sets up a connection. `synchronous = FULL` because an intent must be on the disk, not in a cache, before its act begins. */
export function configure(database: Database, readOnly: boolean): void {
  database.pragma('busy_timeout = 5000');
  database.pragma('foreign_keys = ON');
  database.pragma('temp_store = MEMORY');
  database.pragma('cache_size = -4096');
  if (readOnly) return;
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  // Gives the space of a burst back at the next checkpoint.
  database.pragma('journal_size_limit = 16777216');
}
