/**
 * Bounds the time of somebody else's work (a write, a callback), so that what never answers is
 * given up (CONFORMANCE C1, F4, S4).
 *
 * Promises an end within the deadline and the grace, whatever the work does. Work that overruns is
 * interrupted and has the grace to clean up after itself; after that its fiber is abandoned.
 *
 * Cost: three fibers, and a timer that is cancelled.
 *
 * **Gotchas**
 *
 * - What was given up may have been done all the same: a disk that answers after a minute has
 *   written the file. A second try under the same name then finds it taken, and fails.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/** How long interrupted work may take to clean up. */
const grace: Duration.Input = "1 second"

/**
 * The work, which fails with `overdue` where it does not end within `deadline`. An interruption
 * from outside ends within the grace too.
 */
export const withDeadline = <A, E, E2>(
  work: Effect.Effect<A, E>,
  deadline: Duration.Input,
  overdue: () => E2
): Effect.Effect<A, E | E2> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      // Detached: interrupting a child fiber would wait for whatever in it cannot be interrupted.
      const fiber = yield* Effect.forkDetach(Effect.interruptible(work), { startImmediately: true })
      const stop = Effect.suspend(() => {
        fiber.interruptUnsafe()
        return Effect.timeoutOption(Fiber.await(fiber), grace)
      })
      const inTime = yield* restore(Effect.timeoutOption(Fiber.await(fiber), deadline)).pipe(
        Effect.onInterrupt(() => stop)
      )
      if (Option.isSome(inTime)) return yield* inTime.value
      yield* stop
      return yield* Effect.fail(overdue())
    })
  )
