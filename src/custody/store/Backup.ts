/**
 * A copy of a ledger in one file, taken beside a running writer: of one moment, and on disk when
 * the effect ends.
 *
 * A restore is: put the file as `ledger.db` into an empty directory. It has all entries,
 * checkpoints, evidence in the journal and dead letters of that moment, and none that came later.
 *
 * **Gotchas**
 *
 * - It has no keys. Evidence that was sealed opens with the directory's keys alone, and what was
 *   destroyed there since then does not open.
 * - It takes the caller's turn, about a second for each 200 MB. The writer goes on meanwhile; its
 *   log grows until the copy is done.
 */
import * as Effect from "effect/Effect"
import { closeSync, fsyncSync, linkSync, openSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import type { LedgerStoreError } from "../ledger/LedgerStore.ts"
import { syncDirectory } from "./DurableFile.ts"
import { DatabaseSync } from "./Sqlite.ts"
import { storeError } from "./StoreErrors.ts"
import { pathsOf } from "./StoreOptions.ts"

/** Copies a directory's ledger to a file that is not there yet, whole or not at all. */
export const backup = (directory: string, target: string): Effect.Effect<void, LedgerStoreError> =>
  Effect.try({ try: () => copy(pathsOf(directory).database, target), catch: storeError })

const copy = (source: string, target: string): void => {
  const partial = `${target}.partial`
  // Not `openReader`: what may only query makes no copy either. It cannot write its own file.
  const db = new DatabaseSync(source, { readOnly: true, timeout: 5_000 })
  try {
    // SQLite refuses a file that is there already and is not empty.
    db.prepare("VACUUM INTO ?").run(partial)
    sync(partial)
    // A link fails where the name is taken; a rename would replace the file.
    linkSync(partial, target)
    syncDirectory(dirname(target))
  } finally {
    db.close()
    rmSync(partial, { force: true })
  }
}

const sync = (path: string): void => {
  const file = openSync(path, "r+")
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
