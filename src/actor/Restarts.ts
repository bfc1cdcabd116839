/**
 * Limits and delays of restarts: the restart intensity of OTP's supervisors, and a backoff with
 * jitter, which OTP does not have.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { SupervisorInspection } from "./Inspection.ts"

/** With more than `intensity` restarts within `period`, the supervisor gives up. */
export interface RestartLimits {
  /** 0 allows none. */
  readonly intensity: number
  /** Milliseconds. */
  readonly period: number
}

/** Counts restarts over a sliding period. Remembers at most `intensity` times. */
export interface RestartWindow {
  /**
   * Whether one more restart is allowed at `now`, in ms of a time that only goes forward. If so,
   * counts it.
   */
  readonly admit: (now: number) => boolean
  readonly clear: () => void
}

/**
 * A window without restarts. A restart counts until it is older than the period; at exactly the
 * period it still counts, as in OTP.
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
 * The delay before a restart: `base * factor ^ (crashes - 1)`, at most `max`, then multiplied by a
 * random number from `1 - jitter` to `1 + jitter`.
 */
export interface Backoff {
  readonly base: Duration.Input
  /** 2 when left out. */
  readonly factor?: number
  /** One minute when left out. */
  readonly max?: Duration.Input
  /** From 0 to 1: 0.2 when left out, which spreads a second over 0.8 to 1.2 seconds. */
  readonly jitter?: number
}

/**
 * The delay in ms after so many crashes in a row, counted from 1. The jitter comes from Effect's
 * Random.
 */
export const delayOf = (backoff: Backoff | undefined, crashes: number): Effect.Effect<number> => {
  if (backoff === undefined) return Effect.succeed(0)
  const { factor = 2, jitter = 0.2, max = "1 minute" } = backoff
  const delay = Math.min(Duration.toMillis(max), Duration.toMillis(backoff.base) * factor ** (crashes - 1))
  return Effect.map(Random.next, (random) => Math.max(0, delay * (1 + jitter * (2 * random - 1))))
}

/** Which children are restarted together. */
export type Strategy = SupervisorInspection["strategy"]

/** The limits and delays of restarts. */
export interface SupervisorOptions {
  /** `one_for_one` when left out. */
  readonly strategy?: Strategy
  /** Restarts allowed within the period: 1 when left out, as in OTP. */
  readonly intensity?: number
  /** 5 seconds when left out, as in OTP. */
  readonly period?: Duration.Input
  /** Restarts are immediate when left out, as in OTP. */
  readonly backoff?: Backoff
}
