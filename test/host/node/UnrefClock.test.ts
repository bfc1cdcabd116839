import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, Fiber, Scope } from "effect"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { layerWhereHost, UnrefClock } from "../../../src/host/node/UnrefClock.ts"

const limit = 2 ** 31 - 1

/**
 * Runs a program that has an UnrefClock and the function `sleeping(ms)`, and gives its output; the
 * status is null where the process does not end.
 */
const runs = (program: string) => {
  const { status, stderr, stdout } = spawnSync(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `
      import * as Clock from "effect/Clock"
      import * as Effect from "effect/Effect"
      import * as Exit from "effect/Exit"
      import * as Scope from "effect/Scope"
      import { UnrefClock } from ${
        JSON.stringify(fileURLToPath(new URL("../../../src/host/node/UnrefClock.ts", import.meta.url)))
      }
      const clock = new UnrefClock()
      const sleeping = (ms) => Effect.sleep(ms).pipe(
        Effect.andThen(Effect.sync(() => console.log("woke"))),
        Effect.provideService(Clock.Clock, clock)
      )
      process.on("exit", () => console.log("ended"))
      ${program}`
    ],
    { cwd: fileURLToPath(new URL("../../..", import.meta.url)), encoding: "utf8", timeout: 25_000 }
  )
  return { status, stdout, stderr }
}

/** The timers that were set and not cleared; `fire` makes all of them go off now. */
const timers = () => {
  const set = new Set<NodeJS.Timeout>()
  const callbacks = new Map<NodeJS.Timeout, () => void>()
  const delays: Array<number | undefined> = []
  // Calls of ref on timers that had ended.
  const late = { count: 0 }
  const { clearTimeout: clear, setTimeout: begin } = globalThis
  vi.stubGlobal("setTimeout", (callback: () => void, ms?: number) => {
    delays.push(ms)
    const timer = begin(() => {
      set.delete(timer)
      callback()
    }, ms)
    const { ref } = timer
    timer.ref = () => {
      if (!set.has(timer)) late.count += 1
      return ref.call(timer)
    }
    set.add(timer)
    callbacks.set(timer, callback)
    return timer
  })
  vi.stubGlobal("clearTimeout", (timer: NodeJS.Timeout) => {
    set.delete(timer)
    clear(timer)
  })
  const fire = (): void => {
    // Only the timers that are set now: a callback may set others.
    const due = Array.from(set)
    for (const timer of due) {
      set.delete(timer)
      clear(timer)
      callbacks.get(timer)?.()
    }
  }
  return { set, delays, late, fire, refs: () => [...set].map((timer) => timer.hasRef()) }
}

const forkSleep = (clock: Clock.Clock, ms: number): Fiber.Fiber<void> =>
  Effect.runFork(Effect.provideService(Effect.sleep(ms), Clock.Clock, clock))

describe("UnrefClock", () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  it("RFC R4 a pending sleep keeps no process alive", () => {
    assert.deepStrictEqual(runs("Effect.runFork(sleeping(3_600_000))"), { status: 0, stdout: "ended\n", stderr: "" })
  })

  it("RFC R4 while it is held, sleeps that had begun and those that begin keep it alive", () => {
    const before = "Effect.runFork(sleeping(100)); clock.hold()"
    assert.deepStrictEqual(runs(before), { status: 0, stdout: "woke\nended\n", stderr: "" })
    const after = "clock.hold(); Effect.runFork(sleeping(100))"
    assert.deepStrictEqual(runs(after), { status: 0, stdout: "woke\nended\n", stderr: "" })
  })

  it("RFC R4 a held scope keeps it alive until it closes, and no longer", () => {
    const program = `
      Effect.runFork(sleeping(3_600_000))
      Effect.runFork(Effect.andThen(clock.held, sleeping(100)).pipe(Effect.scoped))`
    assert.deepStrictEqual(runs(program), { status: 0, stdout: "woke\nended\n", stderr: "" })
  })

  it("RFC R4 counts holds: timers keep the process alive until there were as many releases", () => {
    const { refs } = timers()
    const clock = new UnrefClock()
    const fibers = [forkSleep(clock, 1e6)]
    assert.deepStrictEqual(refs(), [false])
    clock.hold()
    clock.hold()
    fibers.push(forkSleep(clock, 1e6))
    assert.deepStrictEqual(refs(), [true, true])
    clock.release()
    assert.deepStrictEqual(refs(), [true, true])
    clock.release()
    fibers.push(forkSleep(clock, 1e6))
    assert.deepStrictEqual(refs(), [false, false, false])
    clock.release()
    clock.hold()
    assert.deepStrictEqual(refs(), [true, true, true], "a release too many takes nothing from the next hold")
    for (const fiber of fibers) fiber.interruptUnsafe()
    assert.deepStrictEqual(refs(), [])
  })

  it("RFC R4 a scope holds it, and takes back no hold but its own", async () => {
    const { refs } = timers()
    const clock = new UnrefClock()
    const fiber = forkSleep(clock, 1e6)
    const [one, two] = [Scope.makeUnsafe(), Scope.makeUnsafe()]
    for (const scope of [one, two]) Effect.runSync(Scope.provide(clock.held, scope))
    await Effect.runPromise(Scope.close(one, Exit.void))
    assert.deepStrictEqual(refs(), [true])
    await Effect.runPromise(Scope.close(two, Exit.void))
    assert.deepStrictEqual(refs(), [false])
    fiber.interruptUnsafe()
  })

  it("RFC R4 interrupting a sleep clears its timer, and leaves the others", async () => {
    const { late, refs, set } = timers()
    const clock = new UnrefClock()
    const [gone, kept] = [forkSleep(clock, 1e6), forkSleep(clock, 1e6)]
    const [, left] = set
    await Effect.runPromise(Fiber.interrupt(gone))
    assert.deepStrictEqual([...set], [left])
    clock.hold()
    assert.deepStrictEqual([refs(), late.count], [[true], 0])
    await Effect.runPromise(Fiber.interrupt(kept))
    assert.strictEqual(set.size, 0)
  })

  it("sleeps of all lengths end in order, and leave no timer", async () => {
    const { late, set } = timers()
    const clock = new UnrefClock()
    clock.hold()
    const woken: Array<number> = []
    await Effect.runPromise(
      Effect.forEach(
        [40, 1, 20, 0, -5],
        (ms) => Effect.andThen(Effect.sleep(ms), Effect.sync(() => void woken.push(ms))),
        { concurrency: "unbounded" }
      ).pipe(
        Effect.provideService(Clock.Clock, clock)
      )
    )
    assert.deepStrictEqual(woken, [0, -5, 1, 20, 40])
    clock.release()
    clock.hold()
    assert.deepStrictEqual([set.size, late.count], [0, 0])
  })

  it("a delay past setTimeout's limit is split, and can be interrupted in each part", () => {
    const { delays, fire, set } = timers()
    const clock = new UnrefClock()
    const [whole, cut] = [forkSleep(clock, 2 * limit + 5), forkSleep(clock, 2 * limit + 5)]
    fire()
    assert.deepStrictEqual([set.size, delays], [2, [limit, limit, limit, limit]])
    cut.interruptUnsafe()
    assert.strictEqual(set.size, 1)
    fire()
    assert.deepStrictEqual([set.size, delays.at(-1)], [1, 5])
    assert.isUndefined(whole.pollUnsafe())
    fire()
    assert.deepStrictEqual([whole.pollUnsafe(), set.size, delays.length], [Exit.void, 0, 5])
  })

  it("the second part of a long delay is held as the first one was", () => {
    const { fire, refs } = timers()
    const clock = new UnrefClock()
    const fiber = forkSleep(clock, limit + 5)
    assert.deepStrictEqual(refs(), [false])
    fire()
    assert.deepStrictEqual(refs(), [false])
    clock.hold()
    assert.deepStrictEqual(refs(), [true])
    fiber.interruptUnsafe()
  })

  it("a sleep without end has no timer, and can be interrupted", async () => {
    const { delays } = timers()
    const fiber = Effect.runFork(
      Effect.provideService(Effect.sleep(Duration.infinity), Clock.Clock, new UnrefClock())
    )
    await Effect.runPromise(Effect.yieldNow)
    assert.isUndefined(fiber.pollUnsafe())
    await Effect.runPromise(Fiber.interrupt(fiber))
    assert.deepStrictEqual(delays, [])
  })

  it.live("reads what Effect's own clock reads", () =>
    Effect.gen(function*() {
      const host = yield* Clock.Clock
      const clock = new UnrefClock()
      const readings = [
        [host.currentTimeMillis, clock.currentTimeMillis],
        [host.currentTimeNanos, clock.currentTimeNanos],
        [host.monotonicTimeNanos, clock.monotonicTimeNanos],
        [Effect.sync(() => host.currentTimeMillisUnsafe()), Effect.sync(() => clock.currentTimeMillisUnsafe())],
        [Effect.sync(() => host.currentTimeNanosUnsafe()), Effect.sync(() => clock.currentTimeNanosUnsafe())],
        [Effect.sync(() => host.monotonicTimeNanosUnsafe()), Effect.sync(() => clock.monotonicTimeNanosUnsafe())]
      ] as const
      for (const [theirs, ours] of readings) {
        const [before, reading, after] = [yield* theirs, yield* ours, yield* theirs]
        assert.isTrue(before <= reading && reading <= after, `${before} ${reading} ${after}`)
      }
    }))
})

describe("layerWhereHost", () => {
  it.live("RFC R4 stands in for the host's clock", () =>
    Effect.gen(function*() {
      assert.instanceOf(yield* Clock.Clock, UnrefClock)
    }).pipe(Effect.provide(layerWhereHost)))

  it.effect("RFC S5 leaves a clock that somebody owns", () =>
    Effect.gen(function*() {
      const around = yield* Clock.Clock
      const within = yield* Effect.provide(Clock.Clock, layerWhereHost)
      assert.strictEqual(within, around)
    }))
})
