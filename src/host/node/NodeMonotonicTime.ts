/**
 * Time that only goes forward, by `performance.now`: no allocation, where Effect's clock makes a
 * bigint for each reading.
 *
 * **Gotchas**
 *
 * - Only where the clock is the host's. Under any other, a test's or a replay's, that one is asked:
 *   whoever owns the clock owns all time.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { performance } from "node:perf_hooks"
import { MonotonicTime } from "../port/MonotonicTime.ts"
import { UnrefClock } from "./UnrefClock.ts"

const hostClock = Context.get(Context.empty(), Clock.Clock)

/** The Node implementation of `MonotonicTime`. */
export const layer: Layer.Layer<MonotonicTime> = Layer.unwrap(
  Effect.map(Clock.Clock, (clock) =>
    clock === hostClock || clock instanceof UnrefClock
      ? Layer.sync(MonotonicTime, () => {
        const last = new Float64Array(1)
        return {
          nowMs: () => performance.now(),
          last,
          tick: () => {
            last[0] = performance.now()
          }
        }
      })
      : MonotonicTime.layerPortable)
)
