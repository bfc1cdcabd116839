/**
 * Time that only goes forward, as the gate asks for it: a number, read without allocating (CONFORMANCE G1).
 *
 * The time of day jumps: somebody sets it, or a time server does. Limits must not: a clock set back would prolong a block, one
 * set forward would end it.
 *
 * **Gotchas**
 *
 * - It is no time of day. Only differences mean anything, and fractions of a millisecond are part of it.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const nanosPerMilli = 1_000_000n

/** A stopwatch that is always running. */
export class MonotonicTime extends Context.Service<MonotonicTime, {
  /** Milliseconds since some moment in the past. */
  readonly nowMs: () => number
}>()("tracehound/port/MonotonicTime") {
  /** Effect's own clock, whatever it is: a test's, a replay's, the host's. It makes a bigint for each reading. */
  static readonly layerPortable = Layer.effect(
    MonotonicTime,
    Effect.map(Clock.Clock, (clock) => ({ nowMs: () => millis(clock.monotonicTimeNanosUnsafe()) }))
  )
}

/** Whole milliseconds exactly, however many; the rest to a fraction. */
const millis = (nanos: bigint): number =>
  Number(nanos / nanosPerMilli) + Number(nanos % nanosPerMilli) / Number(nanosPerMilli)
