import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Ages } from "../../../src/custody/coldstorage/Ages.ts"

describe("Ages", () => {
  it.prop("has the age of the oldest that has not ended, in whatever order they end", {
    ends: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 7 })))
  }, ({ ends }) => {
    let now = 0
    const ages = new Ages(() => now)
    const waiting = new Map<string, number>()
    for (let id = 0; id < 8; id++) {
      now += id + 1
      ages.begin(`${id}`)
      waiting.set(`${id}`, now)
    }
    for (const id of ends) {
      now += 10
      ages.end(`${id}`)
      waiting.delete(`${id}`)
      assert.strictEqual(ages.oldestMs(), waiting.size === 0 ? 0 : now - Math.min(...waiting.values()))
    }
  })

  it("is 0 where nothing waits, and never less where the clock misbehaves", () => {
    let now = 5
    const ages = new Ages(() => now)
    assert.strictEqual(ages.oldestMs(), 0)
    ages.begin("a")
    now = 3
    assert.strictEqual(ages.oldestMs(), 0)
    ages.end("a")
    ages.end("a")
    assert.strictEqual(ages.oldestMs(), 0)
  })
})
