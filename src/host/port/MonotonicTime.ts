/**
 * Time that only goes forward, as the gate asks for it: a number, read without allocating
 * (CONFORMANCE G1).
 *
 * The time of day jumps: somebody sets it, or a time server does. Limits must not: a clock set back
 * would prolong a block, one set forward would end it.
 *
 * **Gotchas**
 *
 * - It is no time of day. Only differences mean anything, and fractions of a millisecond are part
 *   of it.
 * - A number that a function returns or passes on may be put into an object of its own. On the hot
 *   path time is therefore read into a cell, `last`, once a call, and whoever needs it looks there.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const nanosPerMilli = 1_000_000n

/**
 * One number: a time in ms. A number with a fraction that is handed over by itself may be put into
 * an object of its own, for every call.
 */
export type TimeCell = Readonly<Float64Array>

/** A stopwatch that is always running. */
export class MonotonicTime extends Context.Service<MonotonicTime, {
  /** Milliseconds since some moment in the past. */
  readonly nowMs: () => number
  /** Reads the time into `last`. */
  readonly tick: () => void
  /** The time that was read last. */
  readonly last: TimeCell
}>()("tracehound/host/port/MonotonicTime") {
  /**
   * Effect's own clock, whatever it is: a test's, a replay's, the host's. It makes a bigint for
   * each reading.
   */
  static readonly layerPortable = Layer.effect(
    MonotonicTime,
    Effect.map(Clock.Clock, (clock) => {
      const last = new Float64Array(1)
      const nowMs = () => millis(clock.monotonicTimeNanosUnsafe())
      return {
        nowMs,
        last,
        tick: () => {
          last[0] = nowMs()
        }
      }
    })
  )
}

/** Whole milliseconds exactly, however many; the rest to a fraction. */
const millis = (nanos: bigint): number =>
  Number(nanos / nanosPerMilli) + Number(nanos % nanosPerMilli) / Number(nanosPerMilli)
