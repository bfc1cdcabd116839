/**
 * Limits and delays of restarts: the intensity of a supervisor at its bounds, and the backoff of
 * one child and of groups.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, type Duration, Effect, Fiber, Random } from "effect"
import { TestClock } from "effect/testing"
import { type Backoff, type Strategy } from "../../src/actor/index.ts"
import { elapsedOf } from "../../src/actor/Kernel.ts"
import { delayOf, makeRestartWindow } from "../../src/actor/Restarts.ts"
import { calm, Crash, makeWorld, settable, shape, Slow, Work } from "./supervised.ts"

describe("intensity", () => {
  /**
   * Intensity, period in ms, times of the crashes, and the number of the crash that is too many.
   */
  const rows: ReadonlyArray<readonly [number, number, ReadonlyArray<number>, number | null]> = [
    [0, 5_000, [0], 0],
    [0, 5_000, [60_000], 0],
    [1, 5_000, [0], null],
    [1, 5_000, [0, 0], 1],
    [1, 5_000, [0, 4_999], 1],
    [1, 5_000, [0, 5_000], 1],
    [1, 5_000, [0, 5_001], null],
    [3, 5_000, [0, 0, 0], null],
    [3, 5_000, [0, 0, 0, 0], 3],
    [3, 5_000, [0, 1_000, 2_000, 5_000], 3],
    [3, 5_000, [0, 1_000, 2_000, 5_001], null],
    [3, 5_000, [0, 1_000, 2_000, 5_001, 6_001, 7_001, 10_002], null],
    [3, 5_000, [0, 1_000, 2_000, 5_001, 6_000], 4],
    [2, 0, [0, 0, 1, 1, 2, 2], null],
    [2, 0, [0, 0, 1, 1, 1], 4],
    [1, 1_000, Array.from({ length: 50 }, (_, i) => i * 1_001), null],
    [1, 1_000, [...Array.from({ length: 50 }, (_, i) => i * 1_001), 49 * 1_001 + 1_000], 50]
  ]
  const short = (times: ReadonlyArray<number>) =>
    times.length > 8 ? `${times.slice(0, 3).join(", ")}, … ${times.at(-1)}` : times.join(", ")

  for (const [intensity, period, times, last] of rows) {
    const end = last === null ? "survives" : `gives up at crash ${last + 1}`
    it.effect(`RFC S3 ${intensity} within ${period} ms, crashes at ${short(times)}: ${end}`, () =>
      Effect.gen(function*() {
        const { child, crash, escalations, root } = yield* makeWorld({ intensity, period })
        const a = yield* child("a")
        let crashes = 0
        for (const [number, time] of times.entries()) {
          yield* TestClock.setTime(time)
          yield* crash(a)
          crashes += 1
          const survived = last === null || number < last
          assert.strictEqual(a.inspect().phase, survived ? "running" : "ended", `at ${time}`)
          assert.strictEqual(escalations.length, survived ? 0 : 1, `at ${time}`)
        }
        const restarts = last ?? crashes
        assert.strictEqual(root.inspect().restarts, restarts)
        assert.strictEqual(a.inspect().incarnation, restarts + 1)
      }))
  }

  it("RFC S3 a window forgets old restarts", () => {
    const window = makeRestartWindow({ intensity: 2, period: 100 })
    assert.isTrue(window.admit(0))
    assert.isTrue(window.admit(50))
    assert.isFalse(window.admit(100))
    assert.isTrue(window.admit(101))
    window.clear()
    assert.isTrue(window.admit(101))
  })

  it.effect("RFC S3 the crashes of all children count together", () =>
    Effect.gen(function*() {
      const { child, crash, escalations } = yield* makeWorld({ intensity: 2 })
      const [a, b, c] = yield* Effect.forEach(["a", "b", "c"], (name) => child(name))
      if (a === undefined || b === undefined || c === undefined) return assert.fail()
      yield* crash(a)
      yield* crash(b)
      assert.lengthOf(escalations, 0)
      yield* crash(c)
      assert.deepStrictEqual(escalations.map(({ child, restarts, supervisor }) => [supervisor, child, restarts]), [[
        "root",
        "c",
        2
      ]])
    }))

  it.effect("RFC S3 children that are not restarted do not count", () =>
    Effect.gen(function*() {
      const { child, crash, escalations, root } = yield* makeWorld({ intensity: 0 })
      for (let time = 0; time < 5; time++) yield* crash(yield* child("a", { restart: "temporary" }))
      assert.lengthOf(escalations, 0)
      assert.strictEqual(root.inspect().restarts, 0)
    }))
})

describe("backoff", () => {
  /** The backoff, and the delays after crashes that follow each other at once. */
  const rows: ReadonlyArray<readonly [Backoff, ReadonlyArray<number>]> = [
    [{ base: 100, jitter: 0 }, [100, 200, 400, 800, 1_600]],
    [{ base: 100, factor: 3, jitter: 0 }, [100, 300, 900, 2_700]],
    [{ base: 100, factor: 1, jitter: 0 }, [100, 100, 100]],
    [{ base: 100, max: 350, jitter: 0 }, [100, 200, 350, 350]],
    [{ base: "1 second", max: 500, jitter: 0 }, [500, 500]],
    // Longer than the supervisor's period of 5 s: a delay does not count as time up.
    [{ base: "1 second", jitter: 0 }, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]],
    [{ base: 0, jitter: 0 }, [0, 0, 0]]
  ]
  for (const [backoff, delays] of rows) {
    it.effect(`RFC S3 ${JSON.stringify(backoff)} waits ${delays.join(", ")} ms`, () =>
      Effect.gen(function*() {
        const { child, crash } = yield* makeWorld({ intensity: 100, backoff })
        const a = yield* child("a")
        for (const [number, delay] of delays.entries()) {
          yield* crash(a)
          if (delay > 0) {
            assert.strictEqual(a.inspect().phase, "waiting")
            yield* TestClock.adjust(delay - 1)
            yield* calm
            assert.strictEqual(a.inspect().phase, "waiting", `${delay - 1} ms after crash ${number + 1}`)
            yield* TestClock.adjust(1)
            yield* calm
          }
          assert.strictEqual(a.inspect().phase, "running", `${delay} ms after crash ${number + 1}`)
          assert.strictEqual(a.inspect().incarnation, number + 2)
        }
      }))
  }

  for (const [up, next] of [[5_000, 400], [5_001, 100]] as const) {
    it.effect(`RFC S3 ${up} ms up in a period of 5 s: the next delay is ${next} ms`, () =>
      Effect.gen(function*() {
        const { child, crash } = yield* makeWorld({ intensity: 100, backoff: { base: 100, jitter: 0 } })
        const a = yield* child("a")
        for (const delay of [100, 200]) {
          yield* crash(a)
          yield* TestClock.adjust(delay)
          yield* calm
        }
        yield* TestClock.adjust(up)
        yield* crash(a)
        yield* TestClock.adjust(next - 1)
        yield* calm
        assert.strictEqual(a.inspect().phase, "waiting")
        yield* TestClock.adjust(1)
        yield* calm
        assert.strictEqual(a.inspect().phase, "running")
      }))
  }

  for (const jitter of [0.2, 0.5, 1] as const) {
    it.effect(`RFC S3 jitter of ${jitter} spreads a second over its whole range, and not further`, () =>
      Effect.gen(function*() {
        const delays = yield* Effect.forEach(
          Array.from({ length: 2_000 }),
          () => delayOf({ base: "1 second", ...(jitter === 0.2 ? {} : { jitter }) }, 1)
        )
        const [low, high] = [1_000 * (1 - jitter), 1_000 * (1 + jitter)]
        assert.isTrue(delays.every((delay) => delay >= low && delay <= high))
        const tenth = (high - low) / 10
        assert.isBelow(Math.min(...delays), low + tenth)
        assert.isAbove(Math.max(...delays), high - tenth)
      }).pipe(Random.withSeed("jitter")))
  }

  it.effect("RFC S3 a huge number of crashes waits for the maximum, and never a negative time", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* delayOf({ base: 1, jitter: 0 }, 5_000), 60_000)
      const delays = yield* Effect.forEach(Array.from({ length: 100 }), () => delayOf({ base: 10, jitter: 3 }, 1))
      assert.strictEqual(Math.min(...delays), 0)
    }).pipe(Random.withSeed(7)))

  // Whatever is restarted, and whoever crashes it: what counts is the Random of the system.
  for (
    const [strategy, outer] of [
      ["one_for_one", undefined],
      ["one_for_all", undefined],
      ["rest_for_one", undefined],
      ["one_for_one", "the crasher's own seed"]
    ] as const
  ) {
    it.effect(`RFC S5 the delays of a system come from its Random: ${strategy}, ${outer ?? "one seed"}`, () =>
      Effect.gen(function*() {
        const delaysOf = (seed: string) =>
          Effect.gen(function*() {
            const backoff = { base: 40, factor: 1, jitter: 0.5 }
            const making = makeWorld({ strategy, intensity: 100, backoff })
            const { child, crash } = yield* Random.withSeed(making, seed)
            const a = yield* child("a")
            yield* child("b")
            const delays: Array<number> = []
            for (let time = 0; time < 12; time++) {
              yield* outer === undefined ? crash(a) : Random.withSeed(crash(a), `${outer} ${time}`)
              let delay = 0
              for (; a.inspect().phase === "waiting" && delay < 100; delay++) {
                yield* TestClock.adjust(1)
                yield* calm
              }
              delays.push(delay)
            }
            return delays
          })
        const once = yield* delaysOf("one")
        assert.deepStrictEqual(yield* delaysOf("one"), once)
        assert.notDeepEqual(yield* delaysOf("another"), once)
        assert.isTrue(once.every((delay) => delay >= 20 && delay <= 60), once.join(", "))
        assert.isAbove(new Set(once).size, 4)
      }))
  }
})

describe("the time of day", () => {
  const hour = 3_600_000
  const onClock = Effect.fnUntraced(function*(options: Parameters<typeof makeWorld>[0]) {
    const { clock, set } = yield* settable
    const world = yield* Effect.provideService(makeWorld(options), Clock.Clock, clock)
    return { ...world, a: yield* world.child("a"), set }
  })

  for (
    const [intensity, period, pause, ahead] of [
      [1, 200, 600, -hour],
      [1, 5_000, 600_000, -hour],
      [1, 5_000, 5_001, -24 * hour],
      [5, 10_000, hour, -hour],
      [0, 0, 1, hour]
    ] as const
  ) {
    const crashes = intensity + 1
    it.effect(`RFC S3 set by ${ahead} ms after ${intensity} of ${crashes} crashes, ${pause} ms before the last: ${intensity > 0 ? "the old ones do not count" : "an intensity of 0 stays 0"}`, () =>
      Effect.gen(function*() {
        const { a, crash, escalations, set } = yield* onClock({ intensity, period })
        for (let time = 0; time < intensity; time++) yield* crash(a)
        set(ahead)
        yield* TestClock.adjust(pause)
        yield* crash(a)
        assert.lengthOf(escalations, intensity > 0 ? 0 : 1)
      }))
  }

  for (const step of [60_000, 24 * hour, -hour]) {
    it.effect(`RFC S3 set by ${step} ms after each crash: more than the intensity still gives up`, () =>
      Effect.gen(function*() {
        const { a, crash, escalations, set } = yield* onClock({ intensity: 1, period: "10 seconds" })
        for (let time = 1; time <= 2; time++) {
          yield* TestClock.adjust(30)
          yield* crash(a)
          set(time * step)
        }
        assert.lengthOf(escalations, 1)
      }))
  }

  for (const [step, up, next] of [[24 * hour, 0, 400], [-24 * hour, 0, 400], [-hour, 5_001, 100]] as const) {
    it.effect(`RFC S3 set by ${step} ms, and ${up} ms up: the next delay is ${next} ms`, () =>
      Effect.gen(function*() {
        const { a, crash, set } = yield* onClock({ intensity: 100, backoff: { base: 100, jitter: 0 } })
        for (const delay of [100, 200]) {
          yield* crash(a)
          yield* TestClock.adjust(delay)
          yield* calm
        }
        set(step)
        yield* TestClock.adjust(up)
        yield* crash(a)
        yield* TestClock.adjust(next - 1)
        yield* calm
        assert.strictEqual(a.inspect().phase, "waiting")
        yield* TestClock.adjust(1)
        yield* calm
        assert.strictEqual(a.inspect().phase, "running")
      }))
  }

  it.effect("RFC S3 is what the last crash is dated by", () =>
    Effect.gen(function*() {
      const { a, crash, root, set } = yield* onClock({ intensity: 3 })
      set(hour)
      yield* crash(a)
      assert.strictEqual(a.inspect().lastCrash?.at, hour)
      assert.strictEqual(root.inspect().lastCrash?.at, hour)
    }))

  it.effect("RFC S3 a monotonic clock that breaks its promise and goes back: that is no time", () =>
    Effect.gen(function*() {
      let nanos = 5_000_000_000n
      const clock = Object.assign(Object.create(yield* Clock.Clock) as Clock.Clock, {
        monotonicTimeNanosUnsafe: () => nanos
      })
      const elapsed = elapsedOf(clock)
      const seen = [5_000n, 5_900n, 0n, 0n, 1_000n, 900n, 900n + 2n ** 53n].map((ms) => {
        nanos = ms * 1_000_000n
        return elapsed()
      })
      assert.deepStrictEqual(seen, [0, 900, 900, 900, 1_900, 1_900, 1_900 + 2 ** 53])
    }))
})

describe("delayed groups", () => {
  const backoff: Backoff = { base: 100, jitter: 0 }
  const three = Effect.fnUntraced(function*(strategy: Strategy) {
    const world = yield* makeWorld({ strategy, intensity: 100, backoff })
    const [a, b, c] = yield* Effect.forEach(["a", "b", "c"], (name) => world.child(name))
    if (a === undefined || b === undefined || c === undefined) return assert.fail()
    world.trace()
    return { ...world, a, b, c }
  })
  const pass = (ms: number) => Effect.andThen(TestClock.adjust(ms), calm)

  it.effect("RFC S3 one_for_one: each child has its own delay", () =>
    Effect.gen(function*() {
      const { a, b, c, crash, root, trace } = yield* three("one_for_one")
      yield* crash(c)
      yield* pass(30)
      yield* crash(a)
      yield* pass(30)
      yield* crash(b)
      trace()
      assert.strictEqual(shape(root.inspect()), "root running#1 [a waiting#1, b waiting#1, c waiting#1]")
      yield* pass(39)
      assert.strictEqual(trace(), "")
      yield* pass(1)
      assert.strictEqual(trace(), "start c#2")
      yield* pass(30)
      assert.strictEqual(trace(), "start a#2")
      yield* pass(30)
      assert.strictEqual(trace(), "start b#2")
    }))

  it.effect("RFC S3 rest_for_one: a later child that waits is started with an earlier one that crashes, after it", () =>
    Effect.gen(function*() {
      const { a, c, crash, trace } = yield* three("rest_for_one")
      yield* crash(c)
      yield* pass(50)
      yield* crash(a)
      assert.strictEqual(trace(), "crash c, stop c, crash a, stop a, stop b")
      yield* pass(50)
      assert.strictEqual(trace(), "", "c's own time has come, but not a's, which it was started after")
      yield* pass(50)
      assert.strictEqual(trace(), "start a#2, start b#2, start c#2")
    }))

  for (const turns of [0, 1, 2, 3, 4, 5, 6, 7, 8]) {
    it.effect(`RFC S3 rest_for_one: an earlier one that crashes ${turns} turns after a later one was due`, () =>
      Effect.gen(function*() {
        const { a, c, crash, trace } = yield* three("rest_for_one")
        for (const message of [new Slow({ ms: 100, turns }), new Crash({})]) a.tellUnsafe(message)
        yield* calm
        yield* crash(c)
        yield* pass(100)
        yield* pass(100)
        const seen = trace()
        assert.match(seen, /start a#2, start b#2, start c#\d$/)
        assert.notMatch(seen, /stop a.*start c.*start a#2/, "c never comes back before a, which is gone")
      }))
  }

  it.effect("RFC S3 rest_for_one: a later one that crashes while earlier ones wait starts after them", () =>
    Effect.gen(function*() {
      const { a, child, crash, trace } = yield* three("rest_for_one")
      yield* crash(a)
      const d = yield* child("d")
      yield* pass(50)
      yield* crash(d)
      trace()
      yield* pass(100)
      assert.strictEqual(trace(), "start a#2, start b#2, start c#2, start d#2")
    }))

  it.effect("RFC S3 one_for_all: a child that crashes while others wait is started with them, in order", () =>
    Effect.gen(function*() {
      const { c, child, crash, trace } = yield* three("one_for_all")
      yield* crash(c)
      assert.strictEqual(trace(), "crash c, stop c, stop b, stop a")
      const d = yield* child("d")
      yield* pass(50)
      yield* crash(d)
      assert.strictEqual(trace(), "start d#1, crash d, stop d")
      yield* pass(50)
      assert.strictEqual(trace(), "", "the older plan is part of the newer one")
      yield* pass(50)
      assert.strictEqual(trace(), "start a#2, start b#2, start c#2, start d#2")
    }))

  for (const strategy of ["one_for_all", "rest_for_one"] as const) {
    it.effect(`RFC S3 ${strategy}: siblings that crash at once are one restart, as without a backoff`, () =>
      Effect.gen(function*() {
        const { a, b, c, crash, root, trace } = yield* three(strategy)
        yield* crash(a, c, b)
        assert.strictEqual(root.inspect().restarts, 1)
        trace()
        yield* pass(100)
        assert.strictEqual(trace(), "start a#2, start b#2, start c#2")
        yield* pass(10_000)
        assert.strictEqual(trace(), "")
      }))
  }

  it.effect("RFC S3 a child that is stopped while it waits is not started; the others are", () =>
    Effect.gen(function*() {
      const { a, b, crash, root, system, trace } = yield* three("one_for_all")
      yield* crash(a)
      const asked = yield* Effect.forkChild(Effect.flip(b.ask(new Work({ n: 1 }))), { startImmediately: true })
      yield* b.stop
      assert.strictEqual((yield* Fiber.join(asked))._tag, "ActorStopped")
      trace()
      yield* pass(100)
      assert.strictEqual(trace(), "start a#2, start c#2")
      assert.strictEqual(shape(root.inspect()), "root running#1 [a running#2, c running#2]")
      assert.strictEqual(system.deadLetters.counts().stopped, 1)
    }))

  it.effect("RFC S4 no timer outlives its group: not when the group joins another, nor when the system closes", () =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      let asleep = 0
      const counting = Object.assign(Object.create(clock) as Clock.Clock, {
        sleep: (duration: Duration.Duration) =>
          Effect.suspend(() => {
            asleep += 1
            return Effect.ensuring(clock.sleep(duration), Effect.sync(() => asleep -= 1))
          })
      })
      const { a, c, close, crash } = yield* Effect.provideService(three("rest_for_one"), Clock.Clock, counting)
      yield* crash(c)
      assert.strictEqual(asleep, 1)
      yield* crash(a)
      assert.strictEqual(asleep, 1)
      yield* close
      yield* calm
      assert.strictEqual(asleep, 0)
    }))

  it.effect("RFC S4 closing cancels all delayed restarts, and the waiting messages become dead letters", () =>
    Effect.gen(function*() {
      const { a, b, c, close, crash, root, system, trace } = yield* three("one_for_one")
      yield* crash(c, a)
      for (const ref of [a, b, c]) ref.tellUnsafe(new Work({ n: 1 }))
      trace()
      yield* close
      assert.strictEqual(trace(), "b#1 works 1, stop b")
      yield* pass(10_000)
      assert.strictEqual(trace(), "")
      assert.deepStrictEqual(system.deadLetters.recent().slice(2).map(({ actor, reason }) => [actor, reason]), [
        ["root/c", "stopped"],
        ["root/a", "stopped"]
      ])
      assert.strictEqual(shape(root.inspect()), "root ended#1 []")
    }))
})
