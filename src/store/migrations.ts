import type { Database } from './database.ts';

/**
 * The schema, step by step. Only ever add at the end: `user_version` says how many of these a file has seen, and there is
 * no way back.
 */
const migrations: readonly string[] = [
  `
  CREATE TABLE incidents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    state TEXT NOT NULL,
    service TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    document TEXT NOT NULL
  ) STRICT;
  CREATE INDEX incidents_unresolved ON incidents (id) WHERE state <> 'resolved';
  CREATE INDEX incidents_by_service ON incidents (service, id);
  CREATE INDEX incidents_by_time ON incidents (opened_at);

  -- The truth. An incident is what its entries' changes add up to.
  CREATE TABLE timeline (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident INTEGER NOT NULL REFERENCES incidents (id),
    at INTEGER NOT NULL,
    type TEXT NOT NULL,
    text TEXT NOT NULL,
    data TEXT NOT NULL,
    change TEXT
  ) STRICT;
  CREATE INDEX timeline_by_incident ON timeline (incident, id);
  CREATE TRIGGER timeline_keeps_what_was BEFORE UPDATE ON timeline
    BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END;
  CREATE TRIGGER timeline_keeps_all BEFORE DELETE ON timeline
    BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END;
  -- INSERT OR REPLACE deletes without the trigger above.
  CREATE TRIGGER timeline_keeps_each BEFORE INSERT ON timeline WHEN EXISTS (SELECT 1 FROM timeline WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END;

  CREATE TABLE actions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident INTEGER,
    tool TEXT NOT NULL,
    arguments TEXT NOT NULL,
    service TEXT,
    risk TEXT NOT NULL,
    undo TEXT NOT NULL,
    reason TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    state TEXT NOT NULL,
    intended_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT,
    held INTEGER,
    pid INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX actions_by_incident ON actions (incident, id);
  CREATE INDEX actions_by_time ON actions (intended_at);
  CREATE INDEX actions_unfinished ON actions (id) WHERE state = 'intended';

  CREATE TABLE approvals (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    incident INTEGER,
    action TEXT NOT NULL,
    title TEXT NOT NULL,
    service TEXT NOT NULL,
    risk TEXT NOT NULL,
    undo TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    decided_at INTEGER,
    because TEXT
  ) STRICT;
  CREATE INDEX approvals_by_state ON approvals (state, id);

  CREATE TABLE memory_cases (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    signature TEXT NOT NULL,
    identity TEXT NOT NULL,
    service TEXT NOT NULL,
    cause TEXT NOT NULL,
    incident INTEGER NOT NULL,
    last_incident INTEGER NOT NULL,
    actions TEXT NOT NULL,
    found_by TEXT NOT NULL,
    resolution TEXT NOT NULL,
    held INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    UNIQUE (signature, identity)
  ) STRICT;

  CREATE TABLE checks (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE latest (
    check_id INTEGER PRIMARY KEY REFERENCES checks (id),
    service TEXT NOT NULL,
    at INTEGER NOT NULL,
    previous_at INTEGER,
    result TEXT NOT NULL
  ) STRICT;
  CREATE INDEX latest_by_service ON latest (service);
  CREATE TABLE samples (
    check_id INTEGER NOT NULL,
    at INTEGER NOT NULL,
    value REAL NOT NULL,
    PRIMARY KEY (check_id, at)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE spans (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    verdict TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX spans_by_service ON spans (service, id);
  CREATE TABLE pings (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE positions (check_name TEXT PRIMARY KEY, position TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE sent (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    body TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost REAL,
    incident INTEGER
  ) STRICT;
  CREATE INDEX sent_by_time ON sent (at);
  `,
];

/** The schema that this program writes. */
export const SCHEMA_VERSION = migrations.length;

export function schemaVersion(database: Database): number {
  return Number(database.pragma('user_version', { simple: true }));
}

/** Brings a file up to date, all steps in one transaction; does nothing when it is. Another process may be doing the same. */
export function migrate(database: Database): void {
  if (schemaVersion(database) === SCHEMA_VERSION) return;
  database
    .transaction(() => {
      for (const step of migrations.slice(schemaVersion(database))) database.exec(step);
      database.pragma(`user_version = ${SCHEMA_VERSION}`);
    })
    .immediate();
}
