/**
 * Databases of node:sqlite as the store uses them: to write, to read, to hold as a lock.
 *
 * **Gotchas**
 *
 * - SQLite's locks are POSIX locks: they go when this process closes ANY descriptor of the file.
 *   Never read, copy or even open by node:fs what SQLite has open in the same process; `stat` is
 *   harmless.
 * - Node before 26 has no defensive mode, and prints a warning that SQLite is experimental.
 */
import { DatabaseSync, type StatementSync } from "node:sqlite"

export { DatabaseSync }

/** The bytes of a page: what a commit of one entry writes at least. Fixed when a file is made. */
const pageBytes = 4_096

/** Not a schema that somebody else put into the file, nor a shadow table, nor its own header. */
const defensive = (db: DatabaseSync): DatabaseSync => {
  // Newer Nodes alone have it.
  ;(db.enableDefensive as ((active: boolean) => void) | undefined)?.call(db, true)
  db.exec("PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON")
  return db
}

/**
 * Opens a database to write, and makes it where there is none. What was committed survives a loss
 * of power (synchronous = FULL in WAL mode), and what was deleted is overwritten.
 */
export const openWriter = (path: string): DatabaseSync => {
  const db = new DatabaseSync(path, { timeout: 5_000 })
  try {
    db.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA secure_delete = ON`)
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
    return defensive(db)
  } catch (cause) {
    db.close()
    throw cause
  }
}

/** Opens a database that others may be writing, and writes nothing. `path` may be a file URL. */
export const openReader = (path: string | URL): DatabaseSync => {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
  try {
    db.exec("PRAGMA query_only = ON")
    // Opening reads nothing: only now is it known whether this is a database, and readable.
    db.exec("SELECT count(*) FROM sqlite_schema")
    return defensive(db)
  } catch (cause) {
    db.close()
    throw cause
  }
}

/** Holds a lock in the file until the database is closed or the process ends. Throws if held. */
export const openLock = (path: string): DatabaseSync => {
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    db.exec("BEGIN EXCLUSIVE")
    return db
  } catch (cause) {
    db.close()
    throw cause
  }
}

/** All rows of a statement as arrays: a third faster than as objects. */
export const arraysOf = (statement: StatementSync): StatementSync => {
  statement.setReturnArrays(true)
  return statement
}

/** The one number that a query gives. */
export const numberOf = (db: DatabaseSync, query: string): number =>
  Number(Object.values(db.prepare(query).get() ?? {})[0])
