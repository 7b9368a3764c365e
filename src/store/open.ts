import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { failure, messageOf, type Outcome, success } from '../base/outcome.ts';
import { createActions } from './actions.ts';
import { createApprovals } from './approvals.ts';
import { backupsIn, createBackup } from './backup.ts';
import { lookForDamage, repair } from './damage.ts';
import { configure, type Database, explain, explaining, loadSqlite } from './database.ts';
import { strangeFolder } from './folder.ts';
import { createHealth } from './health.ts';
import { createIncidents } from './incidents.ts';
import { createMemory } from './memory.ts';
import { migrate, SCHEMA_VERSION, schemaVersion } from './migrations.ts';
import { openForReading } from './read-only.ts';
import { createSent } from './sent.ts';
import { createSettings } from './settings.ts';
import type { Store } from './store.ts';

export const STORE_FILE = 'nightshift.sqlite';

interface OpenStoreOptions {
  clock: Clock;
  /** Nothing is written, not even a new file; works on a disk that is full or mounted read-only. */
  readOnly?: boolean;
  /** Whether a process lives, by its pid. For tests. */
  processLives?: (pid: number) => boolean;
  /** The most 4 kB pages the file may have. For tests of a full disk. */
  maxPages?: number;
}

/** The store as `openStore` gives it: what is optional in the contract is there. */
export type OpenedStore = Store &
  Required<Pick<Store, 'sent' | 'warnings' | 'transaction' | 'backup' | 'rebuildIncidents'>>;

/**
 * Opens the store of a state folder, and makes both when they are not there. A damaged file is set aside and the newest
 * backup takes its place, which `warnings` says. Fails, in words, when it cannot be read or written, or is too new.
 */
export function openStore(folder: string, options: OpenStoreOptions): Outcome<OpenedStore> {
  const file = join(folder, STORE_FILE);
  const sqlite = loadSqlite();
  if (!sqlite.ok) return sqlite;
  const warnings: string[] = [];
  try {
    if (options.readOnly) {
      const database = openForReading(sqlite.value, file);
      const tooNew = refuseNewer(database, file);
      return tooNew ?? success(storeOn(database, folder, file, options, warnings));
    }
    const prepared = prepareFolder(folder, file);
    if (!prepared.ok) return prepared;
    const suspicion = lookForDamage(sqlite.value, file, backupsIn(folder).length > 0);
    if (suspicion !== null) {
      const repaired = repair(sqlite.value, folder, file, options.clock, suspicion);
      if (!repaired.ok) return repaired;
      warnings.push(repaired.value);
    }
    const database = new sqlite.value(file, { timeout: 5000 });
    const tooNew = refuseNewer(database, file);
    if (tooNew) return tooNew;
    configure(database, false);
    migrate(database);
    if (options.maxPages !== undefined) database.pragma(`max_page_count = ${options.maxPages}`);
    return success(storeOn(database, folder, file, options, warnings));
  } catch (error) {
    return failure(explain(error, file));
  }
}

function refuseNewer(database: Database, file: string): { ok: false; error: string } | null {
  const version = schemaVersion(database);
  if (version <= SCHEMA_VERSION) return null;
  database.close();
  return failure(
    `${file} was written by a newer Nightshift (schema ${version}; this one knows up to ${SCHEMA_VERSION}): update this one, or point \`state:\` to another folder`,
  );
}

/** Makes folder and file for nobody else's eyes. A folder that was there keeps its mode: it may be shared. */
function prepareFolder(folder: string, file: string): Outcome<void> {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const strange = strangeFolder(folder);
    if (strange !== null) return failure(strange);
    if (existsSync(file)) {
      if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
    } else {
      // SQLite gives its -wal and -shm files the mode of the file itself.
      closeSync(openSync(file, 'a', 0o600));
    }
    return success(undefined);
  } catch (error) {
    return failure(
      `the state folder ${folder} cannot be written to: ${messageOf(error)}. Check who owns it, its disk, or set \`state:\` in nightshift.yaml`,
    );
  }
}

function storeOn(
  database: Database,
  folder: string,
  file: string,
  options: OpenStoreOptions,
  warnings: string[],
): OpenedStore {
  const { clock } = options;
  const incidents = createIncidents(database, clock);
  const sent = createSent(database, clock);
  const backup = createBackup(database, folder, clock);
  return explaining<OpenedStore>(
    {
      folder,
      warnings,
      incidents: explaining(incidents, file),
      actions: explaining(createActions(database, clock, options.processLives ?? processLives), file),
      approvals: explaining(createApprovals(database, clock), file),
      memory: explaining(createMemory(database, clock), file),
      health: explaining(createHealth(database, clock), file),
      settings: explaining(createSettings(database), file),
      keepSent: sent.keep,
      sent: sent.list,
      transaction: (work) => database.transaction(work).immediate(),
      backup,
      rebuildIncidents: incidents.rebuild,
      close() {
        database.close();
      },
    },
    file,
  );
}

function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
