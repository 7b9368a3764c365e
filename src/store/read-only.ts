import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type DatabaseConstructor from 'better-sqlite3';
import { configure, type Database, sqliteCode } from './database.ts';
import { migrate, SCHEMA_VERSION, schemaVersion } from './migrations.ts';

/**
 * A connection that changes nothing. Where the file itself will do, it is that; where SQLite would have to write beside it
 * (a read-only folder) or the schema is an older one, it is a copy in memory. A store that is not there yet reads as empty.
 */
export function openForReading(Sqlite: typeof DatabaseConstructor, file: string): Database {
  if (!existsSync(file) || statSync(file).size === 0) return inMemory(Sqlite, null);
  let database: Database | undefined;
  try {
    database = new Sqlite(file, { readonly: true, fileMustExist: true, timeout: 5000 });
    configure(database, true);
    const version = schemaVersion(database);
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    if (version >= SCHEMA_VERSION) return database;
    return inMemory(Sqlite, database.serialize());
  } catch (error) {
    database?.close();
    const code = sqliteCode(error) ?? '';
    if (!/^SQLITE_(CANTOPEN|READONLY|IOERR|FULL)/.test(code)) throw error;
    return inMemory(Sqlite, bytesOf(Sqlite, file));
  }
}

function inMemory(Sqlite: typeof DatabaseConstructor, bytes: Buffer | null): Database {
  if (bytes !== null) {
    // Bytes 18 and 19 of the header say "WAL", which a database in memory cannot be; 1 says "rollback journal".
    bytes[18] = 1;
    bytes[19] = 1;
  }
  const database = bytes === null ? new Sqlite(':memory:') : new Sqlite(bytes);
  if (schemaVersion(database) < SCHEMA_VERSION) migrate(database);
  database.pragma('query_only = ON');
  return database;
}

/** The file with what its WAL holds, put together in a temporary folder when there is one. */
function bytesOf(Sqlite: typeof DatabaseConstructor, file: string): Buffer {
  const wal = `${file}-wal`;
  if (!existsSync(wal) || statSync(wal).size === 0) return readFileSync(file);
  const folder = mkdtempSync(join(tmpdir(), 'nightshift-'));
  try {
    const copy = join(folder, basename(file));
    copyFileSync(file, copy);
    copyFileSync(wal, `${copy}-wal`);
    const database = new Sqlite(copy);
    const bytes = database.serialize();
    database.close();
    return bytes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
