/**
 * A store that keeps its face and no more: entries are "on disk" when a test says so. It stands for
 * the real one in tests of the rooms above.
 */
import { Effect } from "effect"
import type { LedgerRow } from "../../../src/custody/ledger/LedgerReader.ts"
import {
  type DeadLetter,
  type JournalPiece,
  type LedgerStore,
  LedgerStoreError
} from "../../../src/custody/ledger/LedgerStore.ts"

interface MemoryStore {
  readonly store: LedgerStore["Service"]
  /** Commits all that was pushed. */
  readonly commit: () => void
  /** How often the writer was woken. */
  readonly wakes: () => number
}

/** `room`: entries that may wait for a commit. */
export const makeMemoryStore = (
  opened: { readonly size: number; readonly head: string },
  room = Infinity
): MemoryStore => {
  const rows: Array<LedgerRow> = []
  const pieces = new Map<number, JournalPiece>()
  const letters = new Map<string, DeadLetter>()
  const waiting = new Set<() => void>()
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  let durableSize = opened.size
  let put = 0
  let durableCount = 0
  let wakes = 0
  const until = (holds: () => boolean) =>
    Effect.callback<void, LedgerStoreError>((resume) => {
      const look = () => {
        if (!holds()) return
        waiting.delete(look)
        resume(Effect.void)
      }
      waiting.add(look)
      look()
      return Effect.sync(() => waiting.delete(look))
    })
  return {
    commit: () => {
      durableSize = opened.size + rows.length
      durableCount = put
      for (const look of waiting) look()
    },
    wakes: () => wakes,
    store: {
      opened,
      pushUnsafe: (sequence, text, endsPiece) => {
        const next = opened.size + rows.length
        if (sequence !== next) throw new Error(`pushed ${sequence} in place of ${next}`)
        if (next - durableSize >= room) return false
        rows.push({ sequence, body: utf8.decode(text) })
        if (endsPiece !== undefined) pieces.delete(endsPiece)
        return true
      },
      wakeUnsafe: () => {
        wakes += 1
      },
      durableSize: () => durableSize,
      durable: (sequence) => until(() => durableSize > sequence),
      checkpoint: Effect.fail(new LedgerStoreError({ reason: "io", message: "this store has no key" })),
      rows: (from, limit) =>
        Effect.sync(() => rows.filter(({ sequence }) => sequence >= from && sequence < durableSize).slice(0, limit)),
      cipher: null,
      journal: {
        putUnsafe: (piece) => {
          pieces.set(piece.key, { ...piece, content: piece.content.slice() })
          put += 1
          return true
        },
        amendUnsafe: (key, facts) => {
          const piece = pieces.get(key)
          if (piece !== undefined) pieces.set(key, { ...piece, facts })
          return true
        },
        removeUnsafe: (key) => pieces.delete(key) || true,
        durableCount: () => durableCount,
        durable: (count) => until(() => durableCount >= count),
        pieces: (after, limit) =>
          Effect.sync(() =>
            [...pieces.values()].filter(({ key }) => key > after).toSorted((a, b) => a.key - b.key).slice(0, limit)
          )
      },
      deadLetters: {
        put: (letter) => Effect.sync(() => void letters.set(letter.name, letter)),
        list: (after, limit) =>
          Effect.sync(() =>
            [...letters.values()].filter(({ name }) => name > after).toSorted((a, b) => a.name < b.name ? -1 : 1)
              .slice(0, limit)
          ),
        remove: (name) => Effect.sync(() => void letters.delete(name))
      }
    }
  }
}
