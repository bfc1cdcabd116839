/**
 * What every store promises on the caller's thread: one suite for the store of the tests and for
 * the real one.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, type Scope } from "effect"
import { genesis } from "../../../src/custody/ledger/Entry.ts"
import type { LedgerStore, LedgerStoreError } from "../../../src/custody/ledger/LedgerStore.ts"

const utf8 = new TextEncoder()
const bodyOf = (sequence: number): string => `{"sequence":${sequence},"text":"é😀"}`
const piece = (key: number) => ({ key, facts: `{"key":${key}}`, content: utf8.encode(`content ${key}`) })

/** `open` gives a store without entries. */
export const storeContract = (
  name: string,
  open: Effect.Effect<LedgerStore["Service"], LedgerStoreError, Scope.Scope>
): void => {
  describe(name, () => {
    it.effect("SYS L1 begins without entries, and gives back those that were pushed, in order", () =>
      Effect.gen(function*() {
        const store = yield* open
        assert.deepStrictEqual(store.opened, { size: 0, head: genesis })
        assert.strictEqual(store.durableSize(), 0)
        const buffer = new Uint8Array(256)
        for (let sequence = 0; sequence < 300; sequence++) {
          const { written } = utf8.encodeInto(bodyOf(sequence), buffer)
          assert.isTrue(store.pushUnsafe(sequence, buffer.subarray(0, written)))
          buffer.fill(0)
        }
        store.wakeUnsafe()
        yield* store.durable(299)
        assert.strictEqual(store.durableSize(), 300)
        const all = Array.from({ length: 300 }, (_, sequence) => ({ sequence, body: bodyOf(sequence) }))
        assert.deepStrictEqual(yield* store.rows(0, 1_000), all)
        assert.deepStrictEqual(yield* store.rows(17, 3), all.slice(17, 20))
        assert.deepStrictEqual(yield* store.rows(300, 3), [])
      }))

    it.effect("SYS L1 who waits for an entry waits until it is on disk, and may be interrupted", () =>
      Effect.gen(function*() {
        const store = yield* open
        const waits = yield* Effect.forkChild(store.durable(0), { startImmediately: true })
        const leaves = yield* Effect.forkChild(store.durable(0), { startImmediately: true })
        yield* Fiber.interrupt(leaves)
        assert.isUndefined(waits.pollUnsafe())
        assert.isTrue(store.pushUnsafe(0, utf8.encode(bodyOf(0))))
        store.wakeUnsafe()
        yield* Fiber.join(waits)
        assert.strictEqual(store.durableSize(), 1)
      }))

    it.effect("SYS L1 a piece stays in the journal until an entry ends it, or it is taken out", () =>
      Effect.gen(function*() {
        const { durable, journal, pushUnsafe, wakeUnsafe } = yield* open
        for (const key of [5, 7, 9, 11]) assert.isTrue(journal.putUnsafe(piece(key)))
        wakeUnsafe()
        yield* journal.durable(4)
        assert.strictEqual(journal.durableCount(), 4)
        assert.deepStrictEqual(yield* journal.pieces(5, 2), [piece(7), piece(9)])
        assert.isTrue(journal.removeUnsafe(9))
        assert.isTrue(pushUnsafe(0, utf8.encode(bodyOf(0)), 7))
        wakeUnsafe()
        yield* durable(0)
        assert.deepStrictEqual(yield* journal.pieces(0, 10), [piece(5), piece(11)])
      }))

    it.effect("SYS L1 dead letters are kept by name, the newest of a name", () =>
      Effect.gen(function*() {
        const { deadLetters } = yield* open
        const letter = (name: string, reason: string) => ({
          name,
          endpoint: "file:./evidence",
          reason,
          time: 1_760_000_000_000,
          envelope: utf8.encode(`${name} ${reason}`)
        })
        for (const [name, reason] of [["b", "full"], ["a", "full"], ["c", "full"], ["b", "gone"]] as const)
          yield* deadLetters.put(letter(name, reason))
        yield* deadLetters.remove("c")
        yield* deadLetters.remove("never there")
        assert.deepStrictEqual(yield* deadLetters.list("", 10), [letter("a", "full"), letter("b", "gone")])
        assert.deepStrictEqual(yield* deadLetters.list("a", 10), [letter("b", "gone")])
        assert.deepStrictEqual(yield* deadLetters.list("", 1), [letter("a", "full")])
      }))
  })
}
