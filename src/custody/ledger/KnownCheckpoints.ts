/**
 * The checkpoints that a ledger is verified against, in the order of their sizes: those that are
 * stored beside its entries, and those that the verifier has from elsewhere (spec/ledger.md,
 * "Verifying a ledger").
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Ed25519, Ed25519Error } from "../../host/port/Ed25519.ts"
import { parseCheckpoint, type TreeHead } from "./CheckpointText.ts"
import type { CheckpointRow, LedgerReader } from "./LedgerReader.ts"
import { NoteError, openNote } from "./Note.ts"
import type { VerifierKey } from "./NoteKeys.ts"

/** Why a note is no checkpoint of the ledger. */
export interface CheckpointFault {
  /** `wrong_key`: no known key of the ledger signed it. `checkpoint`: it was changed. */
  readonly fault: "wrong_key" | "checkpoint"
  readonly message: string
}

const faulty = (fault: CheckpointFault["fault"], message: string) => Result.fail<CheckpointFault>({ fault, message })

/**
 * Opens a checkpoint. One of the keys that signed it has to be the ledger's: an Ed25519 key under
 * the checkpoint's origin. Witnesses alone do not do.
 */
export const openCheckpoint = (
  note: string,
  keys: ReadonlyArray<VerifierKey>
): Effect.Effect<Result.Result<TreeHead, CheckpointFault>, Ed25519Error, Ed25519> =>
  openNote(note, keys).pipe(
    Effect.map(({ signatures, text }) => {
      const head = parseCheckpoint(text)
      if (head === null) return faulty("checkpoint", "a note that is signed is no checkpoint")
      return signatures.some(({ key: { name, type } }) => type === "ed25519" && name === head.origin)
        ? Result.succeed(head)
        : faulty("wrong_key", `no known key of ${head.origin} signed its checkpoint of ${head.size} entries`)
    }),
    Effect.catchIf(
      (error) => error instanceof NoteError,
      ({ message, reason }) => Effect.succeed(faulty(reason === "unsigned" ? "wrong_key" : "checkpoint", message))
    )
  )

/** Stored checkpoints that are read at a time. */
const page = 64

/** A checkpoint that was opened, or why it was not, at the size at which it says it stands. */
export interface Opened {
  readonly size: number
  readonly result: Result.Result<TreeHead, CheckpointFault>
}

/**
 * Gives one checkpoint after the other, by size. Reads 64 at a time and opens each when it is asked
 * for: about 0.1 ms.
 */
export class KnownCheckpoints<E> {
  private readonly reader: LedgerReader<E>
  private readonly keys: ReadonlyArray<VerifierKey>
  /** Those from elsewhere that are still to come. */
  private readonly elsewhere: Array<Opened>
  private stored: ReadonlyArray<CheckpointRow> = []
  private at = 0
  private readTo = -1
  private hasMore = true

  constructor(reader: LedgerReader<E>, keys: ReadonlyArray<VerifierKey>, elsewhere: ReadonlyArray<Opened>) {
    this.reader = reader
    this.keys = keys
    this.elsewhere = elsewhere.toSorted((a, b) => a.size - b.size)
  }

  /** The next checkpoint, or null when there is none. */
  next(): Effect.Effect<Opened | null, E | Ed25519Error, Ed25519> {
    return Effect.gen({ self: this }, function*() {
      if (this.at === this.stored.length && this.hasMore) {
        this.stored = yield* this.reader.checkpoints(this.readTo, page)
        this.at = 0
        this.hasMore = this.stored.length > 0
      }
      const row = this.stored[this.at]
      const [first] = this.elsewhere
      if (first !== undefined && (row === undefined || first.size <= row.size)) {
        this.elsewhere.shift()
        return first
      }
      if (row === undefined) return null
      this.at += 1
      // A reader whose sizes do not grow has to end too.
      if (row.size <= this.readTo) this.hasMore = false
      this.readTo = Math.max(this.readTo, row.size)
      const result = yield* openCheckpoint(row.note, this.keys)
      if (Result.isFailure(result) || result.success.size === row.size) return { size: row.size, result }
      const message = `the checkpoint at ${row.size} is one of ${result.success.size} entries`
      return { size: row.size, result: faulty("checkpoint", message) }
    })
  }
}
