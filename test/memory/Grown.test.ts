import { assert, describe, it } from "@effect/vitest"
import { grown } from "../../src/memory/Grown.ts"

describe("grown", () => {
  it("copies to the front of the longer array, and leaves the rest as it was", () => {
    const to = new Int32Array(5).fill(-2)
    assert.strictEqual(grown(Int32Array.of(7, -1, 9), to), to)
    assert.deepStrictEqual([...to], [7, -1, 9, -2, -2])
    assert.deepStrictEqual([...grown(new Float64Array(0), Float64Array.of(0.5))], [0.5])
  })
})
