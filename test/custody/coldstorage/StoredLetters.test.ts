/** Dead letters in a ledger's database on disk: the contract of those in memory, and more. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { DeadLetterBox } from "../../../src/custody/coldstorage/DeadLetterBox.ts"
import { openIn, temporaryDirectory } from "../store/stores.ts"
import { letter, lettersContract } from "./lettersContract.ts"

const limits = { maxKeptCount: 100, maxKeptBytes: 10_000_000 }

lettersContract(
  "in a ledger's database",
  Effect.gen(function*() {
    const { deadLetters } = yield* Effect.orDie(openIn(yield* temporaryDirectory))
    return deadLetters
  })
)

describe("a database that is closed and opened again", () => {
  it.effect("RFC C2 has the dead letters, the largest among them", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const letters = [...Array.from({ length: 20 }, (_, i) => letter(`name-${i}`)), letter("large", 1_100_000)]
      yield* Effect.scoped(Effect.gen(function*() {
        const { deadLetters } = yield* openIn(directory, { ringBytes: 2 ** 22 })
        const box = new DeadLetterBox(deadLetters, limits)
        for (const each of letters) yield* box.keep(each)
        // One that does not fit into the store's ring is not kept, and that is counted.
        yield* box.keep(letter("larger", 2 ** 22))
        assert.deepStrictEqual(box.stats(), { kept: 21, keptBytes: 1_100_200, unkept: 1, resent: 0 })
      }))
      const { deadLetters } = yield* openIn(directory)
      const box = new DeadLetterBox(deadLetters, limits)
      yield* box.open
      assert.deepStrictEqual(box.stats(), { kept: 21, keptBytes: 1_100_200, unkept: 0, resent: 0 })
      const found: Array<unknown> = []
      yield* box.forEach((each) => Effect.sync(() => found.push(each) > 0))
      assert.deepStrictEqual(found, letters.toSorted((a, b) => a.name < b.name ? -1 : 1))
    }))
})
