import { afterEach, assert, beforeEach, describe, it } from "@effect/vitest"
import { vi } from "vitest"
import { Ticker } from "../../../src/hound/process/Ticker.ts"

describe("Ticker", () => {
  beforeEach(() => {
    // Date stays: it cannot be replaced where intrinsics are frozen.
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it("ticks while it is needed, and keeps its rhythm when it is started twice", () => {
    let ticks = 0
    const ticker = new Ticker(10, () => {
      ticks += 1
    })
    vi.advanceTimersByTime(100)
    assert.strictEqual(ticks, 0)
    ticker.run(true)
    vi.advanceTimersByTime(9)
    ticker.run(true)
    vi.advanceTimersByTime(1)
    assert.strictEqual(ticks, 1)
    ticker.run(false)
    ticker.run(false)
    vi.advanceTimersByTime(100)
    assert.strictEqual(ticks, 1)
    assert.strictEqual(vi.getTimerCount(), 0)
    ticker.run(true)
    vi.advanceTimersByTime(20)
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
