/**
 * Monotonic time by `performance.now`, which allocates nothing, whereas Effect's clock makes a
 * bigint for each reading.
 *
 * **Gotchas**
 *
 * - It applies only where the clock is the host's. Under any other clock, a test's or a replay's,
 *   it reads that clock, so that a test controls all time.
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
