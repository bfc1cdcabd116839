/**
 * Payloads over a limit, each beside the largest of its kind that is accepted: an attacker must not
 * be able to buy more work than an accepted payload costs.
 *
 * The accepted one is held already when it is timed, so its time is that of a duplicate: the
 * stricter floor.
 */
import { hostileKinds } from "../catalogue.ts"
import { type HostileKind, hostileLimit as maxPayloadSize, hostilePayloads } from "../hostile.ts"
import { makersOf, type Measure, measureLines } from "../measure.ts"
import { threatScent } from "../payloads.ts"
import { mustBe, roomyTracehound } from "../tracehounds.ts"

/** What a quick run leaves out. */
const slow: ReadonlySet<HostileKind> = new Set(["a million keys", "many small objects", "large Map"])

export const measure: Measure = (context) => {
  const { intercept } = roomyTracehound({ maxPayloadSize })
  /** The canonical bytes of a payload, or infinitely many where it is refused. */
  const sizeOf = (payload: unknown): number => {
    const result = intercept(threatScent(payload))
    if (result.status !== "quarantined") return Infinity
    result.handle.neutralize()
    return result.handle.size
  }
  const nearness = context.quick ? 50 : 1000
  /**
   * The largest size that is accepted, to a thousandth; quick, to a fiftieth. A few tries, the
   * first of them where a line through two points says.
   */
  const largest = (make: (n: number) => unknown, over: number): number => {
    const perItem = (sizeOf(make(1000)) - sizeOf(make(1))) / 999
    let refused = Math.min(over, perItem < Infinity ? Math.ceil(maxPayloadSize / perItem) + 2 : over)
    let fits = Math.floor(refused * 0.99)
    if (sizeOf(make(fits)) > maxPayloadSize) {
      refused = fits
      fits = 1
    }
    while (refused - fits > Math.max(1, fits / nearness)) {
      const tried = Math.floor((fits + refused) / 2)
      if (sizeOf(make(tried)) <= maxPayloadSize) fits = tried
      else refused = tried
    }
    return fits
  }
  // An accepted payload takes up to 50 ms, and one turn of a quick run is one call.
  const turns = context.quick
    ? { ...context.turns, rounds: Math.min(2, context.turns.rounds), warmMs: 1 }
    : context.turns
  // So does making, and looking at, a million of anything.
  const kinds = hostileKinds.filter((kind) => context.whole || !slow.has(kind))
  const lines = context.lines.filter(({ name }) => kinds.some((kind) => name.endsWith(`: ${kind}`)))
  return measureLines(
    { ...context, lines, turns },
    makersOf(kinds, (kind) => {
      const [make, over] = hostilePayloads[kind]
      return {
        [`at the limit: ${kind}`]: () => {
          const scent = threatScent(make(largest(make, over)))
          mustBe("quarantined", intercept(scent))
          return { run: () => intercept(scent) }
        },
        [`over it: ${kind}`]: () => {
          const scent = threatScent(make(over))
          mustBe("payload_too_large", intercept(scent))
          return { run: () => intercept(scent) }
        }
      }
    })
  )
}
