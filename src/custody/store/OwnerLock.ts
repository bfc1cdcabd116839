/**
 * One owner for a directory: who holds `ledger.lock`, a database in an exclusive transaction, may
 * write the ledger beside it.
 *
 * A second owner is refused at once, in this process and in any other on this machine. The lock
 * goes with the process, whatever ends it: there is no stale file. `ledger.owner` says in words who
 * has it, for the message alone.
 *
 * **Gotchas**
 *
 * - The lock is a POSIX lock on `ledger.lock`: nothing but SQLite may open that file.
 * - On network file systems it is as good as their locks are.
 */
import { readFileSync, rmSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import { type DatabaseSync, openLock } from "./Sqlite.ts"
import { refusalOf } from "./StoreErrors.ts"

/** Somebody else has the directory; `owner` says who, as far as it is known. */
export interface Held {
  readonly owner: string
}

export class OwnerLock {
  readonly #lock: DatabaseSync
  readonly #note: string

  private constructor(lock: DatabaseSync, note: string) {
    this.#lock = lock
    this.#note = note
  }

  /** Takes the lock, or says who has it. Throws where the system refuses the file. */
  static take(directory: string): OwnerLock | Held {
    const note = join(directory, "ledger.owner")
    let lock: DatabaseSync
    try {
      lock = openLock(join(directory, "ledger.lock"))
    } catch (cause) {
      if (refusalOf(cause) !== "busy") throw cause
      return { owner: ownerIn(note) }
    }
    try {
      writeFileSync(note, `process ${process.pid} on ${hostname()}\n`, { mode: 0o600 })
    } catch (cause) {
      lock.close()
      throw cause
    }
    return new OwnerLock(lock, note)
  }

  /** Gives the lock back. */
  release(): void {
    rmSync(this.#note, { force: true })
    this.#lock.close()
  }
}

/**
 * The note's one line; whoever wrote it, it is shown as words of at most 300 printable characters.
 */
const ownerIn = (note: string): string => {
  try {
    const words = readFileSync(note, "utf8").trim().slice(0, 300)
    return /^[\x20-\x7e]+$/.test(words) ? words : "another process"
  } catch {
    return "another process"
  }
}
