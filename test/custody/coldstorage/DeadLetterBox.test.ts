import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { DeadLetterBox, type Letters, memoryLetters } from "../../../src/custody/coldstorage/DeadLetterBox.ts"
import { LedgerStoreError } from "../../../src/custody/ledger/LedgerStore.ts"
import { letter, lettersContract } from "./lettersContract.ts"

lettersContract("in memory", Effect.sync(memoryLetters))

const wide = { maxKeptCount: 1_000, maxKeptBytes: 1_000_000 }

const namesIn = (box: DeadLetterBox) =>
  Effect.gen(function*() {
    const names: Array<string> = []
    yield* box.forEach(({ name }) => Effect.sync(() => names.push(name) > 0))
    return names
  })

describe("DeadLetterBox", () => {
  it.effect("RFC C2 keeps so many letters, and so many bytes, and counts what it did not keep", () =>
    Effect.gen(function*() {
      const few = new DeadLetterBox(memoryLetters(), { ...wide, maxKeptCount: 3 })
      for (const name of ["a", "b", "c", "d", "e"]) yield* few.keep(letter(name, 10))
      assert.deepStrictEqual(few.stats(), { kept: 3, keptBytes: 30, unkept: 2, resent: 0 })
      assert.deepStrictEqual(yield* namesIn(few), ["a", "b", "c"])
      const small = new DeadLetterBox(memoryLetters(), { ...wide, maxKeptBytes: 25 })
      for (const [name, size] of [["a", 10], ["b", 16], ["c", 15], ["d", 1], ["e", 0]] as const)
        yield* small.keep(letter(name, size))
      assert.deepStrictEqual(small.stats(), { kept: 3, keptBytes: 25, unkept: 2, resent: 0 })
      assert.deepStrictEqual(yield* namesIn(small), ["a", "c", "e"])
      // Room that is free again is used again.
      yield* small.removeSent(letter("a", 10))
      yield* small.keep(letter("f", 10))
      assert.deepStrictEqual(small.stats(), { kept: 3, keptBytes: 25, unkept: 2, resent: 1 })
      const none = new DeadLetterBox(memoryLetters(), { ...wide, maxKeptCount: 0 })
      yield* none.keep(letter("a", 0))
      assert.deepStrictEqual(none.stats(), { kept: 0, keptBytes: 0, unkept: 1, resent: 0 })
    }))

  it.effect("RFC C2 counts what lies there from before, over all pages", () =>
    Effect.gen(function*() {
      const letters = memoryLetters()
      const asked: Array<string> = []
      const watched: Letters = {
        ...letters,
        list: (after, limit) => Effect.andThen(Effect.sync(() => asked.push(`${limit}`)), letters.list(after, limit))
      }
      for (let n = 0; n < 100; n++) yield* letters.put(letter(`name-${n}`, 10))
      const box = new DeadLetterBox(watched, { ...wide, maxKeptCount: 101 })
      yield* box.open
      assert.deepStrictEqual(box.stats(), { kept: 100, keptBytes: 1_000, unkept: 0, resent: 0 })
      assert.deepStrictEqual(asked, Array.from({ length: 7 }, () => "16"))
      yield* box.keep(letter("x"))
      yield* box.keep(letter("y"))
      assert.deepStrictEqual([box.stats().kept, box.stats().unkept], [101, 1])
    }))

  it.effect("RFC C2 a letter that the database does not take is not kept, and not silently", () =>
    Effect.gen(function*() {
      const full = new LedgerStoreError({ reason: "full", message: "no room" })
      const box = new DeadLetterBox({ ...memoryLetters(), put: () => Effect.fail(full) }, wide)
      yield* box.keep(letter("a"))
      assert.deepStrictEqual(box.stats(), { kept: 0, keptBytes: 0, unkept: 1, resent: 0 })
    }))
})
