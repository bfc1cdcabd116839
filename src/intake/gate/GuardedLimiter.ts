/**
 * Guards against a limiter that somebody else wrote (CONFORMANCE R7): what it throws, and what is
 * no answer, is an error on the board, and the scent goes on as if it were allowed.
 *
 * A limiter that fails must cost the limit and never custody: an answer of `error` would let a
 * threat pass.
 *
 * **Gotchas**
 *
 * - A limiter that never returns stops the process, as any synchronous code does.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { disown } from "../../actor/Given.ts"
import { problem } from "../../domain/TracehoundError.ts"
import { Alerts } from "../../safety/alert/Alerts.ts"
import { RateLimiter, type RateLimitResult } from "./RateLimiter.ts"

type Limiter = RateLimiter["Service"]

/** Posted where the limiter threw, or answered what it may not. */
const limiterError = problem({
  state: "ratelimit",
  code: "limiter_failed",
  message: "the limiter that this Tracehound was given failed: its answer is taken as allowed"
})

/** The same limiter, which never throws; `onFault` must not throw. Allocates nothing by itself. */
const guardLimiter = (limiter: Limiter, onFault: () => void): Limiter => {
  const failed = <A>(instead: A, answer?: unknown): A => {
    disown(answer)
    onFault()
    return instead
  }
  return {
    waitUnsafe: (source) => {
      try {
        const wait = limiter.waitUnsafe(source)
        return isWait(wait) ? wait : failed(0, wait)
      } catch {
        return failed(0)
      }
    },
    check: (source) => {
      try {
        const result = limiter.check(source)
        return isResult(result) ? result : failed(allowed, result)
      } catch {
        return failed(allowed)
      }
    },
    reset: (source) => {
      try {
        const answer: unknown = limiter.reset(source)
        if (answer !== undefined) failed(undefined, answer)
      } catch {
        failed(undefined)
      }
    },
    stats: () => {
      try {
        const stats = limiter.stats()
        const { blocked, sources } = stats
        return isCount(blocked) && isCount(sources) ? { blocked, sources } : failed(none, stats)
      } catch {
        return failed(none)
      }
    }
  }
}

const allowed: RateLimitResult = { allowed: true }
const none = { blocked: 0, sources: 0 }

const isWait = (wait: unknown): wait is number =>
  typeof wait === "number" && wait >= 0 && wait <= Number.MAX_SAFE_INTEGER

const isCount = (count: unknown): count is number => Number.isSafeInteger(count) && Number(count) >= 0

/** Who asks catches what a getter throws. */
const isResult = (result: RateLimitResult): boolean => {
  if (typeof result !== "object") return false
  const { allowed }: { readonly allowed: unknown } = result
  if (result.allowed) return allowed === true
  return allowed === false && isWait(result.retryAfter) && typeof result.reason === "string"
}

/** The limiter of the context, guarded; its faults are on the board. */
export const layer: Layer.Layer<RateLimiter, never, Alerts | RateLimiter> = Layer.effect(
  RateLimiter,
  Effect.gen(function*() {
    const { errorUnsafe } = yield* Alerts
    return guardLimiter(yield* RateLimiter, () => errorUnsafe(limiterError))
  })
)
