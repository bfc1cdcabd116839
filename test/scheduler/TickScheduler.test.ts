import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Context, Effect, Exit, Layer, Logger, References, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Randomness } from "../../src/host/port/Randomness.ts"
import type { Job, JobOptions } from "../../src/scheduler/TickScheduler.ts"
import { random, Seed } from "../support/random.ts"
import { job, jumping, scripted, started, work } from "./jobs.ts"

describe("TickScheduler", () => {
  it.effect("RFC H5 each delay is the interval and a new jitter from the source, counted from the tick", () =>
    Effect.gen(function*() {
      const { schedule } = yield* started(scripted(7, 200, 255, 0))
      yield* TestClock.setTime(1_000_000)
      const { snapshot } = yield* schedule(job({ jitterMax: 255 }))
      let tick = 1_000_000
      for (const [runs, jitter] of [7, 200, 255, 0].entries()) {
        tick += 1_000 + jitter
        assert.deepStrictEqual(snapshot(), { runs, skipped: 0, failures: 0, nextAt: tick })
        yield* TestClock.setTime(tick - 1)
        assert.strictEqual(snapshot().runs, runs)
        yield* TestClock.setTime(tick)
        assert.strictEqual(snapshot().runs, runs + 1)
      }
    }))

  it.effect("RFC H5 the delay is counted from the tick, not from the end of the run", () =>
    Effect.gen(function*() {
      const { schedule } = yield* started()
      const { run, seen } = work(700)
      const { snapshot } = yield* schedule(job({ run }))
      yield* TestClock.adjust(1_500)
      assert.deepStrictEqual([seen.on, snapshot()], [1, { runs: 1, skipped: 0, failures: 0, nextAt: 2_000 }])
      yield* TestClock.adjust(3_000)
      assert.deepStrictEqual(snapshot(), { runs: 4, skipped: 0, failures: 0, nextAt: 5_000 })
    }))

  it.effect("RFC H5 skipIfBusy: a tick of a busy job is skipped and counted, and the next is planned with a new jitter", () =>
    Effect.gen(function*() {
      const { schedule } = yield* started(scripted(1, 2, 3, 4))
      let busy = true
      const { snapshot } = yield* schedule(job({ jitterMax: 255, isBusy: () => busy }))
      yield* TestClock.adjust(1_001)
      assert.deepStrictEqual(snapshot(), { runs: 0, skipped: 1, failures: 0, nextAt: 2_003 })
      yield* TestClock.adjust(1_002)
      assert.deepStrictEqual(snapshot(), { runs: 0, skipped: 2, failures: 0, nextAt: 3_006 })
      busy = false
      yield* TestClock.adjust(1_003)
      assert.deepStrictEqual(snapshot(), { runs: 1, skipped: 2, failures: 0, nextAt: 4_010 })
    }))

  it.effect("RFC H5 without skipIfBusy isBusy is never called", () =>
    Effect.gen(function*() {
      const { schedule } = yield* started()
      let asked = 0
      const isBusy = () => (asked += 1) > 0
      const { snapshot } = yield* schedule(job({ skipIfBusy: false, isBusy }))
      yield* TestClock.adjust(3_000)
      assert.deepStrictEqual([asked, snapshot().runs, snapshot().skipped], [0, 3, 0])
    }))

  it.effect.each([true, false])(
    "RFC H5 never two runs at once, with skipIfBusy %s",
    (skipIfBusy) =>
      Effect.gen(function*() {
        const { schedule } = yield* started()
        const { run, seen } = work(2_500)
        const { snapshot } = yield* schedule(job({ run, skipIfBusy }))
        yield* TestClock.adjust(3_000)
        assert.deepStrictEqual([seen.on, snapshot().runs, snapshot().skipped], [1, 1, 2])
        yield* TestClock.adjust(6_000)
        assert.deepStrictEqual([seen.most, snapshot().runs, snapshot().skipped], [1, 3, 6])
      })
  )

  it.effect("RFC H5 many ticks missed at once are one run, and the next is counted from there", () =>
    Effect.gen(function*() {
      const { clock, hands, jump, waiting } = jumping()
      const { schedule } = yield* Effect.provideService(started(), Clock.Clock, clock)
      const { snapshot } = yield* schedule(job())
      yield* jump(3_600_500)
      assert.deepStrictEqual(snapshot(), { runs: 1, skipped: 0, failures: 0, nextAt: hands.wall + 1_000 })
      yield* jump(999)
      assert.strictEqual(snapshot().runs, 1)
      yield* jump(1)
      assert.strictEqual(snapshot().runs, 2)
      assert.strictEqual(waiting.size, 1)
    }))

  it.effect("RFC H5 setting the time of day neither hurries nor delays a tick", () =>
    Effect.gen(function*() {
      const { clock, hands, jump } = jumping()
      const { schedule } = yield* Effect.provideService(started(), Clock.Clock, clock)
      const { snapshot } = yield* schedule(job())
      assert.strictEqual(snapshot().nextAt, 6_000)
      for (const [runs, wall] of [0, 1e12, -1e9].entries()) {
        hands.wall = wall
        assert.strictEqual(snapshot().nextAt, wall + 1_000, "said by the clock as it is set now")
        yield* jump(999)
        assert.strictEqual(snapshot().runs, runs)
        yield* jump(1)
        assert.deepStrictEqual(snapshot(), { runs: runs + 1, skipped: 0, failures: 0, nextAt: wall + 2_000 })
      }
    }))

  it.effect("a timer that goes off too early is set again for the rest", () =>
    Effect.gen(function*() {
      const { clock, hands, jump, waiting } = jumping()
      const { schedule } = yield* Effect.provideService(started(), Clock.Clock, clock)
      const { snapshot } = yield* schedule(job())
      hands.passed = 400
      const [early] = waiting
      waiting.clear()
      early?.wake()
      yield* jump(0)
      assert.deepStrictEqual([snapshot().runs, [...waiting].map(({ end }) => end)], [0, [1_000]])
      yield* jump(600)
      assert.strictEqual(snapshot().runs, 1)
    }))

  // Ten bits: 1023 is past 900 in every draw, and what is left of it is 1023 - 901.
  it.effect.each([{ byte: 0, delay: 1_000 }, { byte: 255, delay: 1_122 }])(
    "RFC H5 works if every byte is $byte",
    ({ byte, delay }) =>
      Effect.gen(function*() {
        const { schedule } = yield* started(Layer.succeed(Randomness, { fill: (target) => void target.fill(byte) }))
        const { snapshot } = yield* schedule(job({ jitterMax: 900 }))
        assert.strictEqual(snapshot().nextAt, delay)
        yield* TestClock.adjust(3 * delay)
        assert.strictEqual(snapshot().runs, 3)
      })
  )

  const mishaps: ReadonlyArray<readonly [what: string, options: Partial<JobOptions>, runs: number]> = [
    ["a run that dies", { run: Effect.die(new Error("no")) }, 3],
    ["a run that interrupts itself", { run: Effect.interrupt }, 3],
    ["an isBusy that throws", {
      isBusy: () => {
        throw new Error("no")
      }
    }, 0]
  ]
  it.effect.each(mishaps)("RFC H5 %s is counted and stops nothing", ([, options, runs]) =>
    Effect.gen(function*() {
      const { schedule, sleeps } = yield* started()
      const bad = yield* schedule(job(options))
      const good = yield* schedule(job())
      yield* TestClock.adjust(3_000)
      assert.deepStrictEqual(bad.snapshot(), { runs, skipped: 0, failures: 3, nextAt: 4_000 })
      assert.deepStrictEqual(good.snapshot(), { runs: 3, skipped: 0, failures: 0, nextAt: 4_000 })
      assert.strictEqual(sleeps.now, 1)
    }))

  it.effect("a failed run is logged with its job's name, a run that closing interrupts is not", () =>
    Effect.gen(function*() {
      const { close, schedule } = yield* started()
      const logged: Array<unknown> = []
      const logger = Logger.make(({ cause, fiber }) => {
        logged.push([fiber.getRef(References.CurrentLogAnnotations)["job"], Cause.squash(cause)])
      })
      const logging = Effect.provideService(Logger.CurrentLoggers, new Set([logger]))
      yield* logging(schedule(job({ name: "bad", run: Effect.die("no") })))
      yield* logging(schedule(job({ name: "long", run: Effect.never })))
      yield* TestClock.adjust(1_000)
      yield* close
      assert.deepStrictEqual(logged, [["bad", "no"]])
    }))

  it.effect("RFC H5 if the randomness throws, the tick has no jitter and no run, and counts as a failure", () =>
    Effect.gen(function*() {
      let broken = false
      const { schedule } = yield* started(Layer.succeed(Randomness, {
        fill: (target) => {
          if (broken) throw new Error("no entropy")
          target.fill(5)
        }
      }))
      const { snapshot } = yield* schedule(job({ jitterMax: 255 }))
      broken = true
      yield* TestClock.adjust(1_005)
      assert.deepStrictEqual(snapshot(), { runs: 0, skipped: 0, failures: 1, nextAt: 2_005 })
      broken = false
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(snapshot(), { runs: 1, skipped: 0, failures: 1, nextAt: 3_010 })
    }))

  it.effect("RFC H5 one timer for all jobs, none without a job", () =>
    Effect.gen(function*() {
      const { close, schedule, sleeps } = yield* started()
      assert.deepStrictEqual(sleeps, { now: 0, most: 0, begun: 0 })
      const scope = yield* Scope.make()
      const late = yield* Scope.provide(schedule(job({ interval: 5_000 })), scope)
      assert.deepStrictEqual(sleeps, { now: 1, most: 1, begun: 1 })
      const later = yield* Scope.provide(schedule(job({ interval: 9_000 })), scope)
      assert.deepStrictEqual(sleeps, { now: 1, most: 1, begun: 1 }, "a later one wakes nothing")
      const inner = yield* Scope.make()
      const early = yield* Scope.provide(schedule(job({ interval: 700 })), inner)
      assert.deepStrictEqual(sleeps, { now: 1, most: 1, begun: 2 }, "an earlier one does")
      yield* TestClock.adjust(1_400)
      assert.deepStrictEqual([early, late, later].map(({ snapshot }) => snapshot().runs), [2, 0, 0])
      yield* Scope.close(inner, Exit.void)
      assert.deepStrictEqual(sleeps, { now: 1, most: 1, begun: 5 })
      yield* TestClock.adjust(8_600)
      assert.deepStrictEqual([early, late, later].map(({ snapshot }) => snapshot().runs), [2, 2, 1])
      assert.strictEqual(sleeps.begun, 8, "a timer that nobody needed has not gone off")
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual([sleeps.now, sleeps.most], [0, 1])
      yield* close
      assert.strictEqual(sleeps.begun, 8)
    }))

  it.effect("RFC H5 one timer even if the next job is overdue when the timer is set", () =>
    Effect.gen(function*() {
      const { clock, hands, jump, waiting } = jumping()
      const { schedule } = yield* Effect.provideService(started(), Clock.Clock, clock)
      const scope = yield* Scope.make()
      yield* Scope.provide(schedule(job()), scope)
      const { snapshot } = yield* schedule(job({ interval: 1_500 }))
      // Time has passed, and the timer has not gone off yet.
      hands.passed = 2_000
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(waiting.size, 1)
      yield* jump(1)
      assert.deepStrictEqual([snapshot().runs, waiting.size], [1, 1])
      yield* schedule(job({ interval: 10 }))
      assert.strictEqual(waiting.size, 1)
      yield* jump(1_500)
      assert.deepStrictEqual([snapshot().runs, waiting.size], [2, 1])
    }))

  it.effect("RFC H5 closing the job's scope removes it and interrupts its run, and no other", () =>
    Effect.gen(function*() {
      const { schedule, sleeps } = yield* started()
      const scope = yield* Scope.make()
      const going = work(60_000)
      const other = work(60_000)
      const closed = yield* Scope.provide(schedule(job({ run: going.run })), scope)
      const kept = yield* schedule(job({ run: other.run }))
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual([going.seen.on, other.seen.on], [1, 1])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual([going.seen.on, going.seen.interrupted], [0, 1])
      assert.deepStrictEqual([other.seen.on, other.seen.interrupted], [1, 0])
      yield* TestClock.adjust(5_000)
      assert.deepStrictEqual(closed.snapshot(), { runs: 1, skipped: 0, failures: 0, nextAt: null })
      assert.deepStrictEqual(kept.snapshot(), { runs: 1, skipped: 5, failures: 0, nextAt: 7_000 })
      assert.strictEqual(sleeps.now, 1)
    }))

  it.effect("RFC H5 closing waits until the interrupted run has cleaned up", () =>
    Effect.gen(function*() {
      const { schedule } = yield* started()
      const scope = yield* Scope.make()
      let cleaned = false
      const run = Effect.onInterrupt(Effect.never, () =>
        Effect.gen(function*() {
          for (let turn = 0; turn < 10; turn++) yield* Effect.yieldNow
          cleaned = true
        }))
      yield* Scope.provide(schedule(job({ run })), scope)
      yield* TestClock.adjust(1_000)
      yield* Scope.close(scope, Exit.void)
      assert.isTrue(cleaned)
    }))

  it.effect("RFC H5 a run may close its own scope, and ends with it", () =>
    Effect.gen(function*() {
      const { schedule, sleeps } = yield* started()
      const scope = yield* Scope.make()
      const said: Array<string> = []
      const run = Effect.gen(function*() {
        yield* Scope.close(scope, Exit.void)
        yield* Effect.yieldNow
        said.push("went on")
      }).pipe(Effect.onExit((exit) => Effect.sync(() => void said.push(exit._tag))))
      const { snapshot } = yield* Scope.provide(schedule(job({ run })), scope)
      yield* TestClock.adjust(2_000)
      assert.deepStrictEqual(snapshot(), { runs: 1, skipped: 0, failures: 0, nextAt: null })
      assert.deepStrictEqual([said, sleeps.now], [["Failure"], 0])
    }))

  it.effect("RFC H5 jobs that another job's isBusy closes at the same tick do not run", () =>
    Effect.gen(function*() {
      const { schedule } = yield* started()
      const scope = yield* Scope.make()
      const close = Effect.runSyncWith(yield* Effect.context())
      const isBusy = () => {
        close(Scope.close(scope, Exit.void))
        return false
      }
      const before = yield* Scope.provide(schedule(job()), scope)
      const closing = yield* schedule(job({ isBusy }))
      const after = yield* Scope.provide(schedule(job()), scope)
      yield* TestClock.adjust(1_000)
      const gone = { runs: 0, skipped: 0, failures: 0, nextAt: null }
      const looks = [before, closing, after].map(({ snapshot }) => snapshot())
      assert.deepStrictEqual(looks, [gone, { ...gone, runs: 1, nextAt: 2_000 }, gone])
    }))

  it.effect("RFC H5 closing the service ends everything, and jobs scheduled afterwards never tick", () =>
    Effect.gen(function*() {
      const { close, schedule, sleeps } = yield* started()
      const { run, seen } = work(60_000)
      const jobs = [yield* schedule(job({ run })), yield* schedule(job({ run })), yield* schedule(job())]
      yield* TestClock.adjust(1_000)
      assert.strictEqual(seen.on, 2)
      yield* close
      assert.deepStrictEqual([seen.on, seen.interrupted, sleeps.now], [0, 2, 0])
      const late = yield* schedule(job())
      yield* TestClock.adjust(9_000)
      assert.deepStrictEqual(
        [...jobs, late].map(({ snapshot }) => snapshot()),
        [1, 1, 1, 0].map((runs) => ({ runs, skipped: 0, failures: 0, nextAt: null }))
      )
      assert.strictEqual(sleeps.now, 0)
    }))

  it.effect("a run has the context in which it was scheduled", () =>
    Effect.gen(function*() {
      const Word = Context.Reference<string>("test/Word", { defaultValue: () => "none" })
      const { schedule } = yield* started()
      const words: Array<string> = []
      const run = Effect.map(Word, (word) => void words.push(word))
      yield* schedule(job({ run })).pipe(Effect.provideService(Word, "mine"))
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(words, ["mine"])
    }))

  it.effect.each([{ interval: 0 }, { interval: Number.NaN }, { jitterMax: -1 }, { jitterMax: 0.5 }])(
    "dies of %o and leaves nothing behind",
    (options) =>
      Effect.gen(function*() {
        const { schedule, sleeps } = yield* started()
        const exit = yield* Effect.exit(schedule(job(options)))
        assert.instanceOf(Exit.isFailure(exit) ? Cause.squash(exit.cause) : exit, RangeError)
        assert.strictEqual(sleeps.begun, 0)
      })
  )

  interface Seen {
    readonly options: JobOptions
    readonly seen: { readonly on: number; readonly most: number }
    readonly snapshot: Job["snapshot"]
    ticks: number
  }

  it.effect.prop(
    "RFC H5 for any jobs: one timer, every tick in its range and counted once, never two runs of one job",
    { seed: Seed },
    ({ seed }) =>
      Effect.gen(function*() {
        const { below, chance } = random(seed)
        const { close, schedule, sleeps } = yield* started(
          Layer.succeed(Randomness, {
            fill: (target) => {
              for (let i = 0; i < target.length; i++) target[i] = below(256)
            }
          })
        )
        const jobs: Array<Seen> = []
        const inRange = ({ options, snapshot }: Seen, now: number): void => {
          const gap = (snapshot().nextAt ?? assert.fail("no tick is planned")) - now
          assert.isTrue(gap >= options.interval && gap <= options.interval + options.jitterMax, `${gap}`)
        }
        for (let now = 0; now < 400; now++) {
          if (now % 40 === 0 && now < 200) {
            const { run, seen } = work(below(300))
            const options = job({
              interval: 1 + below(100),
              jitterMax: below(100),
              skipIfBusy: chance(0.8),
              isBusy: () => chance(0.3),
              run
            })
            const { snapshot } = yield* schedule(options)
            jobs.push({ options, seen, snapshot, ticks: 0 })
            inRange(jobs.at(-1) ?? assert.fail(), now)
          }
          // `nextAt` changes at every tick, and only then: so the test can see the ticks.
          const planned = jobs.map(({ snapshot }) => snapshot().nextAt)
          yield* TestClock.adjust(1)
          for (const [i, each] of jobs.entries()) {
            const { failures, nextAt, runs, skipped } = each.snapshot()
            assert.strictEqual(nextAt !== planned[i], planned[i] === now + 1)
            if (nextAt !== planned[i]) {
              each.ticks += 1
              inRange(each, now + 1)
            }
            assert.deepStrictEqual([runs + skipped, failures], [each.ticks, 0])
          }
        }
        assert.isTrue(jobs.every(({ seen, ticks }) => seen.most <= 1 && ticks > 0))
        assert.deepStrictEqual([sleeps.now, sleeps.most], [1, 1])
        yield* close
        assert.deepStrictEqual([sleeps.now, ...jobs.map(({ seen }) => seen.on)], [0, ...jobs.map(() => 0)])
      }),
    { arbitrary: { runs: 25 } }
  )
})
