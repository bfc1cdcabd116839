/**
 * Effect's clock with timers that do not keep the process alive: a Tracehound must not be the
 * reason why its host's process does not end (CONFORMANCE R4).
 *
 * Promises what Effect's own clock promises: the same readings, delays of any length, and no timer
 * left when a sleep is interrupted. A caller that waits for something that sleeps, such as dispose,
 * holds the clock: all timers, present and future, then keep the process alive until there were as
 * many releases as holds.
 *
 * Cost: Effect's own timer, and an entry in a set.
 *
 * **Gotchas**
 *
 * - A process may end in the middle of a sleep. The code after the sleep then does not run, nor
 *   does any finalizer.
 * - An infinite sleep has no timer, so holding the clock does not keep the process alive for it, as
 *   with Effect's own clock.
 * - `instanceof UnrefClock` means that the time is the host's own.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

/** Effect's own clock. */
export const hostClock = Context.get(Context.empty(), Clock.Clock)

/** The longest delay of setTimeout, in ms: it fires at once where the delay is longer. */
const maxDelayMs = 2 ** 31 - 1

/** The host's clock, whose timers keep the process alive only while it is held. */
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

  /** Makes all timers keep the process alive, until there were as many releases as holds. */
  hold(): void {
    this.#holds += 1
    if (this.#holds === 1) {
      for (const timer of this.#timers) timer.ref()
    }
  }

  /** Takes one hold back; does nothing where there is none. */
  release(): void {
    if (this.#holds === 0) return
    this.#holds -= 1
    if (this.#holds === 0) {
      for (const timer of this.#timers) timer.unref()
    }
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
 * Replaces the host's clock by an UnrefClock, for periodic work. Leaves any other clock, such as a
 * test's, as it is.
 */
export const layerWhereHost: Layer.Layer<never> = Layer.unwrap(
  Effect.map(Clock.Clock, (clock) => clock === hostClock ? Layer.succeed(Clock.Clock, new UnrefClock()) : Layer.empty)
)
