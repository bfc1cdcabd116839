/**
 * The contract of what keeps dead letters (`deadLetters` of custody/ledger/LedgerStore.ts): one
 * suite, for memory and for a store on disk.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import type { Letters } from "../../../src/custody/coldstorage/DeadLetterBox.ts"
import type { DeadLetter } from "../../../src/custody/ledger/LedgerStore.ts"
import { noise } from "../../host/port/contract.ts"

export const letter = (name: string, size = 10, endpoint = "file:fake"): DeadLetter => ({
  name,
  endpoint,
  reason: "ENOSPC",
  time: 1_760_000_000_000,
  envelope: noise(size, size)
})

export const lettersContract = (what: string, make: Effect.Effect<Letters, never, Scope.Scope>): void => {
  describe(`dead letters ${what}`, () => {
    it.effect("RFC C2 are listed by name, a page at a time, each as it was put", () =>
      Effect.gen(function*() {
        const { list, put } = yield* make
        const names = Array.from({ length: 20 }, (_, i) => `name-${(i * 7) % 20}`)
        for (const name of names) yield* put(letter(name, 1 + name.length))
        const sorted = names.toSorted()
        assert.deepStrictEqual(yield* list("", 8), sorted.slice(0, 8).map((name) => letter(name, 1 + name.length)))
        const after = sorted[7] ?? ""
        assert.deepStrictEqual((yield* list(after, 8)).map(({ name }) => name), sorted.slice(8, 16))
        assert.deepStrictEqual((yield* list("name-", 1)).map(({ name }) => name), sorted.slice(0, 1))
        assert.deepStrictEqual(yield* list("name-~", 16), [])
        assert.deepStrictEqual(yield* list("", 0), [])
      }))

    it.effect("RFC C2 of the same name take each other's place, and one that is removed is gone", () =>
      Effect.gen(function*() {
        const { list, put, remove } = yield* make
        yield* put(letter("a", 10))
        yield* put(letter("a", 20))
        yield* put(letter("b", 0))
        assert.deepStrictEqual(yield* list("", 9), [letter("a", 20), letter("b", 0)])
        yield* remove("a")
        yield* remove("never there")
        assert.deepStrictEqual(yield* list("", 9), [letter("b", 0)])
      }))

    it.effect("RFC C2 do not keep the memory that they were given in", () =>
      Effect.gen(function*() {
        const { list, put } = yield* make
        const around = noise(100)
        yield* put({ ...letter("a"), envelope: around.subarray(10, 20) })
        around.fill(0)
        const [found] = yield* list("", 1)
        assert.deepStrictEqual(Array.from(found?.envelope ?? []), Array.from(noise(100).subarray(10, 20)))
      }))
  })
}
