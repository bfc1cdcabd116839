/**
 * The tables of `ledger.db`, what they refuse, and how older ones become newer ones.
 *
 * Entries are text, so that a stock `sqlite3` reads them. Tiles can be made again from the
 * entries; entries and checkpoints cannot be made again.
 *
 * **Gotchas**
 *
 * - Triggers hold against mistakes of ours, not against who has the file: against them stand the
 *   hashes and the signatures.
 * - INSERT OR REPLACE runs no DELETE trigger: it is the trigger before INSERT that refuses it.
 */
import { type DatabaseSync, numberOf } from "./Sqlite.ts"

/** "THLG": says that a database file is a ledger. */
const applicationId = 0x5448_4c47

const isAppendOnly = (table: string): string => `
  CREATE TRIGGER ${table}_update BEFORE UPDATE ON ${table}
    BEGIN SELECT RAISE(ABORT, '${table} are append-only'); END;`

/** What each version added to the one before; version 1 is the first. */
export const migrations: ReadonlyArray<string> = [
  `CREATE TABLE entries (sequence INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;
  CREATE TABLE tiles (level INTEGER NOT NULL, number INTEGER NOT NULL, hashes BLOB NOT NULL,
    PRIMARY KEY (level, number)) STRICT, WITHOUT ROWID;
  CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
  -- Entries before this one are in archives.
  CREATE TABLE archived (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL) STRICT;
  INSERT INTO archived VALUES (1, 0);
  CREATE TABLE evidence (key INTEGER PRIMARY KEY, facts TEXT NOT NULL, content BLOB NOT NULL,
    -- The name of the key that sealed the content: null where it is not sealed.
    slot INTEGER, use INTEGER) STRICT;
  -- Keys of pieces that are gone. They leave once they are destroyed.
  CREATE TABLE doomed (slot INTEGER NOT NULL, use INTEGER NOT NULL, PRIMARY KEY (slot, use))
    STRICT, WITHOUT ROWID;
  CREATE TABLE deadletters (name TEXT PRIMARY KEY, endpoint TEXT NOT NULL, reason TEXT NOT NULL,
    time INTEGER NOT NULL, envelope BLOB NOT NULL) STRICT;
  -- The last frame that the writer committed: one that takes another's place begins behind it.
  CREATE TABLE writer (one INTEGER PRIMARY KEY CHECK (one = 1), frame INTEGER NOT NULL) STRICT;
  INSERT INTO writer VALUES (1, 0);

  CREATE TRIGGER entries_insert BEFORE INSERT ON entries
    WHEN NEW.sequence <> coalesce((SELECT max(sequence) + 1 FROM entries), (SELECT size FROM archived))
    BEGIN SELECT RAISE(ABORT, 'not the next entry'); END;
  ${isAppendOnly("entries")}
  CREATE TRIGGER entries_delete BEFORE DELETE ON entries WHEN OLD.sequence >= (SELECT size FROM archived)
    BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;
  CREATE TRIGGER tiles_insert BEFORE INSERT ON tiles
    WHEN EXISTS (SELECT 1 FROM tiles WHERE level = NEW.level AND number = NEW.number)
    BEGIN SELECT RAISE(ABORT, 'tiles are append-only'); END;
  ${isAppendOnly("tiles")}
  CREATE TRIGGER tiles_delete BEFORE DELETE ON tiles
    BEGIN SELECT RAISE(ABORT, 'tiles are append-only'); END;
  CREATE TRIGGER checkpoints_insert BEFORE INSERT ON checkpoints
    WHEN EXISTS (SELECT 1 FROM checkpoints WHERE size = NEW.size)
    BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
  ${isAppendOnly("checkpoints")}
  CREATE TRIGGER checkpoints_delete BEFORE DELETE ON checkpoints
    BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
  -- What lies behind a signed checkpoint may leave, and never comes back.
  CREATE TRIGGER archived_update BEFORE UPDATE ON archived
    WHEN NEW.size < OLD.size OR NEW.size > (SELECT max(size) FROM checkpoints)
    BEGIN SELECT RAISE(ABORT, 'no signed checkpoint is behind these entries'); END;`
]

/** What a file is: of which version, 0 where it is empty; or that another program made it. */
const versionOf = (db: DatabaseSync): number | "foreign" => {
  const version = numberOf(db, "PRAGMA user_version")
  if (numberOf(db, "PRAGMA application_id") === applicationId) return version
  return version === 0 && numberOf(db, "SELECT count(*) FROM sqlite_schema") === 0 ? 0 : "foreign"
}

/** Whether a database has the tables of this version. */
export const isReadable = (db: DatabaseSync): boolean => versionOf(db) === migrations.length

/**
 * Brings the tables to the newest version, a transaction for each step: a crash leaves a version
 * whole. `foreign` and `newer` where the file is not ours to change.
 */
export const migrate = (
  db: DatabaseSync,
  steps: ReadonlyArray<string> = migrations
): "migrated" | "foreign" | "newer" => {
  const version = versionOf(db)
  if (version === "foreign") return "foreign"
  if (version > steps.length) return "newer"
  for (let next = version; next < steps.length; next++) {
    db.exec("BEGIN IMMEDIATE")
    try {
      db.exec(steps[next] ?? "")
      db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${next + 1}`)
      db.exec("COMMIT")
    } catch (cause) {
      if (db.isTransaction) db.exec("ROLLBACK")
      throw cause
    }
  }
  return "migrated"
}
