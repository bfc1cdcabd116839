/**
 * The rate limiter as a service: the Agent asks it about each scent (RFC, "Security Layer: Rate
 * Limiting"; CONFORMANCE G1 to G4).
 *
 * Sources are counted by their canonical key, so that one host cannot be many by spelling its
 * address differently. Time is monotonic: setting the time of day, back or forward, neither
 * unblocks nor blocks a source.
 *
 * **Gotchas**
 *
 * - `check` counts everything that is no text of at most 256 bytes in UTF-8 as one and the same
 *   source, which `reset` does not forget: such a caller passes no limit by, and takes no memory.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Settings } from "../../config/Settings.ts"
import { maxIdentifierBytes } from "../../domain/Scent.ts"
import { fitsUtf8 } from "../../domain/Text.ts"
import { MonotonicTime } from "../../host/port/MonotonicTime.ts"
import { makeRateTable } from "./RateTable.ts"
import { makeSourceKeys } from "./SourceKey.ts"

/** The RFC's answer. `retryAfter` is in milliseconds. */
export type RateLimitResult =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly retryAfter: number; readonly reason: string }

/**
 * Counted in place of whatever is no source. It is longer than a source may be, so none is counted
 * with it.
 */
const noSource = "no source".padEnd(maxIdentifierBytes + 1)

const isSource = (value: unknown): value is string => typeof value === "string" && fitsUtf8(value, maxIdentifierBytes)

/** Counts requests by source. Synchronous, O(1), never throws. */
export class RateLimiter extends Context.Service<RateLimiter, {
  /** Counts a request at this moment, whatever it is given. The RFC's method. */
  readonly check: (source: string) => RateLimitResult
  /**
   * The same for the hot path, which has checked the source, at the monotonic time that was read
   * last: 0 when allowed, else the whole milliseconds to wait. Allocates nothing.
   */
  readonly waitUnsafe: (source: string) => number
  /** Unblocks a source and forgets its count (CONFORMANCE G2). */
  readonly reset: (source: string) => void
  readonly stats: () => { readonly blocked: number; readonly sources: number }
}>()("tracehound/intake/gate/RateLimiter") {
  /** The limiter that `rateLimit` configures. */
  static readonly layer = Layer.effect(
    RateLimiter,
    Effect.gen(function*() {
      const { rateLimit } = yield* Settings
      const { last, tick } = yield* MonotonicTime
      const table = makeRateTable({ ...rateLimit, keyOf: makeSourceKeys() })
      const reason = `more than ${rateLimit.maxRequests} requests in ${rateLimit.windowMs} ms`
      const waitUnsafe = (source: string): number => table.check(source, last)
      return {
        waitUnsafe,
        check: (source) => {
          tick()
          const retryAfter = waitUnsafe(isSource(source) ? source : noSource)
          return retryAfter === 0 ? { allowed: true } : { allowed: false, retryAfter, reason }
        },
        reset: (source) => {
          if (isSource(source)) table.reset(source)
        },
        stats: () => {
          tick()
          return { blocked: table.blocked(last), sources: table.sources }
        }
      }
    })
  )
}
