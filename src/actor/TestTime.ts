/**
 * Time in tests: the test's own TestClock, and ends that wait for nobody once a test is over.
 * Loaded by tests alone.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import type { Child, Kernel } from "./Kernel.ts"

const isTestClock = (clock: Clock.Clock): clock is TestClock.TestClock => "adjust" in clock

/** The TestClock of the context, or a new one. */
export const layer: Layer.Layer<never> = Layer.unwrap(
  Effect.map(
    Clock.Clock,
    (around): Layer.Layer<never> => isTestClock(around) ? Layer.succeed(Clock.Clock, around) : TestClock.layer()
  )
)

/**
 * Ends a child, and moves the test's clock as far as that takes, when nobody else has moved it for
 * a while of real time: first by little and then by more. Each step leaves some real time to what
 * waits for a socket or a file. After hours the child is left alone, with an error in the log: what
 * never ends must not hide how the test has ended.
 */
export const endingOn = (clock: Clock.Clock): Kernel["ending"] => (child) =>
  Effect.withFiber((fiber) =>
    // A handler that closes the scope of its own actor does not wait for that.
    !isTestClock(clock) || child.holds(fiber) ? child.terminate : endOnTime(child, clock)
  )

const endOnTime = (child: Child, clock: TestClock.TestClock): Effect.Effect<void> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkDetach(child.terminate, { startImmediately: true })
    const isOver = (): boolean => fiber.pollUnsafe() !== undefined
    yield* untilStill(clock, isOver)
    for (let step = 0; step < steps && !isOver(); step++) {
      yield* clock.adjust(firstStepMs * growth ** step)
      yield* realTime(clock, sliceMs, isOver)
    }
    if (isOver()) return yield* Fiber.join(fiber)
    yield* Effect.logError(`${child.path} did not end with its test`, child.inspect())
  })

/** Waits until the clock has stood still for some real time, or it is over. */
const untilStill = (clock: TestClock.TestClock, isOver: () => boolean): Effect.Effect<void> =>
  Effect.suspend(() => {
    const before = clock.currentTimeMillisUnsafe()
    const isMoved = (): boolean => clock.currentTimeMillisUnsafe() !== before
    return Effect.flatMap(
      realTime(clock, patienceMs, () => isOver() || isMoved()),
      () => !isOver() && isMoved() ? untilStill(clock, isOver) : Effect.void
    )
  })

/** Waits for so many ms of real time, or until it is over. */
const realTime = (clock: TestClock.TestClock, ms: number, isOver: () => boolean): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (let waited = 0; waited < ms && !isOver(); waited += sliceMs) yield* clock.withLive(Effect.sleep(sliceMs))
  })

const sliceMs = 5
const patienceMs = 100
const firstStepMs = 100
const growth = 1.1
/** All of them together are three hours and some more. */
const steps = 98
