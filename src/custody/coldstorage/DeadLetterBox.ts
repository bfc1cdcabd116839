/**
 * The envelopes that were not written, kept to be sent again (CONFORMANCE C2): in the ledger's
 * database where there is one, else in memory, where they end with the process.
 *
 * Bounded in envelopes and in their bytes. A letter past the bounds, or that the database did not
 * take, is gone, and counted.
 *
 * Cost: a letter is one commit of the database. Opening reads all letters that are kept once, to
 * count them; in memory, a page of a list looks at the names of all.
 *
 * **Gotchas**
 *
 * - Letters in memory are envelopes: under `stored` they hold the evidence itself.
 * - A letter that is larger than the store's ring is not kept either, and counted.
 * - Evidence that was refused, or that could not be compressed, has no envelope and is not kept.
 */
import * as Effect from "effect/Effect"
import type { ColdStorageConfig } from "../../config/TracehoundConfig.ts"
import type { DeadLetter, LedgerStore, LedgerStoreError } from "../ledger/LedgerStore.ts"

/** Where letters lie. */
export type Letters = LedgerStore["Service"]["deadLetters"]

/** Letters in memory, by the contract of a ledger's store. */
export const memoryLetters = (): Letters => {
  const letters = new Map<string, DeadLetter>()
  return {
    put: (letter) =>
      Effect.sync(() => {
        letters.set(letter.name, { ...letter, envelope: letter.envelope.slice() })
      }),
    list: (after, limit) =>
      Effect.sync(() => {
        const names = [...letters.keys()].filter((name) => name > after).toSorted()
        return names.slice(0, limit).flatMap((name) => {
          const letter = letters.get(name)
          return letter === undefined ? [] : [letter]
        })
      }),
    remove: (name) => Effect.sync(() => void letters.delete(name))
  }
}

/** What is kept, and what became of letters so far. */
export interface KeptStats {
  /** Letters that are kept now, and the bytes of their envelopes. */
  readonly kept: number
  readonly keptBytes: number
  /** Letters that were not kept: for lack of room, or as the database did not take them. */
  readonly unkept: number
  /** Letters that the endpoint took in the end. */
  readonly resent: number
}

/** Letters that are read at once: 16 of the largest are 16 MB. */
const pageSize = 16

/** The letters of one cold storage, and their counts. */
export class DeadLetterBox {
  readonly #letters: Letters
  readonly #limits: Pick<ColdStorageConfig, "maxKeptBytes" | "maxKeptCount">
  #kept = 0
  #keptBytes = 0
  #unkept = 0
  #resent = 0

  constructor(letters: Letters, limits: Pick<ColdStorageConfig, "maxKeptBytes" | "maxKeptCount">) {
    this.#letters = letters
    this.#limits = limits
  }

  stats(): KeptStats {
    return { kept: this.#kept, keptBytes: this.#keptBytes, unkept: this.#unkept, resent: this.#resent }
  }

  /** Counts what lies there from before. */
  readonly open: Effect.Effect<void, LedgerStoreError> = Effect.suspend(() =>
    this.forEach(({ envelope }) =>
      Effect.sync(() => {
        this.#kept += 1
        this.#keptBytes += envelope.length
        return true
      })
    )
  )

  /** Keeps a letter whose name is new, or counts that it was not kept. */
  keep(letter: DeadLetter): Effect.Effect<void> {
    return Effect.suspend(() => {
      const size = letter.envelope.length
      const { maxKeptBytes, maxKeptCount } = this.#limits
      if (this.#kept >= maxKeptCount || this.#keptBytes + size > maxKeptBytes) {
        this.#unkept += 1
        return Effect.void
      }
      this.#kept += 1
      this.#keptBytes += size
      return this.#letters.put(letter).pipe(Effect.catch(() =>
        Effect.sync(() => {
          this.#kept -= 1
          this.#keptBytes -= size
          this.#unkept += 1
        })
      ))
    })
  }

  /** The endpoint has it: takes it out. */
  removeSent({ envelope, name }: DeadLetter): Effect.Effect<void, LedgerStoreError> {
    return Effect.map(this.#letters.remove(name), () => {
      this.#kept -= 1
      this.#keptBytes -= envelope.length
      this.#resent += 1
    })
  }

  /** Visits each letter, by name, a page at a time, until `visit` answers false. */
  forEach<E>(visit: (letter: DeadLetter) => Effect.Effect<boolean, E>): Effect.Effect<void, E | LedgerStoreError> {
    return Effect.gen({ self: this }, function*() {
      let after = ""
      for (;;) {
        const page = yield* this.#letters.list(after, pageSize)
        for (const letter of page) {
          if (!(yield* visit(letter))) return
          after = letter.name
        }
        if (page.length < pageSize) return
      }
    })
  }
}
