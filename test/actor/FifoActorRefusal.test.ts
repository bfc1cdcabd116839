import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { message, type Observed, observe } from "./actors.ts"

/** Asks, and tells: the answer must be what happens. */
const askAndTell = ({ actor, ends }: Observed, id: number, weight: number) => {
  const before = [...ends]
  const refusal = actor.refusalUnsafe(weight)
  assert.deepStrictEqual(ends, before, "asking buries nothing")
  assert.strictEqual(actor.tellUnsafe(message(id, "ok", weight)), refusal === null)
  if (refusal !== null) assert.strictEqual(ends.at(-1), `${id} ${refusal}`)
  return refusal
}

describe("asking before telling", () => {
  it.effect("RFC S2 foretells whether a message is refused, and why", () =>
    Effect.gen(function*() {
      const observed = yield* observe({ capacity: 3, maxWeight: 10 })
      assert.strictEqual(askAndTell(observed, 0, 11), "full")
      assert.isNull(askAndTell(observed, 1, 10))
      assert.strictEqual(askAndTell(observed, 2, 1), "full")
      assert.isNull(askAndTell(observed, 3, 0))
      assert.isNull(askAndTell(observed, 4, 0))
      assert.strictEqual(askAndTell(observed, 5, 0), "full")
      yield* observed.actor.start
      yield* observed.actor.settled
      assert.isNull(askAndTell(observed, 6, 10))
      yield* observed.close
      assert.strictEqual(askAndTell(observed, 7, 0), "closed")
    }))
})
