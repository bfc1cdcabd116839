import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { atOnce, inSlices, type Sliced } from "../../src/scheduler/Slices.ts"

/** Work of so many slices, which notes what it does. */
const workOf = (slices: number, noted: Array<string>) =>
  function*(): Sliced<number> {
    try {
      for (let i = 1; i < slices; i++) {
        noted.push(`slice ${i}`)
        yield
      }
      noted.push(`slice ${slices}`)
      return slices
    } finally {
      noted.push("over")
    }
  }

describe("Slices", () => {
  it("runs all slices at once for a caller that waits", () => {
    const noted: Array<string> = []
    assert.strictEqual(atOnce(workOf(3, noted)()), 3)
    assert.deepStrictEqual(noted, ["slice 1", "slice 2", "slice 3", "over"])
  })

  it.effect("RFC A4 gives others a turn between any two slices, and begins anew each time", () =>
    Effect.gen(function*() {
      const noted: Array<string> = []
      const work = inSlices(workOf(3, noted))
      const other = yield* Effect.forkChild(
        Effect.forEach(["a", "b"], (turn) => Effect.andThen(Effect.sync(() => noted.push(turn)), Effect.yieldNow))
      )
      assert.strictEqual(yield* work, 3)
      yield* Fiber.join(other)
      assert.deepStrictEqual(noted, ["slice 1", "a", "slice 2", "b", "slice 3", "over"])
      assert.strictEqual(yield* work, 3)
      assert.lengthOf(noted, 10)
    }))

  it.effect("RFC A4 ends the work where it is interrupted in a pause", () =>
    Effect.gen(function*() {
      const noted: Array<string> = []
      const fiber = yield* Effect.forkChild(inSlices(workOf(1000, noted)), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(noted.at(-1), "over")
      assert.isBelow(noted.length, 5)
    }))

  it.effect("makes a defect of what the work throws", () =>
    Effect.gen(function*() {
      const broken = inSlices(function*(): Sliced<number> {
        yield
        throw new Error("broken")
      })
      assert.strictEqual(String(yield* Effect.flip(Effect.sandbox(broken))).includes("broken"), true)
    }))
})
