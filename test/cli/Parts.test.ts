import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, Sink, Stdio } from "effect"
import { sandboxOf } from "../../src/cli/Doctor.ts"
import * as Progress from "../../src/cli/Progress.ts"
import * as RecordedClock from "../../src/cli/RecordedClock.ts"
import * as ReplayRandomness from "../../src/cli/ReplayRandomness.ts"
import * as NodeHash from "../../src/node/NodeHash.ts"
import { Randomness } from "../../src/port/Randomness.ts"

describe("RecordedClock", () => {
  it.effect("stands where it is set, and holds impossible times at the nearest possible one", () =>
    Effect.gen(function*() {
      const clock = RecordedClock.make(yield* Clock.Clock)
      for (
        const [set, expected] of [[5, 5], [3.9, 3], [1e300, 8.64e15], [-1e300, -8.64e15], [0, 0], [-0.5, 0], [
          -0,
          0
        ]] as const
      ) {
        clock.setUnsafe(set)
        assert.strictEqual(clock.currentTimeMillisUnsafe(), expected)
        assert.strictEqual(yield* clock.currentTimeMillis, expected)
        assert.strictEqual(clock.currentTimeNanosUnsafe(), BigInt(expected) * 1_000_000n)
      }
    }))
})

describe("ReplayRandomness", () => {
  const fillAll = Effect.gen(function*() {
    const { fill } = yield* Randomness
    const targets = [0, 1, 31, 32, 33, 100].map((size) => new Uint8Array(size))
    targets.forEach(fill)
    return targets.map((target) => Buffer.from(target).toString("hex"))
  }).pipe(Effect.provide(ReplayRandomness.layer.pipe(Layer.provide(NodeHash.layer))))

  it.effect("is the same for every run, and never the same twice within one", () =>
    Effect.gen(function*() {
      const first = yield* fillAll
      assert.deepStrictEqual(yield* fillAll, first)
      const blocks = first.join("").match(/.{64}/g) ?? []
      assert.strictEqual(new Set(blocks).size, blocks.length)
    }))
})

describe("Progress", () => {
  const state = { lines: 12_345, invalid: 0, held: 100, evicted: 1974, done: 0.5 }

  it("shows lines, lines a second, what is held and what was evicted", () => {
    const line = Progress.render(state, 2)
    assert.strictEqual(
      line,
      `${"█".repeat(10)}${"░".repeat(10)}  50 %  12,345 lines  6,173 lines/s  100 held  1,974 evicted`
    )
    assert.include(Progress.render({ ...state, invalid: 1000 }, 2), "1,000 invalid")
  })

  it("shows no bar where the end is not known, and stays within it where more was read than announced", () => {
    assert.notInclude(Progress.render({ ...state, done: null }, 1), "%")
    assert.include(Progress.render({ ...state, done: 1.5 }, 1), "█".repeat(20))
  })

  const onTerminal = (stderrIsTerminal: boolean) => {
    const written: Array<string> = []
    const sink = Sink.forEach((chunk: string | Uint8Array) => Effect.sync(() => written.push(String(chunk))))
    const stdio = Stdio.layerTest({ stderrIsTerminal: Effect.succeed(stderrIsTerminal), stderr: () => sink })
    const run = Effect.gen(function*() {
      const progress = yield* Progress.make
      yield* Effect.sleep("200 millis")
      yield* progress.show(state)
      yield* progress.show(state)
      yield* progress.clear
      yield* progress.clear
    }).pipe(Effect.provide(stdio))
    return Effect.as(run, written)
  }

  it.live("writes to a terminal at most ten times a second, and clears what it wrote once", () =>
    Effect.gen(function*() {
      const written = yield* onTerminal(true)
      assert.strictEqual(written.length, 2)
      assert.strictEqual(written[1], "\r\u001b[K")
    }))

  it.live("is silent where standard error is no terminal", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* onTerminal(false), [])
    }))
})

describe("Doctor", () => {
  it("knows which Node can deny the network by flag", () => {
    assert.deepStrictEqual(sandboxOf("22.19.0"), { permissionModel: true, networkDeniedByFlag: false })
    assert.deepStrictEqual(sandboxOf("24.1.0"), { permissionModel: true, networkDeniedByFlag: false })
    assert.deepStrictEqual(sandboxOf("25.0.0"), { permissionModel: true, networkDeniedByFlag: true })
    assert.deepStrictEqual(sandboxOf("26.10.0"), { permissionModel: true, networkDeniedByFlag: true })
  })
})
