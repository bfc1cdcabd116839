/**
 * How a stored ledger is read, whoever reads it: a verifier, an export, a command. A database, an
 * exported bundle and a list in memory all have this face.
 */
import type * as Effect from "effect/Effect"

/** An entry as it is stored. Nothing is checked. */
export interface LedgerRow {
  readonly sequence: number
  /** The entry's text. */
  readonly body: string
}

/** A signed checkpoint as it is stored. Nothing is checked. */
export interface CheckpointRow {
  readonly size: number
  /** A signed note of C2SP. */
  readonly note: string
}

/**
 * Reads entries and checkpoints in order. `E` is how reading fails; what is stored wrongly is no
 * failure of the reader, but the verifier's finding.
 */
export interface LedgerReader<E = never> {
  /** Rows from a sequence on, at most `limit` of them, by sequence as it is stored. */
  readonly rows: (from: number, limit: number) => Effect.Effect<ReadonlyArray<LedgerRow>, E>
  /** Checkpoints of a larger size, at most `limit` of them, by size as it is stored. */
  readonly checkpoints: (after: number, limit: number) => Effect.Effect<ReadonlyArray<CheckpointRow>, E>
}
