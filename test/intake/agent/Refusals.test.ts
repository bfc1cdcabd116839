import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Refusals from "../../../src/intake/agent/Refusals.ts"
import { TOO_DEEP, TOO_LARGE, TOO_MANY_KEYS, UNREADABLE } from "../../../src/intake/gate/Canonical.ts"

describe("the answers rate_limited", () => {
  it.prop("RFC G1 answers each number of milliseconds with itself, in any order", [
    Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2_147_483_647 })))
  ], ([waits]) => {
    const limited = Refusals.makeLimited()
    for (const wait of [...waits, ...waits.map((wait) => wait + 1024), ...waits])
      assert.deepStrictEqual(limited(wait), { status: "rate_limited", retryAfter: wait })
  })

  it("gives the same frozen object again, and keeps 1,024 of them", () => {
    const limited = Refusals.makeLimited()
    const answer = limited(5)
    assert.isTrue(Object.isFrozen(answer))
    assert.strictEqual(limited(5), answer)
    limited(5 + 1024)
    assert.notStrictEqual(limited(5), answer)
  })
})

describe("the answers payload_too_large", () => {
  const tooLarge = Refusals.makeTooLarge({ maxPayloadSize: 1, maxDepth: 2, maxKeys: 3 })

  it("RFC D5 names the limit that was passed, and its bound where that is not the size", () => {
    assert.deepStrictEqual(tooLarge(TOO_LARGE), { status: "payload_too_large", limit: 1 })
    assert.deepStrictEqual(tooLarge(TOO_DEEP), { status: "payload_too_large", limit: 2, bound: "maxDepth" })
    assert.deepStrictEqual(tooLarge(TOO_MANY_KEYS), { status: "payload_too_large", limit: 3, bound: "maxKeys" })
    assert.isNull(tooLarge(UNREADABLE))
  })

  it("are frozen and made once", () => {
    for (const code of [TOO_LARGE, TOO_DEEP, TOO_MANY_KEYS]) {
      assert.isTrue(Object.isFrozen(tooLarge(code)))
      assert.strictEqual(tooLarge(code), tooLarge(code))
    }
  })
})

describe("the fixed answers", () => {
  const fixed = Object.entries(Refusals).filter(([, value]) => typeof value === "object")

  it.each(fixed)("%s is frozen, its error included", (_, answer) => {
    assert.isTrue(Object.isFrozen(answer))
    if (typeof answer === "object" && answer.status === "error") assert.isTrue(Object.isFrozen(answer.error))
  })

  it("RFC F5 no two errors have the same code", () => {
    const codes = fixed.flatMap(([, answer]) =>
      typeof answer === "object" && answer.status === "error" ? [answer.error.code] : []
    )
    assert.isAbove(codes.length, 5)
    assert.strictEqual(new Set(codes).size, codes.length)
  })
})
