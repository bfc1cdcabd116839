/**
 * Where entries are kept on disk: what the rooms above know of it.
 *
 * The store is the one part of custody that knows files and threads; it is another room, and this
 * is its face on the caller's thread. Who appends makes an entry's text and hash, and hands the
 * text over without waiting; the store commits entries in groups and says how far it is. The layer
 * that opens a store closes it with its scope: what was pushed by then is committed first.
 *
 * **Gotchas**
 *
 * - `pushUnsafe` wakes nobody. Call `wakeUnsafe` once a turn, after the last push.
 * - Who waits is told when a try fails, `full` or `io`: it is tried again, and who waits anew is
 *   told of the next try. After `damaged` and `closed` pushes are refused, and nothing is tried
 *   again.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { EvidenceCipher } from "../encryption/EvidenceCipher.ts"
import type { LedgerReader } from "./LedgerReader.ts"

/**
 * The store cannot say that something is on disk. `full`, the disk has no room; `io`, it refused to
 * write, sync or read; `damaged`, what is stored is not what was written; `closed`, the store was
 * closed before.
 */
export class LedgerStoreError extends Schema.TaggedError<LedgerStoreError>()("LedgerStoreError", {
  reason: Schema.Literals(["full", "io", "damaged", "closed"]),
  message: Schema.String
}) {}

/** A checkpoint as it was signed: the number of entries it stands for, and the note. */
export interface StoredCheckpoint {
  readonly size: number
  /** A signed note of C2SP. */
  readonly note: string
}

/** A piece of evidence in the journal. */
export interface JournalPiece {
  /** The piece's name in the journal: a whole number that no other piece has, and none had. */
  readonly key: number
  /** What custody has to know in order to hold the piece again: JSON. */
  readonly facts: string
  /** Read during the call. */
  readonly content: Uint8Array
}

/** A letter to cold storage that could not be sent. */
export interface DeadLetter {
  /** The name of the envelope at the endpoint. */
  readonly name: string
  readonly endpoint: string
  /** Why it was given up, in words. */
  readonly reason: string
  /** When: milliseconds since the epoch. */
  readonly time: number
  /** The sealed envelope. */
  readonly envelope: Uint8Array
}

export class LedgerStore extends Context.Service<LedgerStore, {
  /** The entries that the store had when it was opened: their number, and the last one's hash. */
  readonly opened: { readonly size: number; readonly head: string }
  /**
   * Hands an entry over: its UTF-8 bytes are read during the call. `sequence` is one more than that
   * of the call before, `opened.size` in the first. `endsPiece` names a piece in the journal that
   * this entry ends: both are in one commit. False where there is no room, and then nothing was
   * taken: the same sequence is to come again. About a microsecond; allocates nothing.
   */
  readonly pushUnsafe: (sequence: number, text: Uint8Array, endsPiece?: number) => boolean
  /** Wakes the writer, where it sleeps. 15 µs if it does, nothing if it does not. */
  readonly wakeUnsafe: () => void
  /** The number of entries on disk: those with a smaller sequence survive a loss of power. */
  readonly durableSize: () => number
  /** Waits until the entry is on disk. */
  readonly durable: (sequence: number) => Effect.Effect<void, LedgerStoreError>
  /** Signs what there is, and waits until the checkpoint and all before it is on disk. */
  readonly checkpoint: Effect.Effect<StoredCheckpoint, LedgerStoreError>
  /** Entries on disk. */
  readonly rows: LedgerReader<LedgerStoreError>["rows"]
  /** Evidence in custody, in the database of its entries. */
  readonly journal: {
    /** As `pushUnsafe`. */
    readonly putUnsafe: (piece: JournalPiece) => boolean
    /** Puts other facts in place of those of a piece. As `pushUnsafe`. */
    readonly amendUnsafe: (key: number, facts: string) => boolean
    /** Takes a piece out that no entry ends. As `pushUnsafe`. */
    readonly removeUnsafe: (key: number) => boolean
    /** How many of the pieces put so far are on disk: pieces reach it in the order of the calls. */
    readonly durableCount: () => number
    /** Waits until so many of the pieces put so far are on disk. */
    readonly durable: (count: number) => Effect.Effect<void, LedgerStoreError>
    /** The pieces on disk with a larger key, at most `limit` of them, by key. */
    readonly pieces: (after: number, limit: number) => Effect.Effect<ReadonlyArray<JournalPiece>, LedgerStoreError>
  }
  /**
   * Seals what is kept outside of the journal, and destroys keys; null where evidence is not
   * sealed. The journal is sealed and opened by the store itself.
   */
  readonly cipher: EvidenceCipher["Service"] | null
  /** What cold storage did not take. Each effect ends when the change is on disk. */
  readonly deadLetters: {
    /** Puts a letter in place of one of the same name. */
    readonly put: (letter: DeadLetter) => Effect.Effect<void, LedgerStoreError>
    /** Letters with a larger name, at most `limit` of them, by name. */
    readonly list: (after: string, limit: number) => Effect.Effect<ReadonlyArray<DeadLetter>, LedgerStoreError>
    readonly remove: (name: string) => Effect.Effect<void, LedgerStoreError>
  }
}>()("tracehound/custody/ledger/LedgerStore") {}
