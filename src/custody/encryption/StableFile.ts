/**
 * A file that is read and written in place: what a file of keys asks of its host.
 *
 * **Gotchas**
 *
 * - What is overwritten has to be gone. A file system that copies on write, a snapshot, a backup
 *   and a flash disk's spare blocks keep what was there before (SECURITY.md).
 * - A sector of 512 bytes that starts at a multiple of 512 is taken to be written whole or not at
 *   all, as SQLite takes it.
 */

/** The unit that a loss of power leaves whole. */
export const sectorBytes = 512

/** Methods throw what the host throws. */
export interface StableFile {
  /** Bytes in the file. */
  readonly size: () => number
  /** Bytes from a place on: as many as asked for, less at the end of the file. */
  readonly read: (at: number, length: number) => Uint8Array
  /** Writes in place; past the end the file grows. All bytes or an exception. */
  readonly write: (at: number, bytes: Uint8Array) => void
  /** Returns when all that was written is on the disk. */
  readonly sync: () => void
}
