/**
 * Reads a ledger that somebody else may be writing: for verification, exports and commands. Nothing
 * in the directory is changed, and no lock of the owner is needed.
 *
 * **Details**
 *
 * - Where the directory can be written, SQLite reads beside a running writer.
 * - On read-only media SQLite cannot share a log. Without one the file is read as it is; with one,
 *   database and log are copied to a temporary directory first, since a file that is read as it is
 *   has none of the log's rows, without a word.
 *
 * **Gotchas**
 *
 * - Each call reads what is there by then. Who wants one state fixes the size first.
 * - A copy closes the files that it read, and with them go SQLite's locks of this process on them:
 *   never read a directory in this way in the process that writes it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import type { LedgerReader } from "../ledger/LedgerReader.ts"
import type { DeadLetter, JournalPiece, LedgerStoreError } from "../ledger/LedgerStore.ts"
import { sizeOf } from "./LedgerTree.ts"
import { Readings } from "./Readings.ts"
import { type DatabaseSync, openReader } from "./Sqlite.ts"
import { refusalOf, storeError, StoreOpenError, wordsOf } from "./StoreErrors.ts"
import { pathsOf } from "./StoreOptions.ts"
import { isReadable } from "./StoreSchema.ts"

/** What can be read of a directory. Reading takes the caller's turn: 1 µs a row. */
export interface StoreReader extends LedgerReader<LedgerStoreError> {
  /** Entries there are, with those in archives. */
  readonly size: Effect.Effect<number, LedgerStoreError>
  /** The hashes of a full tile, or null. */
  readonly tile: (level: number, number: number) => Effect.Effect<Uint8Array | null, LedgerStoreError>
  /** As the store's. */
  readonly pieces: (after: number, limit: number) => Effect.Effect<ReadonlyArray<JournalPiece>, LedgerStoreError>
  readonly letters: (after: string, limit: number) => Effect.Effect<ReadonlyArray<DeadLetter>, LedgerStoreError>
  /** The note of the checkpoint beside the database, or null. */
  readonly note: Effect.Effect<string | null, LedgerStoreError>
}

/** Opens a directory to read until the scope closes. */
export const openToRead = Effect.fnUntraced(
  function*(directory: string): Effect.fn.Return<StoreReader, StoreOpenError, Scope.Scope> {
    const paths = pathsOf(directory)
    const temporary: Array<string> = []
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const copy of temporary) rmSync(copy, { recursive: true, force: true })
      })
    )
    const opening = Effect.try({
      try: () => openAnywhere(paths.database, temporary),
      catch: (cause) => {
        const reason = refusalOf(cause)
        return new StoreOpenError({
          reason: reason === "busy" ? "io" : reason,
          message: `${paths.database} cannot be read: ${wordsOf(cause)}`
        })
      }
    })
    const db = yield* Effect.acquireRelease(opening, (db) => Effect.sync(() => db.close()))
    if (!isReadable(db))
      return yield* new StoreOpenError({ reason: "foreign", message: `${paths.database} is no ledger of this version` })
    const readings = new Readings(db)
    return {
      size: attempt(() => sizeOf(db)),
      rows: (from, limit) => attempt(() => readings.rows(from, limit)),
      checkpoints: (after, limit) => attempt(() => readings.checkpoints(after, limit)),
      tile: (level, number) => attempt(() => readings.tile(level, number)),
      pieces: (after, limit) => attempt(() => readings.pieces(after, limit)),
      letters: (after, limit) => attempt(() => readings.letters(after, limit)),
      note: attempt(() =>
        statSync(paths.checkpoint, { throwIfNoEntry: false }) === undefined
          ? null
          : readFileSync(paths.checkpoint, "utf8")
      )
    }
  }
)

const attempt = <A>(read: () => A): Effect.Effect<A, LedgerStoreError> => Effect.try({ try: read, catch: storeError })

const openAnywhere = (path: string, temporary: Array<string>): DatabaseSync => {
  try {
    return openReader(path)
  } catch (cause) {
    const isThere = statSync(path, { throwIfNoEntry: false }) !== undefined
    if (!isThere || refusalOf(cause) !== "io") throw cause
  }
  const log = statSync(`${path}-wal`, { throwIfNoEntry: false })
  if (log === undefined || log.size === 0) {
    const url = pathToFileURL(path)
    url.searchParams.set("immutable", "1")
    return openReader(url)
  }
  const directory = mkdtempSync(join(tmpdir(), "tracehound-ledger-"))
  temporary.push(directory)
  return openReader(copied(path, join(directory, "ledger.db")))
}

/** Size and time of change of a database and its log. */
const stateOf = (path: string): string =>
  [path, `${path}-wal`].map((file) => statSync(file)).map(({ mtimeMs, size }) => `${size} ${mtimeMs}`).join()

/**
 * Copies database and log as they were at one time, or throws where somebody keeps changing them.
 */
const copied = (path: string, copy: string): string => {
  for (let tries = 0; tries < 5; tries++) {
    const before = stateOf(path)
    copyFileSync(path, copy)
    copyFileSync(`${path}-wal`, `${copy}-wal`)
    if (stateOf(path) === before) return copy
  }
  throw new Error("it is being written, and cannot be shared with its writer from here")
}
