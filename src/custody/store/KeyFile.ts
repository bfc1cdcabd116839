/**
 * A file of keys on the disk: read and written in place, by its owner alone (mode 0600).
 *
 * **Gotchas**
 *
 * - Whoever opens it owns it: nothing here keeps a second one out. The lock of the directory does.
 */
import { closeSync, constants, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs"
import { dirname } from "node:path"
import type { StableFile } from "../encryption/StableFile.ts"
import { syncDirectory } from "./DurableFile.ts"

/** A file that has to be closed. */
export interface KeyFile extends StableFile {
  readonly close: () => void
}

/** A link that somebody put there is not followed. Windows has no such flag. */
const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0)

/** Opens a file, and makes an empty one where there is none: its name is then on the disk. */
export const openKeyFile = (path: string): KeyFile => {
  const file = openSync(path, flags, 0o600)
  syncDirectory(dirname(path))
  return over(file)
}

/** Opens a file that is there, beside its owner. Writing throws what the system says. */
export const openKeyFileToRead = (path: string): KeyFile => over(openSync(path, "r"))

const over = (file: number): KeyFile => ({
  size: () => fstatSync(file).size,
  read: (at, length) => {
    const bytes = new Uint8Array(length)
    let end = 0
    for (let read = 1; read > 0 && end < length; end += read)
      read = readSync(file, bytes, end, length - end, at + end)
    return bytes.subarray(0, end)
  },
  write: (at, bytes) => {
    for (let from = 0; from < bytes.length;) from += writeSync(file, bytes, from, bytes.length - from, at + from)
  },
  sync: () => fsyncSync(file),
  close: () => closeSync(file)
})
