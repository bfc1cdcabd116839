import { assert, describe, it } from "@effect/vitest"
import { makeRateTable, type RateTable, type RateTableOptions } from "../../../src/intake/gate/RateTable.ts"
import { heapAfterCollection } from "../../support/garbage.ts"
import { blocked, check } from "./rateChecks.ts"

const rfc: RateTableOptions = { windowMs: 60_000, maxRequests: 100, blockDurationMs: 300_000, maxSources: 100_000 }

/** An arbitrary time: the table does not know the epoch. */
const T = 1_700_000_000_000

const times = (count: number, f: (index: number) => void): void => {
  for (let index = 0; index < count; index++) f(index)
}

/** Sends requests of a source until it is blocked. */
const block = (table: RateTable, key: string, now: number, options: RateTableOptions): void => {
  let refused = 0
  times(options.maxRequests, () => {
    refused += check(table, key, now)
  })
  assert.strictEqual(refused, 0)
  assert.isAbove(check(table, key, now), 0)
}

describe("the window", () => {
  it("RFC G1 allows request number maxRequests and blocks the next for exactly blockDurationMs", () => {
    const table = makeRateTable(rfc)
    times(100, (i) => assert.strictEqual(check(table, "a", T + i), 0))
    assert.strictEqual(check(table, "a", T + 100), 300_000)
    assert.strictEqual(check(table, "a", T + 101), 299_999)
    assert.strictEqual(check(table, "a", T + 100 + 299_999), 1)
    assert.strictEqual(check(table, "a", T + 100 + 299_999.5), 1)
    assert.strictEqual(check(table, "a", T + 100 + 300_000), 0)
  })

  it("RFC G1 starts a new window at the end of a block", () => {
    const table = makeRateTable(rfc)
    block(table, "a", T, rfc)
    block(table, "a", T + 300_000, rfc)
    assert.strictEqual(check(table, "a", T + 300_000), 300_000)
    assert.strictEqual(check(table, "a", T + 599_999), 1)
    times(100, () => assert.strictEqual(check(table, "a", T + 700_000), 0))
    assert.strictEqual(check(table, "a", T + 700_000), 300_000)
  })

  it("RFC G1 starts a new window at exactly windowStart + windowMs, from the first request on", () => {
    for (const [end, answer] of [[59_999, 300_000], [60_000, 0]] as const) {
      const table = makeRateTable(rfc)
      assert.strictEqual(check(table, "a", T), 0)
      times(99, () => assert.strictEqual(check(table, "a", T + 59_998), 0))
      assert.strictEqual(check(table, "a", T + end), answer)
    }
  })

  it("RFC G1 counts a request in the window it begins", () => {
    const table = makeRateTable(rfc)
    times(100, () => check(table, "a", T))
    times(100, () => assert.strictEqual(check(table, "a", T + 60_000), 0))
    assert.strictEqual(check(table, "a", T + 119_999), 300_000)
  })

  it("RFC G1 requests during a block do not prolong it", () => {
    const table = makeRateTable(rfc)
    block(table, "a", T, rfc)
    times(1000, (i) => assert.strictEqual(check(table, "a", T + i), 300_000 - i))
    assert.strictEqual(check(table, "a", T + 300_000), 0)
  })

  it("RFC G1 a block shorter than the window ends in a new window", () => {
    const options = { ...rfc, blockDurationMs: 10 }
    const table = makeRateTable(options)
    block(table, "a", T, options)
    block(table, "b", T, options)
    assert.strictEqual(check(table, "a", T + 9), 1)
    assert.strictEqual(blocked(table, T + 10), 0)
    times(100, () => assert.strictEqual(check(table, "a", T + 10), 0))
    assert.strictEqual(check(table, "a", T + 10), 10)
    times(100, () => assert.strictEqual(check(table, "b", T + 59_000), 0))
    assert.strictEqual(check(table, "b", T + 100_000), 10, "b's window started at its first request after the block")
  })

  it("RFC G1 a block of 0 ms lasts until the window ends", () => {
    const options = { ...rfc, blockDurationMs: 0 }
    const table = makeRateTable(options)
    assert.strictEqual(check(table, "a", T), 0)
    times(99, () => check(table, "a", T + 10_000))
    assert.strictEqual(check(table, "a", T + 20_000), 40_000)
    assert.strictEqual(check(table, "a", T + 59_999), 1)
    assert.strictEqual(blocked(table, T + 59_999), 1)
    assert.strictEqual(check(table, "a", T + 60_000), 0)
    assert.strictEqual(blocked(table, T + 60_000), 0)
  })

  it("RFC G1 a limit of 0 blocks the first request", () => {
    const table = makeRateTable({ ...rfc, maxRequests: 0 })
    assert.strictEqual(check(table, "a", T), 300_000)
    assert.strictEqual(check(table, "a", T + 300_000), 300_000)
    assert.strictEqual(check(makeRateTable({ ...rfc, maxRequests: 0, blockDurationMs: 0 }), "a", T), 60_000)
  })

  it("RFC G1 sources do not disturb one another", () => {
    const table = makeRateTable(rfc)
    const keys = ["", "a", "b", "__proto__", "constructor", "a".repeat(256), "\ud800", "é", "0", "1"]
    for (const key of keys) block(table, key, T, rfc)
    assert.strictEqual(table.sources, keys.length)
    assert.strictEqual(blocked(table, T), keys.length)
    assert.strictEqual(check(table, "c", T), 0)
  })

  it("refuses options that are out of range, naming them", () => {
    const bad: ReadonlyArray<readonly [keyof RateTableOptions, number]> = [
      ["windowMs", 0],
      ["windowMs", NaN],
      ["windowMs", Infinity],
      ["maxRequests", -1],
      ["maxRequests", 1.5],
      ["maxRequests", 2 ** 32],
      ["blockDurationMs", -1],
      ["blockDurationMs", NaN],
      ["maxSources", 0],
      ["maxSources", 2 ** 31]
    ]
    for (const [name, value] of bad) assert.throws(() => makeRateTable({ ...rfc, [name]: value }), RangeError, name)
  })
})

describe("reset", () => {
  it("RFC G2 unblocks at once and forgets the count", () => {
    for (const blockDurationMs of [300_000, 0]) {
      const options = { ...rfc, blockDurationMs }
      const table = makeRateTable(options)
      block(table, "a", T, options)
      block(table, "b", T, options)
      assert.isTrue(table.reset("a"))
      assert.strictEqual(blocked(table, T), 1)
      assert.strictEqual(table.sources, 1)
      block(table, "a", T, options)
      assert.isTrue(table.reset("a"))
      assert.isFalse(table.reset("a"))
      assert.isFalse(table.reset("never seen"))
      assert.isAbove(check(table, "b", T), 0)
    }
  })

  it("RFC G2 leaves nothing of a block to run out later", () => {
    for (const blockDurationMs of [60_000, 0]) {
      const options = { ...rfc, blockDurationMs }
      const table = makeRateTable(options)
      block(table, "a", T, options)
      block(table, "b", T, options)
      table.reset("a")
      assert.strictEqual(blocked(table, T + 59_999), 1)
      assert.strictEqual(blocked(table, T + 60_000), 0)
      block(table, "a", T + 60_000, options)
      assert.strictEqual(blocked(table, T + 60_000), 1)
    }
  })

  it("RFC G2 frees the place it took", () => {
    const table = makeRateTable({ ...rfc, maxSources: 3 })
    for (const key of ["a", "b", "c"]) check(table, key, T)
    times(100, () => {
      assert.isTrue(table.reset("b"))
      assert.isTrue(table.reset("a"))
      assert.strictEqual(check(table, "a", T), 0)
      assert.strictEqual(check(table, "b", T), 0)
    })
    assert.strictEqual(table.sources, 3)
    assert.strictEqual(table.evicted, 0)
    check(table, "d", T)
    assert.strictEqual(table.evicted, 1)
    assert.isFalse(table.reset("c"), "c was not seen for longest")
  })
})

describe("the bound", () => {
  it.each([300_000, 0])(
    "RFC G3 a flood of 100,000 made-up sources unblocks nobody (blocks of %d ms)",
    (blockDurationMs) => {
      const options = { windowMs: 60_000, maxRequests: 3, blockDurationMs, maxSources: 1000 }
      const table = makeRateTable(options)
      const victims = Array.from({ length: 100 }, (_, i) => `blocked-${i}`)
      for (const key of victims) block(table, key, T, options)
      let refused = 0
      times(100_000, (i) => {
        refused += check(table, `spoofed-${i}`, T + i / 2000)
      })
      assert.strictEqual(refused, 0)
      assert.strictEqual(table.sources, 1000)
      assert.strictEqual(table.evicted, 100_000 - 900)
      assert.strictEqual(blocked(table, T + 50), 100)
      for (const key of victims) assert.isAbove(check(table, key, T + 50), 0)
    }
  )

  it("RFC G3 drops the unblocked source not seen for longest", () => {
    const options = { ...rfc, maxRequests: 2, maxSources: 4 }
    const table = makeRateTable(options)
    for (const key of ["a", "b", "c", "d", "a"]) assert.strictEqual(check(table, key, T), 0)
    check(table, "e", T)
    assert.isFalse(table.reset("b"))
    assert.isAbove(check(table, "a", T), 0, "a was kept, with its count")
  })

  it("RFC G3 drops a blocked source only when all are blocked, the one blocked longest ago", () => {
    const options = { ...rfc, maxRequests: 1, maxSources: 3 }
    const table = makeRateTable(options)
    block(table, "a", T, options)
    block(table, "b", T + 1, options)
    check(table, "c", T + 2)
    check(table, "d", T + 3)
    assert.strictEqual(blocked(table, T + 3), 2)
    assert.isFalse(table.reset("c"))
    assert.isAbove(check(table, "d", T + 4), 0)
    assert.strictEqual(blocked(table, T + 4), 3)
    assert.strictEqual(check(table, "e", T + 5), 0)
    assert.isFalse(table.reset("a"))
    assert.isTrue(table.reset("b"))
    assert.isTrue(table.reset("d"))
  })

  it("RFC G3 drops a source whose block ran out before one that has been counted", () => {
    const options = { ...rfc, maxRequests: 1, maxSources: 3, blockDurationMs: 10 }
    const table = makeRateTable(options)
    check(table, "lives", T)
    block(table, "out", T, options)
    block(table, "blocked", T + 5, options)
    check(table, "new", T + 10)
    assert.isFalse(table.reset("out"))
    assert.isAbove(check(table, "lives", T + 10), 0)
    assert.isAbove(check(table, "blocked", T + 10), 0)
  })

  it("RFC G3 finds a block that ran out with its window behind windows that ran out", () => {
    const options = { windowMs: 100, maxRequests: 2, blockDurationMs: 0, maxSources: 5 }
    const table = makeRateTable(options)
    for (const key of ["old1", "old2", "old3"]) check(table, key, T)
    block(table, "out", T + 1, options)
    check(table, "lives", T + 50)
    check(table, "lives", T + 50)
    for (const key of ["old1", "old2", "old3"]) check(table, key, T + 60)
    check(table, "new", T + 105)
    assert.isFalse(table.reset("out"))
    assert.isAbove(check(table, "lives", T + 105), 0)
  })

  it("RFC G3 works with room for one source", () => {
    const options = { ...rfc, maxRequests: 1, maxSources: 1 }
    const table = makeRateTable(options)
    times(100, (i) => block(table, `${i}`, T, options))
    assert.strictEqual(table.sources, 1)
    assert.strictEqual(blocked(table, T), 1)
    assert.strictEqual(table.evicted, 99)
  })

  it("RFC G3 looks at each block that ran out once, and never loops over sources", () => {
    for (const blockDurationMs of [1000, 0]) {
      const options = { windowMs: 1000, maxRequests: 1, blockDurationMs, maxSources: 5000 }
      const table = makeRateTable(options)
      times(5000, (i) => block(table, `b${i}`, T, options))
      times(20_000, (i) => check(table, `b${i % 5000}`, T + 500))
      assert.strictEqual(table.steps, 0)
      assert.strictEqual(blocked(table, T + 999), 5000)
      assert.strictEqual(table.steps, 0)
      assert.strictEqual(blocked(table, T + 1000), 0)
      assert.strictEqual(table.steps, 5000)
      times(20_000, (i) => check(table, `n${i}`, T + 1000))
      times(100, () => blocked(table, T + 1000))
      assert.strictEqual(table.steps, 5000)
    }
  })

  it("RFC G3 with timed blocks no call but blocked() catches up with more than one", () => {
    const options = { windowMs: 1000, maxRequests: 1, blockDurationMs: 1000, maxSources: 2000 }
    const table = makeRateTable(options)
    times(2000, (i) => block(table, `b${i}`, T, options))
    times(2000, (i) => {
      check(table, `n${i}`, T + 5000)
      assert.strictEqual(table.steps, i + 1)
    })
    assert.strictEqual(blocked(table, T + 5000), 0)
  })

  it("RFC G3 keeps nothing of the text a key was cut out of", () => {
    const table = makeRateTable(rfc)
    const before = heapAfterCollection()
    times(500, (i) => {
      const header = `${i}, `.padStart(100, "0") + "203.0.113.195, ".repeat(20_000)
      check(table, header.slice(60, 120), T)
    })
    assert.isBelow(heapAfterCollection() - before, 20_000_000)
    assert.strictEqual(table.sources, 500, "the table is alive up to here")
  })
})

describe("the clock", () => {
  it("RFC G1 starts anywhere: at zero, before the epoch, at the end of Date's range", () => {
    for (const start of [0, -5, -T, 8.64e15 - 300_000, -8.64e15]) {
      const table = makeRateTable(rfc)
      block(table, "a", start, rfc)
      assert.strictEqual(check(table, "a", start + 1), 299_999)
      assert.strictEqual(check(table, "a", start + 300_000), 0)
    }
  })
})
