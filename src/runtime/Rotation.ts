/**
 * The scheduled job that rotates hounds: it replaces the dormant ones by new ones, at the interval
 * and with the jitter that are configured under `scheduler` (CONFORMANCE H5).
 */
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { Settings } from "../config/Settings.ts"
import { HoundPool } from "../hound/pool/HoundPool.ts"
import { TickScheduler } from "../scheduler/TickScheduler.ts"

/**
 * Makes the effect that schedules the job, until the scope that this was made in closes. It does
 * nothing where there are no hounds, and nothing when it is run again.
 */
export const makeRotation = Effect.gen(function*() {
  const { scheduler: { jitterMax, rotationInterval, skipIfBusy } } = yield* Settings
  const { hasHounds, isBusy, rotate } = yield* HoundPool
  const ticks = yield* TickScheduler
  const scope = yield* Effect.scope
  const scheduled = ticks.schedule({
    name: "rotation",
    interval: rotationInterval,
    jitterMax,
    skipIfBusy,
    isBusy,
    run: rotate
  })
  return yield* Effect.cached(hasHounds ? Effect.asVoid(Scope.provide(scheduled, scope)) : Effect.void)
})
