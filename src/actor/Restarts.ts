/**
 * How often, and how soon: the restart intensity of OTP's supervisors, and a backoff with jitter
 * that OTP leaves to its users.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"

/** At most `intensity` restarts within `period`; one more, and the supervisor gives up. */
export interface RestartLimits {
  /** 0 allows none. */
  readonly intensity: number
  /** Milliseconds. */
  readonly period: number
}

/** The restarts that still count, oldest first: never more than `intensity`. */
export interface RestartWindow {
  /** Whether one more restart is allowed at `now`, in ms; it is then counted. */
  readonly admit: (now: number) => boolean
  readonly clear: () => void
}

/**
 * A window without restarts. A restart counts until its period is past; at the period exactly it
 * still does, as in OTP. As `now` may be a time of day, a restart that lies in the future counts.
 */
export const makeRestartWindow = ({ intensity, period }: RestartLimits): RestartWindow => {
  let times: Array<number> = []
  return {
    admit: (now) => {
      times = times.filter((time) => now - time <= period)
      if (times.length >= intensity) return false
      times.push(now)
      return true
    },
    clear: () => {
      times = []
    }
  }
}

/**
 * How long a crashed child waits: `base * factor ^ (crashes - 1)`, at most `max`, give or take
 * `jitter`.
 */
export interface Backoff {
  readonly base: Duration.Input
  /** 2 when left out. */
  readonly factor?: number
  /** One minute when left out. */
  readonly max?: Duration.Input
  /**
   * A part of the delay, from 0 to 1: 0.2 when left out, which spreads a second over 0.8 to 1.2.
   */
  readonly jitter?: number
}

/**
 * The delay before restart number `crashes`, from 1, in ms. Its jitter comes from Effect's Random.
 */
export const delayOf = (backoff: Backoff | undefined, crashes: number): Effect.Effect<number> => {
  if (backoff === undefined) return Effect.succeed(0)
  const { factor = 2, jitter = 0.2, max = "1 minute" } = backoff
  const delay = Math.min(Duration.toMillis(max), Duration.toMillis(backoff.base) * factor ** (crashes - 1))
  return Effect.map(Random.next, (random) => Math.max(0, delay * (1 + jitter * (2 * random - 1))))
}
