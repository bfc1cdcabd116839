/**
 * Limits bound the work of a call, whatever comes: hostile input is counted in steps, not in time.
 */
import { assert, describe, it } from "@effect/vitest"
import { hostileKinds } from "../../bench/catalogue.ts"
import { hostilePayloads } from "../../bench/hostile.ts"
import { makeRateTable } from "../../src/intake/gate/RateTable.ts"
import { blocked, check } from "../intake/gate/rateChecks.ts"
import { nodeWriter } from "../intake/gate/writers.ts"

describe("the canonical writer", () => {
  const maxPayloadSize = 20_000

  it.each(hostileKinds)("RFC D4 looks at no more of a hostile payload than its limit allows: %s", (kind) => {
    const writer = nodeWriter({ maxPayloadSize })
    const [make] = hostilePayloads[kind]
    // Sizes of which the smaller is already over a limit. A DAG of n levels has 2^n leaves.
    const [large, larger] = kind === "DAG" ? [30, 60] : [30_000, 300_000]
    assert.isBelow(writer.write(make(large)), 0)
    const { visited } = writer
    assert.isAtMost(visited, maxPayloadSize + 1)
    assert.isBelow(writer.write(make(larger)), 0)
    // The way down to a DAG's leaves is one step longer for each level.
    const deeper = kind === "DAG" ? larger - large : 0
    assert.isAtMost(writer.visited, visited + deeper, "ten times the payload buys nothing")
  })
})

describe("the rate table", () => {
  const windowMs = 1000

  it("RFC G3 looks at most at one source for each that comes, however many blocks have run out", () => {
    const maxSources = 1000
    const table = makeRateTable({ windowMs, maxRequests: 1, blockDurationMs: 5000, maxSources })
    for (let i = 0; i < maxSources; i++) for (let hit = 0; hit < 2; hit++) check(table, `blocked ${i}`, 0)
    assert.strictEqual(blocked(table, 0), maxSources)
    const before = table.steps
    for (let i = 0; i < 5 * maxSources; i++) {
      check(table, `new ${i}`, 10_000)
      assert.isAtMost(table.steps - before, i + 1)
    }
    assert.strictEqual(table.evicted, 5 * maxSources)
  })

  it("RFC G3 looks at each block at most once where blocks end with their window", () => {
    const maxSources = 1000
    const table = makeRateTable({ windowMs, maxRequests: 1, blockDurationMs: 0, maxSources })
    let calls = 0
    for (let round = 0; round < 10; round++) {
      for (let i = 0; i < maxSources; i++) {
        for (let hit = 0; hit < 2; hit++) {
          check(table, `source ${round} ${i}`, round * 2 * windowMs)
          calls++
        }
      }
      assert.isAtMost(table.steps, calls)
    }
  })
})
