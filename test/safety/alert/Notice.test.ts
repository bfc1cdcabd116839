import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Alert } from "../../../src/domain/Alert.ts"
import { alertOf, notice } from "../../../src/safety/alert/Notice.ts"

describe("Notice", () => {
  it("is frozen, limited and posted unless it says otherwise", () => {
    const usual = notice({ type: "evidence.purged", severity: "warning", message: "m" })
    assert.isTrue(Object.isFrozen(usual))
    assert.deepStrictEqual(usual, {
      type: "evidence.purged",
      severity: "warning",
      message: "m",
      alwaysPasses: false,
      isPosted: true
    })
    const other = notice({
      type: "evidence.purged",
      severity: "warning",
      message: "m",
      alwaysPasses: true,
      isPosted: false
    })
    assert.deepStrictEqual([other.alwaysPasses, other.isPosted], [true, false])
  })

  it("RFC W2 becomes an alert without the fields that say how it may leave", () => {
    const alert = alertOf(notice({ type: "failsafe.panic", severity: "critical", message: "m", alwaysPasses: true }), 5)
    assert.strictEqual(
      JSON.stringify(alert),
      `{"type":"failsafe.panic","severity":"critical","message":"m","timestamp":5}`
    )
    assert.deepStrictEqual(Schema.decodeUnknownSync(Alert, { onExcessProperty: "error" })(alert), alert)
  })
})
