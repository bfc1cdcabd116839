/**
 * How a store is opened, and which files a directory has.
 */
import { join } from "node:path"
import type { KeyProvider } from "../encryption/KeyProvider.ts"
import type { SignerKey } from "./CheckpointNote.ts"
import { type WriterLimits, writerLimits } from "./GroupWriter.ts"
import type { EvidenceWindow } from "./Outbox.ts"
import type { StorePaths, WriterReport } from "./WriterMessages.ts"
import { type StartThread, startThread } from "./WriterThread.ts"

/** What an operator should hear of. None of it costs an entry; `pieceLost` costs one piece. */
export type StoreTrouble =
  | Extract<WriterReport, { readonly kind: "failed" | "recovered" | "reserveUsed" | "checkpointFile" | "pieceLost" }>
  /** The writer's thread died; another one goes on. */
  | { readonly kind: "writerLost"; readonly message: string }

export interface StoreOptions {
  /** Made with mode 0700 where it is not there. */
  readonly directory: string
  /** Copied before `open` returns: the caller may wipe the seed then. */
  readonly signer: SignerKey
  /**
   * Seals evidence in the journal, and gives the store a cipher. Evidence is not sealed without.
   */
  readonly keys?: KeyProvider["Service"]
  /** Called when it happens. It must not throw. */
  readonly onTrouble?: (trouble: StoreTrouble) => void
  readonly limits?: Partial<WriterLimits>
  /** Bytes of shared memory: a power of two; 32 MiB when left out. */
  readonly ringBytes?: number
  /** 16 MiB and 4,096 pieces when left out. */
  readonly window?: EvidenceWindow
  /** Bytes of disk that are kept for when it is full, none with 0; 4 MiB when left out. */
  readonly reserveBytes?: number
  /** The longest wait of closing for the disk, in ms; 10,000 when left out. */
  readonly closeMs?: number
  readonly startThread?: StartThread
}

/** All of them. */
export const withDefaults = (options: StoreOptions) => ({
  onTrouble: () => {},
  ringBytes: 32 * 2 ** 20,
  window: { bytes: 16 * 2 ** 20, pieces: 4_096 },
  reserveBytes: 4 * 2 ** 20,
  closeMs: 10_000,
  startThread,
  ...options,
  limits: { ...writerLimits, ...options.limits }
})

/** The files of a directory. */
export const pathsOf = (directory: string): StorePaths => ({
  database: join(directory, "ledger.db"),
  checkpoint: join(directory, "ledger.checkpoint"),
  reserve: join(directory, "ledger.reserve"),
  keys: join(directory, "keys")
})
