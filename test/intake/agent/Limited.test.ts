import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { makeLimited } from "../../../src/intake/agent/Limited.ts"

describe("Limited", () => {
  it.prop("RFC G1 answers each number of milliseconds with itself, in any order", [
    Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2_147_483_647 })))
  ], ([waits]) => {
    const limited = makeLimited()
    for (const wait of [...waits, ...waits.map((wait) => wait + 1024), ...waits]) {
      assert.deepStrictEqual(limited(wait), { status: "rate_limited", retryAfter: wait })
    }
  })

  it("gives the same frozen object again, and keeps no more than its places", () => {
    const limited = makeLimited()
    const answer = limited(5)
    assert.isTrue(Object.isFrozen(answer))
    assert.strictEqual(limited(5), answer)
    limited(5 + 1024)
    assert.notStrictEqual(limited(5), answer)
  })
})
