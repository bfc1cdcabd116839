import { afterEach, assert, describe, it } from "@effect/vitest"
import { vi } from "vitest"
import { Ticker } from "../../../src/hound/process/Ticker.ts"

/**
 * Intervals that pass when the test says so. vitest's fake timers replace Date too, which cannot be
 * done where intrinsics are frozen.
 */
const fakeIntervals = () => {
  const intervals = new Set<{ readonly tick: () => void; readonly every: number; due: number }>()
  let now = 0
  vi.stubGlobal("setInterval", (tick: () => void, every: number) => {
    const interval = { tick, every, due: now + every, ref: () => interval, unref: () => interval }
    intervals.add(interval)
    return interval
  })
  vi.stubGlobal("clearInterval", (interval: { readonly tick: () => void; readonly every: number; due: number }) => {
    intervals.delete(interval)
  })
  return {
    count: () => intervals.size,
    advance: (ms: number): void => {
      for (const end = now + ms; now < end;) {
        now += 1
        for (const interval of intervals) {
          if (interval.due > now) continue
          interval.due += interval.every
          interval.tick()
        }
      }
    }
  }
}

describe("Ticker", () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  it("ticks while it is needed, and keeps its rhythm when it is started twice", () => {
    const { advance, count } = fakeIntervals()
    let ticks = 0
    const ticker = new Ticker(10, () => {
      ticks += 1
    })
    advance(100)
    assert.strictEqual(ticks, 0)
    ticker.run(true)
    advance(9)
    ticker.run(true)
    advance(1)
    assert.strictEqual(ticks, 1)
    ticker.run(false)
    ticker.run(false)
    advance(100)
    assert.strictEqual(ticks, 1)
    assert.strictEqual(count(), 0)
    ticker.run(true)
    advance(20)
    assert.strictEqual(ticks, 3)
  })
})

describe("Ticker and the process", () => {
  const held = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length

  it("RFC H6 keeps the process alive only from `hold` on, and while it runs", () => {
    const before = held()
    const ticker = new Ticker(1_000_000, () => undefined)
    ticker.run(true)
    assert.strictEqual(held(), before)
    ticker.hold()
    assert.strictEqual(held(), before + 1)
    ticker.run(false)
    assert.strictEqual(held(), before)
    ticker.run(true)
    assert.strictEqual(held(), before + 1)
    ticker.run(false)
  })
})
