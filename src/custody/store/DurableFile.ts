/**
 * Small files beside the database that are on disk when the call returns: the newest checkpoint,
 * and the reserve.
 */
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, statfsSync, statSync, writeSync } from "node:fs"
import { dirname } from "node:path"

/** Writes all of it to a new file, and has the system put it on disk. */
const writeSynced = (path: string, bytes: Uint8Array): void => {
  const file = openSync(path, "w", 0o600)
  try {
    for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Has the system put a directory's names on disk. Windows cannot, and does so by itself. */
export const syncDirectory = (directory: string): void => {
  if (process.platform === "win32") return
  const file = openSync(directory, "r")
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/**
 * Replaces a file: a reader, and who comes after a crash, finds the old content or the new one, and
 * nothing between. About 1.5 ms.
 */
export const replaceFile = (path: string, text: string): void => {
  const next = `${path}.next`
  writeSynced(next, Buffer.from(text))
  renameSync(next, path)
  syncDirectory(dirname(path))
}

/**
 * Makes a file that is not there yet; false where there is one already. Others find all of it, or
 * none.
 */
export const makeFile = (path: string, text: string): boolean => {
  const next = `${path}.${process.pid}.next`
  writeSynced(next, Buffer.from(text))
  try {
    linkSync(next, path)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
    return false
  } finally {
    rmSync(next, { force: true })
  }
  syncDirectory(dirname(path))
  return true
}

/**
 * Room on the disk that is kept for when there is no other: with a full disk SQLite cannot even
 * move its log into the database, so nothing would ever get smaller.
 */
export class Reserve {
  readonly #path: string
  readonly #bytes: number

  constructor(path: string, bytes: number) {
    this.#path = path
    this.#bytes = bytes
  }

  /** Whether it is there in full. */
  get isThere(): boolean {
    return (statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0) >= this.#bytes
  }

  /** Makes it where it is missing and the disk has room for it four times. */
  fill(): boolean {
    if (this.#bytes === 0 || this.isThere) return true
    const { bavail, bsize } = statfsSync(dirname(this.#path))
    if (bavail * bsize < 4 * this.#bytes) return false
    try {
      // Not zeros: some file systems keep no room for those.
      writeSynced(this.#path, Buffer.alloc(this.#bytes, "reserve "))
      return true
    } catch {
      this.release()
      return false
    }
  }

  /** Gives its room back; false where there was none. */
  release(): boolean {
    const hadRoom = this.isThere
    rmSync(this.#path, { force: true })
    return hadRoom
  }
}
