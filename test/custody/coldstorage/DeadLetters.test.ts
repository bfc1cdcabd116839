/** Dead letters from their loss to their arrival, over a store that outlives cold storage. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { type Letters, memoryLetters } from "../../../src/custody/coldstorage/DeadLetterBox.ts"
import { LedgerStore, LedgerStoreError } from "../../../src/custody/ledger/LedgerStore.ts"
import { delivery, openStore } from "./stores.ts"

/** Cold storage whose dead letters lie there. Nothing else of a store is used. */
const openOver = (letters: Letters, over: object = {}) =>
  Effect.provideService(
    openStore({ retries: 0, ...over }),
    LedgerStore,
    { deadLetters: letters } as LedgerStore["Service"]
  )

describe("dead letters", () => {
  it.effect("RFC C2 outlive cold storage in the ledger's store, and are sent again by the next", () =>
    Effect.gen(function*() {
      const letters = memoryLetters()
      const first = yield* openOver(letters)
      yield* first.cold.start
      first.faults.push("fails", "fails", "fails")
      for (const id of ["a", "b", "c", "d"]) first.cold.tellUnsafe(delivery(id))
      yield* first.cold.settled
      assert.deepStrictEqual([first.attempts.length, first.cold.stats().deadLetters, first.cold.kept().kept], [3, 4, 4])
      yield* first.close

      const second = yield* openOver(letters)
      assert.strictEqual(second.cold.kept().kept, 0)
      yield* second.cold.start
      const { kept, keptBytes } = second.cold.kept()
      assert.strictEqual(kept, 4)
      assert.isAbove(keptBytes, 400)
      second.cold.tellUnsafe(delivery("e"))
      yield* second.cold.settled
      assert.strictEqual((yield* second.cold.retry()).sent, 4)
      assert.sameMembers([...second.stored.keys()], ["a", "b", "c", "d", "e"])
      assert.deepStrictEqual(second.cold.kept(), { kept: 0, keptBytes: 0, unkept: 0, resent: 4 })
      assert.deepStrictEqual(yield* letters.list("", 9), [])
      yield* second.close
    }))

  it.effect("RFC C2 are what they were: an envelope that is sent again is the one that was lost", () =>
    Effect.gen(function*() {
      const { close, cold, faults, stored } = yield* openStore({ retries: 0 })
      yield* cold.start
      cold.tellUnsafe(delivery("sent", 300))
      yield* cold.settled
      faults.push("fails")
      cold.tellUnsafe(delivery("lost", 300))
      yield* cold.settled
      yield* cold.retry()
      assert.deepStrictEqual(stored.get("lost"), stored.get("sent"))
      yield* close
    }))

  it.effect("RFC C2 of a store that cannot be read keep cold storage from starting, and say so", () =>
    Effect.gen(function*() {
      const broken = new LedgerStoreError({ reason: "io", message: "the disk does not answer" })
      const { close, cold } = yield* openOver({ ...memoryLetters(), list: () => Effect.fail(broken) })
      const error = yield* Effect.flip(cold.start)
      assert.strictEqual(error.reason, "open")
      assert.include(error.message, "dead letters: the disk does not answer")
      assert.deepStrictEqual(yield* Effect.flip(cold.retry()), broken)
      yield* close
    }))

  it.effect("RFC C2 of a flood into an endpoint that is down stay within their bound, each counted", () =>
    Effect.gen(function*() {
      const { close, cold, faults } = yield* openOver(memoryLetters(), { maxKeptCount: 10 })
      yield* cold.start
      faults.push(...Array.from({ length: 3 }, () => "fails" as const))
      for (let n = 0; n < 500; n++) cold.tellUnsafe(delivery(`id-${n}`))
      yield* TestClock.adjust(1)
      yield* cold.settled
      assert.deepStrictEqual([cold.kept().kept, cold.kept().unkept, cold.stats().deadLetters], [10, 490, 500])
      yield* close
    }))
})
