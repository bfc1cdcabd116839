import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makePanicWindow, type PanicVerdict } from "../../../src/safety/failsafe/PanicWindow.ts"
import { heapAfterCollection } from "../../support/garbage.ts"

/** The verdicts of errors at these times. */
const verdicts = (
  threshold: { readonly min: number; readonly max: number; readonly window: number },
  times: ReadonlyArray<number>
): ReadonlyArray<PanicVerdict> => {
  const { count } = makePanicWindow(threshold)
  return times.map(count)
}

describe("PanicWindow", () => {
  it("RFC F2 the RFC's bounds: the third asks, the tenth panics, and none between", () => {
    const times = Array.from({ length: 11 }, (_, n) => n)
    assert.deepStrictEqual(verdicts({ min: 3, max: 10, window: 60_000 }, times), [
      "counted",
      "counted",
      "ask",
      ...Array.from({ length: 6 }, () => "counted" as const),
      "panic",
      "panic"
    ])
  })

  it.each([[1, 1], [1, 2], [2, 3], [3, 3], [4, 9], [9, 10]])("RFC F2 min %i and max %i are met exactly", (min, max) => {
    const { count, errors } = makePanicWindow({ min, max, window: 100 })
    for (let n = 1; n <= max + 2; n++) {
      assert.strictEqual(count(0), n >= max ? "panic" : n === min ? "ask" : "counted", `error ${n}`)
      assert.strictEqual(errors(0), Math.min(n, max))
    }
  })

  it("RFC F2 an error counts until a whole window has passed, and not one millisecond longer", () => {
    const { count, errors } = makePanicWindow({ min: 2, max: 5, window: 100 })
    count(1_000)
    assert.strictEqual(errors(1_099), 1)
    assert.strictEqual(errors(1_100), 0)
    assert.deepStrictEqual(verdicts({ min: 2, max: 5, window: 100 }, [0, 99]), ["counted", "ask"])
    assert.deepStrictEqual(verdicts({ min: 2, max: 5, window: 100 }, [0, 100]), ["counted", "counted"])
    assert.deepStrictEqual(verdicts({ min: 1, max: 3, window: 100 }, [0, 0, 99]), ["ask", "counted", "panic"])
    assert.deepStrictEqual(verdicts({ min: 1, max: 3, window: 100 }, [0, 0, 100]), ["ask", "counted", "ask"])
    assert.deepStrictEqual(verdicts({ min: 1, max: 2, window: 1 }, [0, 1, 2, 2]), ["ask", "ask", "ask", "panic"])
  })

  it("RFC F2 asks again each time that the minimum is reached anew", () => {
    assert.deepStrictEqual(verdicts({ min: 2, max: 4, window: 10 }, [0, 5, 10, 15, 20, 21]), [
      "counted",
      "ask",
      "ask",
      "ask",
      "ask",
      "counted"
    ])
  })

  it("RFC F2 a reset forgets all of them, at any place of the ring", () => {
    for (let before = 0; before <= 12; before++) {
      const { count, errors, reset } = makePanicWindow({ min: 2, max: 3, window: 4 })
      for (let n = 0; n < before; n++) count(n)
      reset()
      assert.strictEqual(errors(before), 0)
      assert.deepStrictEqual([count(before), count(before), count(before)], ["counted", "ask", "panic"])
    }
  })

  const Step = Schema.Union([
    Schema.Struct({
      do: Schema.Literal("error"),
      after: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))
    }),
    Schema.Struct({
      do: Schema.Literal("look"),
      after: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 }))
    }),
    Schema.Struct({ do: Schema.Literal("reset"), after: Schema.Literal(0) })
  ])
  it.prop(
    "RFC F2 agrees with a naive list of times, whatever happens",
    {
      min: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 })),
      more: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4 })),
      window: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 })),
      steps: Schema.Array(Step)
    },
    ({ min, more, steps, window }) => {
      const max = min + more
      const real = makePanicWindow({ min, max, window })
      let times: ReadonlyArray<number> = []
      let now = 0
      for (const step of steps) {
        now += step.after
        const oldest = now - window
        times = step.do === "reset" ? [] : times.filter((time) => time > oldest)
        if (step.do === "reset") real.reset()
        if (step.do === "error") {
          // Errors past the maximum change nothing: the panic was due at the maximum.
          if (times.length < max) times = [...times, now]
          const expected = times.length >= max ? "panic" : times.length === min ? "ask" : "counted"
          assert.strictEqual(real.count(now), expected)
        }
        assert.strictEqual(real.errors(now), times.length)
      }
    },
    { arbitrary: { runs: 2_000, size: 60 } }
  )

  it("RFC F2 remembers no more than max times, however many errors there are", () => {
    const windows = Array.from({ length: 16 }, () => makePanicWindow({ min: 1, max: 3, window: 50_000 }))
    const before = heapAfterCollection()
    // Time moves on, so that errors expire as well: neither they nor those past the maximum may
    // stay.
    for (let n = 0; n < 1_600_000; n++) windows[n % 16]?.count(n)
    const grown = heapAfterCollection() - before
    assert.isBelow(grown, 1_000_000, "a million times and more would be 12 MB")
    for (const { errors } of windows) assert.isAtMost(errors(1_600_000), 3)
  })
})
