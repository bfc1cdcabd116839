/**
 * What the writer's thread is started with, and what it says. Entries and evidence go by the ring.
 */
import type { SignerKey } from "./CheckpointNote.ts"
import type { WriterLimits } from "./GroupWriter.ts"
import type { KeyAnswer } from "./KeyMessages.ts"
import type { Refusal, StoreOpenError } from "./StoreErrors.ts"

/** The files of a directory, by their full paths. */
export interface StorePaths {
  readonly database: string
  /** The newest checkpoint's note. */
  readonly checkpoint: string
  readonly reserve: string
  /** The directory of the files of keys. */
  readonly keys: string
}

export interface WriterOrders {
  readonly shared: SharedArrayBuffer
  readonly paths: StorePaths
  readonly limits: WriterLimits
  /** Bytes of disk that are kept for when it is full. */
  readonly reserveBytes: number
  /** Whether no other writer had this ring before. */
  readonly isFirst: boolean
  readonly signer: SignerKey
  /** Memory with the master secrets; null where evidence is not sealed. */
  readonly secrets: SharedArrayBuffer | null
}

export type WriterReport =
  /** The database is open: so many entries, and the last one's hash. */
  | { readonly kind: "ready"; readonly size: number; readonly head: string }
  /** It could not be opened, and the thread ends. */
  | { readonly kind: "refused"; readonly reason: StoreOpenError["reason"]; readonly message: string }
  /** A group did not reach the disk. It is tried again, unless what is stored is damaged. */
  | { readonly kind: "failed"; readonly reason: Exclude<Refusal, "busy">; readonly message: string }
  /** The first group after failures did. */
  | { readonly kind: "recovered" }
  /** The disk is full: the reserve was given up, and writing goes on in its room. */
  | { readonly kind: "reserveUsed" }
  /** A checkpoint is on disk, in the database and beside it. */
  | {
    readonly kind: "checkpoint"
    readonly size: number
    readonly note: string
    readonly requests: ReadonlyArray<number>
  }
  /** A piece of the journal that its key does not open, or for which there was none. */
  | { readonly kind: "pieceLost"; readonly key: number; readonly message: string }
  /** To an order that was sent by a frame. */
  | { readonly kind: "keys"; readonly request: number; readonly answer: KeyAnswer }
  /** The file beside the database could not be replaced; the database has the checkpoint. */
  | { readonly kind: "checkpointFile"; readonly message: string; readonly requests: ReadonlyArray<number> }
