/**
 * The answers of `intercept` on two channels: clean scents succeed, all others fail (CONFORMANCE
 * D10).
 */
import * as Effect from "effect/Effect"
import { Hostile, type InterceptError, PayloadTooLarge, RateLimited, Unjudged } from "../domain/InterceptErrors.ts"
import type { InterceptResult } from "../domain/InterceptResult.ts"

/** Succeeds where the result is `clean`, and fails with every other one. */
export const orFail = (result: InterceptResult): Effect.Effect<void, InterceptError> => {
  switch (result.status) {
    case "clean":
      return Effect.void
    case "rate_limited":
      return Effect.fail(new RateLimited({ retryAfter: result.retryAfter }))
    case "payload_too_large": {
      const { bound, limit } = result
      return Effect.fail(new PayloadTooLarge(bound === undefined ? { limit } : { limit, bound }))
    }
    case "ignored":
      return Effect.fail(new Hostile({ status: "ignored", signature: result.signature }))
    case "quarantined":
    case "escalated":
      return Effect.fail(new Hostile({ status: result.status, signature: result.handle.signature }))
    case "error":
      return Effect.fail(new Unjudged({ error: result.error }))
  }
}
