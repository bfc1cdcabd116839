/**
 * Effect's clock with timers that keep no process alive: a Tracehound in somebody's process must
 * not be why it does not end (CONFORMANCE R4).
 *
 * Promises what Effect's own clock promises: the same readings, delays of any length, and no timer
 * left when a sleep is interrupted. Where a host waits for something that sleeps, such as dispose,
 * it holds the clock: all timers, present and future, then count, until as many releases as holds.
 *
 * Cost: Effect's own timer, and an entry in a set.
 *
 * **Gotchas**
 *
 * - A process may end in the midst of a sleep. What comes after it is then not done, and no
 *   finalizer runs.
 * - A sleep without end has no timer, so holding it keeps no process alive, as with Effect's own
 *   clock.
 * - `instanceof UnrefClock` says that the time is the host's own.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

const hostClock = Context.get(Context.empty(), Clock.Clock)

/** setTimeout's own limit: it goes off at once where the delay is longer. */
const maxDelayMs = 2 ** 31 - 1

/** The host's clock, with timers that count only while somebody holds it. */
export class UnrefClock implements Clock.Clock {
  readonly #timers = new Set<NodeJS.Timeout>()
  #holds = 0

  currentTimeMillisUnsafe(): number {
    return hostClock.currentTimeMillisUnsafe()
  }
  readonly currentTimeMillis: Effect.Effect<number> = hostClock.currentTimeMillis
  currentTimeNanosUnsafe(): bigint {
    return hostClock.currentTimeNanosUnsafe()
  }
  readonly currentTimeNanos: Effect.Effect<bigint> = hostClock.currentTimeNanos
  monotonicTimeNanosUnsafe(): bigint {
    return hostClock.monotonicTimeNanosUnsafe()
  }
  readonly monotonicTimeNanos: Effect.Effect<bigint> = hostClock.monotonicTimeNanos

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return this.#sleepMillis(Duration.toMillis(duration))
  }

  /** Has all timers keep the process alive, until as many releases. */
  hold(): void {
    this.#holds += 1
    if (this.#holds === 1) { for (const timer of this.#timers) timer.ref() }
  }

  /** Takes one hold back. Without a hold it does nothing. */
  release(): void {
    if (this.#holds === 0) return
    this.#holds -= 1
    if (this.#holds === 0) { for (const timer of this.#timers) timer.unref() }
  }

  /** Holds until the scope closes. */
  readonly held: Effect.Effect<void, never, Scope.Scope> = Effect.acquireRelease(
    Effect.sync(() => this.hold()),
    () => Effect.sync(() => this.release())
  )

  #sleepMillis(millis: number): Effect.Effect<void> {
    if (millis <= 0) return Effect.yieldNow
    if (!Number.isFinite(millis)) return Effect.never
    return Effect.callback((resume) => {
      const rest = millis > maxDelayMs ? this.#sleepMillis(millis - maxDelayMs) : Effect.void
      const timer = setTimeout(() => {
        this.#timers.delete(timer)
        resume(rest)
      }, Math.min(millis, maxDelayMs))
      if (this.#holds === 0) timer.unref()
      this.#timers.add(timer)
      return Effect.sync(() => {
        this.#timers.delete(timer)
        clearTimeout(timer)
      })
    })
  }
}

/**
 * An unref'd clock where the clock is the host's, for what merely comes again and again: a test's
 * clock, or anybody's own, stays.
 */
export const layerWhereHost: Layer.Layer<never> = Layer.unwrap(
  Effect.map(Clock.Clock, (clock) => clock === hostClock ? Layer.succeed(Clock.Clock, new UnrefClock()) : Layer.empty)
)
