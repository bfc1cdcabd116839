import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { GrowingList } from "../../src/testing/GrowingList.ts"

describe("GrowingList", () => {
  it("shows copies of its items, oldest first", () => {
    const list = new GrowingList<number>()
    const before = list.items
    list.append(2)
    list.append(1)
    assert.deepStrictEqual([before, list.items], [[], [2, 1]])
  })

  it.effect("reaches waits for exactly so many items, and not at all if they are there", () =>
    Effect.gen(function*() {
      const list = new GrowingList<string>()
      yield* list.reaches(0)
      const one = yield* Effect.forkChild(list.reaches(1), { startImmediately: true })
      const two = yield* Effect.forkChild(list.reaches(2), { startImmediately: true })
      list.append("a")
      yield* Fiber.join(one)
      assert.isUndefined(two.pollUnsafe())
      list.append("b")
      yield* Fiber.join(two)
      yield* list.reaches(2)
    }))
})
