import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer, Sink, Stdio } from "effect"
import * as Descriptor from "../../../src/edge/cli/Descriptor.ts"
import { describe as describe_, isKept, type SandboxDiagnosis } from "../../../src/edge/cli/Doctor.ts"
import * as Progress from "../../../src/edge/cli/Progress.ts"
import * as RecordedClock from "../../../src/edge/cli/RecordedClock.ts"
import * as ReplayRandomness from "../../../src/edge/cli/ReplayRandomness.ts"
import * as NodeHash from "../../../src/host/node/NodeHash.ts"
import { Randomness } from "../../../src/host/port/Randomness.ts"
import type { SandboxReport } from "../../../src/hound/sandbox/Sandbox.ts"

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

  /** Monotonic time in ms after each of these lines, and whether the line was too far ahead. */
  const seen = (times: ReadonlyArray<number>) =>
    Effect.map(Clock.Clock, (real) => {
      const clock = RecordedClock.make(real)
      return times.map((ms) => {
        const isSkewed = !clock.setUnsafe(ms)
        return [Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n), isSkewed] as const
      })
    })
  const hour = 3_600_000
  const day = 24 * hour
  const times = (count: number, from: number) => Array.from({ length: count }, (_, n) => from + n)

  it.effect("RFC G1 has the latest time seen for its monotonic time, whatever the order of the lines", () =>
    Effect.gen(function*() {
      const found = yield* seen([1000, 3000, 2000, 3000, 1000, -hour + 3000, 3001])
      assert.deepStrictEqual(found.map(([ms]) => ms), [1000, 3000, 3000, 3000, 3000, 3000, 3001])
      assert.isFalse(found.some(([, isSkewed]) => isSkewed))
    }))

  it.effect("RFC G1 is not moved by a line more than an hour ahead, nor by one long ago", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* seen([0, hour, 2 * hour + 1, 365 * day, 1e300, hour + 1, -day, hour + 2]), [
        [0, false],
        [hour, false],
        [hour, true],
        [hour, true],
        [hour, true],
        [hour + 1, false],
        [hour + 1, false],
        [hour + 2, false]
      ])
    }))

  it.effect("RFC G1 goes on after a gap in the recording, from the earliest of the lines behind it", () =>
    Effect.gen(function*() {
      const found = yield* seen([0, 365 * day, ...times(15, day), day + 100])
      assert.deepStrictEqual(found.slice(1, 16), Array.from({ length: 15 }, () => [0, true] as const))
      assert.deepStrictEqual(found.slice(16), [[day + 14, false], [day + 100, false]])
    }))

  it.effect("RFC G1 goes on in a second file behind the first, and after a first line from the future", () =>
    Effect.gen(function*() {
      const found = yield* seen([365 * day, ...times(16, 5000), 6000, 7000, 365 * day])
      assert.deepStrictEqual(found.slice(-4), [[5015, false], [6000, false], [7000, false], [7000, true]])
    }))

  it.effect("RFC G1 is not moved by lines of a wrong clock among those of a right one, however many", () =>
    Effect.gen(function*() {
      const lines = times(1000, 0).flatMap((n) => [n, ...times(15, 10 * day + n), ...times(15, n - 10 * day)])
      const found = yield* seen(lines)
      assert.deepStrictEqual(found.at(-1), [999, false])
      assert.strictEqual(found.filter(([, isSkewed]) => isSkewed).length, 15_000)
    }))
})

describe("Descriptor", () => {
  it.each<readonly [string, number | undefined]>([
    ["/dev/stdin", 0],
    ["/dev/stdout", 1],
    ["/dev/stderr", 2],
    ["/dev/fd/63", 63],
    ["/proc/self/fd/0", 0],
    ["/dev/fd/", undefined],
    ["/dev/fd/1x", undefined],
    ["/dev/fd/99999999999", undefined],
    ["dev/fd/1", undefined],
    ["/dev/full", undefined],
    ["-", undefined],
    ["", undefined]
  ])("reads %j", (path, expected) => {
    assert.strictEqual(Descriptor.parse(path), expected)
  })
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
  const report: SandboxReport = {
    configured: "default",
    level: "default",
    measured: true,
    platform: "linux x64",
    node: "26.10.0",
    mechanisms: [{ name: "seccomp", holds: false, note: "part of the level hard" }],
    lacking: []
  }
  const probe = (outcome: "closed" | "open" | "failed" | "works") => ({
    name: "net/connect",
    group: "net" as const,
    outcome,
    detail: "a listener"
  })
  const attacked = (...outcomes: ReadonlyArray<"closed" | "open" | "failed" | "works">): SandboxDiagnosis => ({
    enabled: true,
    report,
    refused: null,
    probes: { level: "default", missing: null, sandbox: report, probes: outcomes.map(probe), resources: null }
  })
  const whole = (sandbox: SandboxDiagnosis) =>
    describe_({
      healthy: isKept(sandbox),
      versions: {},
      platform: "linux x64",
      flags: [],
      ports: [],
      sandbox,
      memory: [],
      notes: []
    })

  it("RFC H2 is content with the level that is configured, and with nothing less", () => {
    const kept: SandboxDiagnosis = { enabled: true, report, refused: null, probes: null }
    assert.isTrue(isKept(kept))
    assert.isTrue(isKept({ ...kept, report: { ...report, configured: "hard", level: "hard" } }))
    assert.isFalse(isKept({ ...kept, report: { ...report, configured: "hard" } }))
    assert.isFalse(isKept({ ...kept, report: { ...report, level: "none" } }))
    const poorer = { ...kept, report: { ...report, lacking: ["userDropped" as const] } }
    assert.isTrue(isKept(poorer))
    assert.match(whole(poorer), /note {5}hounds: .*default without userDropped/)
    assert.isFalse(isKept({ ...kept, report: null, refused: "the analyzer cannot be read" }))
    assert.isTrue(isKept({ ...kept, enabled: false, report: null }))
    assert.match(whole({ ...kept, report: { ...report, configured: "hard" } }), /missing {2}hounds: .*default.*hard/)
    assert.match(whole({ ...kept, report: { ...report, measured: false } }), /never measured/)
  })

  it("RFC H2 says no where an attack got through or could not be made, and names it", () => {
    assert.isTrue(isKept(attacked("closed", "works")))
    assert.match(whole(attacked("closed", "works")), /1 closed, 1 that must work do/)
    for (const outcome of ["open", "failed"] as const) {
      assert.isFalse(isKept(attacked("closed", outcome)))
      assert.match(whole(attacked("closed", outcome)), new RegExp(`net/connect is ${outcome}: a listener`))
    }
  })
})
