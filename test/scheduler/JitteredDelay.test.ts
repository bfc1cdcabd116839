import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { maxDraws, nextDelay } from "../../src/scheduler/JitteredDelay.ts"
import { random, Seed } from "../support/random.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** A source that counts its calls, and fills with bytes from `byte`. */
const source = (byte: () => number) => {
  const state = { draws: 0 }
  return {
    state,
    fill: (target: Uint8Array<ArrayBuffer>): void => {
      state.draws += 1
      for (let i = 0; i < target.length; i++) target[i] = byte()
    }
  }
}

/**
 * A source that gives every pattern of `count` bytes once, and then throws. Neighbours are far
 * apart, so that few in a row are refused.
 */
const everyPattern = (count: number) => {
  let at = -1
  return {
    fill: (target: Uint8Array<ArrayBuffer>): void => {
      at += 1
      if (at >= 256 ** count) throw new RangeError("exhausted")
      if (target.length !== count) throw new Error(`${target.length} bytes were asked for`)
      // An odd stride visits every pattern.
      const pattern = (at * 40_503) % 256 ** count
      for (let i = 0; i < count; i++) target[i] = Math.floor(pattern / 256 ** i) % 256
    }
  }
}

/** How often each jitter comes up over all patterns of bytes. */
const tally = (jitterMax: number, bytes: number): ReadonlyMap<number, number> => {
  const times = new Map<number, number>()
  const randomness = everyPattern(bytes)
  try {
    for (;;) {
      const jitter = nextDelay(1, jitterMax, randomness) - 1
      times.set(jitter, (times.get(jitter) ?? 0) + 1)
    }
  } catch (error) {
    assert.strictEqual(error instanceof RangeError ? error.message : error, "exhausted")
  }
  return times
}

describe("nextDelay", () => {
  it.each([[1, 1], [2, 1], [9, 1], [127, 1], [128, 1], [200, 1], [255, 1], [256, 2], [300, 2], [10_000, 2], [
    65_535,
    2
  ]])(
    "RFC H5 over all patterns of bytes, each jitter up to %i comes up equally often",
    (jitterMax, bytes) => {
      const times = tally(jitterMax, bytes)
      assert.deepStrictEqual(
        [...times.keys()].toSorted((a, b) => a - b),
        Array.from({ length: jitterMax + 1 }, (_, jitter) => jitter)
      )
      const share = 256 ** bytes / 2 ** Math.ceil(Math.log2(jitterMax + 1))
      assert.deepStrictEqual([...new Set(times.values())], [share])
    }
  )

  it.prop(
    "RFC H5 is a whole number from interval to interval + jitterMax, in a bounded number of draws",
    { interval: between(1, 2_147_483_647), bits: between(0, 52), seed: Seed, kinds: between(1, 256) },
    ({ bits, interval, kinds, seed }) => {
      const { below } = random(seed)
      const jitterMax = below(2 ** bits)
      // With few kinds of bytes it is a broken source.
      const low = below(256)
      const randomness = source(() => (low + below(kinds)) % 256)
      const delay = nextDelay(interval, jitterMax, randomness)
      assert.isTrue(Number.isSafeInteger(delay))
      assert.isAtLeast(delay, interval)
      assert.isAtMost(delay, interval + jitterMax)
      assert.isAtMost(randomness.state.draws, maxDraws)
    }
  )

  it.each([1, 2, 9, 255, 256, 10_000, 2_147_483_647, 2 ** 32, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER - 1])(
    "RFC H5 ends, in range, if every byte is 0 or every byte is 255 (jitter up to %i)",
    (jitterMax) => {
      const zeros = source(() => 0)
      assert.strictEqual(nextDelay(1, jitterMax, zeros), 1)
      assert.strictEqual(zeros.state.draws, 1)
      const ones = source(() => 255)
      const delay = nextDelay(1, jitterMax, ones)
      assert.isTrue(Number.isSafeInteger(delay) && delay >= 1 && delay <= 1 + jitterMax, `${delay}`)
      const isMask = Number.isInteger(Math.log2(jitterMax + 1)) && jitterMax < 2 ** 48
      assert.strictEqual(ones.state.draws, isMask ? 1 : maxDraws)
    }
  )

  it("RFC H5 without jitter nothing is drawn", () => {
    const randomness = source(() => assert.fail("was asked"))
    assert.strictEqual(nextDelay(300_000, 0, randomness), 300_000)
  })

  it.each([
    [0, 0, "interval"],
    [-1, 0, "interval"],
    [1.5, 0, "interval"],
    [Number.NaN, 0, "interval"],
    [Number.POSITIVE_INFINITY, 0, "interval"],
    [1, -1, "jitterMax"],
    [1, 0.5, "jitterMax"],
    [1, Number.NaN, "jitterMax"],
    [1, Number.POSITIVE_INFINITY, "jitterMax"],
    [2, Number.MAX_SAFE_INTEGER - 1, "together"]
  ])("refuses an interval of %d with a jitter of %d", (interval, jitterMax, expected) => {
    assert.throws(() => nextDelay(interval, jitterMax, source(() => 0)), RangeError, expected)
  })
})
