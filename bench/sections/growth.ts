/**
 * How the time of a call grows with what is held and known. The entry that is looked up is picked
 * as if at random, so that at a million it is seldom in a cache.
 */
import { growthCounts } from "../catalogue.ts"
import { holding } from "../held.ts"
import { type Makers, makersOf, type Measure, measureLines } from "../measure.ts"
import { sources } from "../payloads.ts"
import { roomyTracehound } from "../tracehounds.ts"

/** A number below `count` that looks like none in particular: Knuth's multiplicative hash. */
const scattered = (i: number, count: number): number => (Math.imul(i, 2_654_435_761) >>> 0) % count

const makersFor = (held: string, count: number): Makers => ({
  [`duplicate, ${held}`]: () => {
    const { first, payload, scent, tracehound: { intercept } } = holding(count, 16_777_216)
    return {
      run: (i) => {
        payload(first + scattered(i, count))
        return intercept(scent)
      }
    }
  },
  [`new, evicting one, ${held}`]: () => {
    const { payload, scent, tracehound: { intercept } } = holding(count, count)
    return {
      run: (i) => {
        payload(i)
        return intercept(scent)
      }
    }
  },
  [`known source, ${held}`]: () => {
    const { rateLimiter } = roomyTracehound({ rateLimit: { maxSources: count } })
    const known = sources(count)
    for (const source of known) rateLimiter.check(source)
    return { run: (i) => rateLimiter.check(known[scattered(i, count)] ?? "") }
  },
  [`new source, dropping one, ${held}`]: () => {
    const { rateLimiter } = roomyTracehound({ rateLimit: { maxSources: count } })
    // Twice as many as are remembered, in turns: each has been forgotten when it comes again.
    const all = sources(2 * count)
    let at = 0
    return {
      run: () => {
        at = at + 1 === all.length ? 0 : at + 1
        return rateLimiter.check(all[at] ?? "")
      },
      // The table must be full before the first turn.
      before: () => {
        if (at === 0) {
          for (at = 0; at < count; at++) rateLimiter.check(all[at] ?? "")
        }
      }
    }
  }
})

export const measure: Measure = (context) => {
  const counts = growthCounts.filter(({ count }) => context.whole || count < 1_000_000)
  const makers = makersOf(counts, ({ count, held }) => makersFor(held, count))
  return measureLines({ ...context, lines: context.lines.filter(({ name }) => makers[name] !== undefined) }, makers)
}
