/**
 * The ledger as a service: rooms append entries of their own kinds, and wait until one is on disk
 * where they must (CONFORMANCE SYS L9).
 *
 * Appending is synchronous and bounded: text and hash are made on the caller's turn, and where
 * there is a store, the text is handed to it without waiting. Under `layerMemory` the newest
 * entries are kept and nothing is ever durable; under `layerStored` a `LedgerStore` keeps all of
 * them.
 *
 * **Gotchas**
 *
 * - An entry that was appended is in the chain, whether it reaches the disk or not: the next one
 *   names it. Wait for `durable` before you tell anybody that it is recorded.
 * - What an entry says can never be taken back. Put no secret and nobody's content into one: name
 *   content by its hash.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { hexOf } from "../../domain/Digest.ts"
import { Hash } from "../../host/port/Hash.ts"
import { type Entry, entryText, genesis, maxActorLength, maxEntryBytes } from "./Entry.ts"
import type { Kind } from "./Kind.ts"
import { LeafHasher } from "./LeafHash.ts"
import type { LedgerReader } from "./LedgerReader.ts"
import { LedgerStore, type LedgerStoreError } from "./LedgerStore.ts"
import { hashBytes } from "./Merkle.ts"

/**
 * An entry was not appended: `payload`, its payload does not fit its schema, or holds what JSON
 * cannot say; `actor`, that is no text of 1 to 256 characters; `too_long`, its text has more than
 * 65,535 bytes; `full`, the store has no room now. The ledger is as it was before.
 */
export class AppendError extends Schema.TaggedError<AppendError>()("AppendError", {
  reason: Schema.Literals(["payload", "actor", "too_long", "full"]),
  message: Schema.String
}) {}

/** This ledger is in memory alone: no entry of it will ever be on disk. */
export class NotDurable extends Schema.TaggedError<NotDurable>()("NotDurable", {
  message: Schema.String
}) {}

/** An entry that was appended. */
export interface Appended {
  readonly sequence: number
  /** In lowercase hexadecimal. */
  readonly hash: string
}

export class Ledger extends Context.Service<Ledger, {
  /** Entries ever appended: the sequence of the next one. */
  readonly size: () => number
  /** The hash of the newest entry; 64 zeros where there is none. */
  readonly head: () => string
  /** Appends an entry of a kind, at the time of the clock. About 5 µs. Never throws. */
  readonly appendUnsafe: <P>(kind: Kind<P>, actor: string, payload: P) => Result.Result<Appended, AppendError>
  /** Waits until the entry is on disk. */
  readonly durable: (sequence: number) => Effect.Effect<void, NotDurable | LedgerStoreError>
  /** Entries that are kept: in memory the newest, in a store those on disk. */
  readonly rows: LedgerReader<LedgerStoreError>["rows"]
}>()("tracehound/custody/ledger/Ledger") {
  /** A ledger without a store, which keeps its newest `maxEntries` entries, at least 1. */
  static readonly layerMemory = ({ maxEntries }: { readonly maxEntries: number }): Layer.Layer<Ledger, never, Hash> =>
    Layer.effect(
      Ledger,
      Effect.suspend(() => {
        const kept: Array<string> = []
        const oldest = (size: number): number => Math.max(0, size - maxEntries)
        return make({
          size: 0,
          head: genesis,
          push: (sequence, text) => {
            kept[sequence % maxEntries] = text
            return true
          },
          durable: () => Effect.fail(new NotDurable({ message: "this ledger is in memory alone: it has no store" })),
          rows: (from, limit, size) =>
            Effect.sync(() => {
              const first = Math.max(from, oldest(size))
              const count = Math.max(0, Math.min(limit, size - first))
              return Array.from({ length: count }, (_, at) => ({
                sequence: first + at,
                body: kept[(first + at) % maxEntries] ?? ""
              }))
            })
        })
      })
    )

  /** A ledger whose entries a store keeps: it goes on where the store ends. */
  static readonly layerStored: Layer.Layer<Ledger, never, Hash | LedgerStore> = Layer.effect(
    Ledger,
    Effect.gen(function*() {
      const store = yield* LedgerStore
      const bytes = new Uint8Array(maxEntryBytes)
      let willWake = false
      /** Once a turn, after all that is appended in it. */
      const wakeLater = (): void => {
        if (willWake) return
        willWake = true
        queueMicrotask(() => {
          willWake = false
          store.wakeUnsafe()
        })
      }
      return yield* make({
        size: store.opened.size,
        head: store.opened.head,
        push: (sequence, text) => {
          const { written } = utf8.encodeInto(text, bytes)
          if (!store.pushUnsafe(sequence, bytes.subarray(0, written))) return false
          wakeLater()
          return true
        },
        durable: store.durable,
        rows: store.rows
      })
    })
  )
}

const utf8 = new TextEncoder()

/** What a ledger does with its texts. */
interface Keeping {
  readonly size: number
  readonly head: string
  /** False where the text was not taken. */
  readonly push: (sequence: number, text: string) => boolean
  readonly durable: Ledger["Service"]["durable"]
  readonly rows: (
    from: number,
    limit: number,
    size: number
  ) => ReturnType<Ledger["Service"]["rows"]>
}

const refused = (reason: AppendError["reason"], message: string) => Result.fail(new AppendError({ reason, message }))

const make = Effect.fnUntraced(function*(keeping: Keeping): Effect.fn.Return<Ledger["Service"], never, Hash> {
  const clock = yield* Clock.Clock
  const leaves = new LeafHasher(yield* Hash)
  const leaf = new Uint8Array(hashBytes)
  let size = keeping.size
  let head = keeping.head
  return Ledger.of({
    size: () => size,
    head: () => head,
    appendUnsafe: (kind, actor, payload) => {
      const { action } = kind
      const fields = kind.encode(payload)
      if (fields === null) return refused("payload", `the payload of ${action} does not fit its schema`)
      if (typeof actor !== "string" || actor.length === 0 || actor.length > maxActorLength)
        return refused("actor", `the actor of ${action} is no text of 1 to ${maxActorLength} characters`)
      const time = clock.currentTimeMillisUnsafe()
      const entry = { ...fields, sequence: size, time, actor, action, previous: head } as Entry
      const text = entryText(entry)
      if (Result.isFailure(text)) {
        return text.failure === "too_long"
          ? refused("too_long", `an entry of ${action} has more than ${maxEntryBytes} bytes`)
          : refused("payload", `the payload of ${action} holds what an entry cannot say`)
      }
      if (!keeping.push(size, text.success)) return refused("full", "the store of the ledger has no room now")
      leaves.ofText(text.success, leaf)
      const sequence = size
      size += 1
      head = hexOf(leaf)
      return Result.succeed({ sequence, hash: head })
    },
    durable: keeping.durable,
    rows: (from, limit) => keeping.rows(from, limit, size)
  })
})
