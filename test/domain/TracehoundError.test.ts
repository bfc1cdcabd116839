import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { problem, TracehoundError } from "../../src/domain/TracehoundError.ts"

describe("problem", () => {
  it("RFC F5 makes a frozen error, recoverable unless it says otherwise", () => {
    const error = problem({ state: "agent", code: "c", message: "m" })
    assert.isTrue(Object.isFrozen(error))
    assert.strictEqual(JSON.stringify(error), `{"state":"agent","code":"c","message":"m","recoverable":true}`)
    assert.deepStrictEqual(Schema.decodeUnknownSync(TracehoundError)(error), error)
    assert.isFalse(problem({ state: "agent", code: "c", message: "m", recoverable: false }).recoverable)
  })
})
