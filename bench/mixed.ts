/**
 * The sustained mix: 80 % clean, 8 % duplicate, 8 % new and evicting, 4 % other, with objects of 1
 * KiB, on a started Tracehound whose quarantine is full.
 *
 * Without hounds: with them, evidence that arrives at a full quarantine is examined, and this would
 * be a line about examinations.
 *
 * What comes again is of critical severity and what is new of low: so the new evicts what was new
 * before, and the duplicates stay. The other four in a hundred are rate limited, too large, too
 * deep and no scent, in turns.
 */
import { setImmediate } from "node:timers/promises"
import { createTracehound, type InterceptResult, type TracehoundInstance } from "../src/index.ts"
import { grown, type Reading } from "./heap.ts"
import { requestObject, sources, threatScent } from "./payloads.ts"
import { sink } from "./runner.ts"
import { mustBe } from "./tracehounds.ts"

/** What one of a hundred calls is. */
type Kind = "clean" | "duplicate" | "new" | "limited" | "large" | "deep" | "malformed"

const hundred: ReadonlyArray<Kind> = [
  ...Array.from({ length: 80 }, () => "clean" as const),
  ...Array.from({ length: 8 }, () => "duplicate" as const),
  ...Array.from({ length: 8 }, () => "new" as const),
  "limited",
  "large",
  "deep",
  "malformed"
]

/** In an order that repeats but looks like none: 37 and 100 have no divisor in common. */
const schedule: ReadonlyArray<Kind> = Array.from(
  { length: 100 },
  (_, i) => hundred[(i * 37) % 100] ?? "clean"
)

const held = 10_000
const known = 64

/** A mix that is under way. */
export interface Mix {
  readonly tracehound: TracehoundInstance
  /** The call number `i`. */
  readonly call: (i: number) => InterceptResult
}

/** Fills a quarantine and starts everything. A few hundred ms. */
export const makeMix = async (): Promise<Mix> => {
  const maxRequests = 1_000_000
  const tracehound = createTracehound({
    rateLimit: { maxRequests, blockDurationMs: 2_000_000_000 },
    quarantine: { maxCount: held },
    // Full after a hundred thousand calls, so that a quick run sees the end of its growth as well.
    audit: { maxRecords: held },
    hound: { enabled: false }
  })
  await tracehound.init()
  const { intercept, rateLimiter } = tracehound
  const from = sources(4096)
  const object = requestObject(1024)
  const fresh = threatScent(object)
  for (let i = 0; i < held; i++) {
    object.id = -1 - i
    // Each from a source of its own share, so that filling up limits nobody.
    fresh.source = from[i & 4095] ?? ""
    mustBe("quarantined", intercept(fresh))
  }
  const again = Array.from(
    { length: known },
    (_, i) =>
      threatScent({ ...requestObject(1024), id: 2_000_000_000 + i }, { category: "injection", severity: "critical" })
  )
  for (const scent of again) mustBe("quarantined", intercept(scent))
  const blocked = "198.51.100.1"
  for (let i = 0; i <= maxRequests; i++) rateLimiter.check(blocked)

  let deep: unknown = 1
  for (let i = 0; i < 300; i++) deep = [deep]
  const clean = { ...threatScent(requestObject(1024)), threat: undefined }
  const limited = { ...threatScent("x"), source: blocked }
  const large = threatScent(new Uint8Array(2_000_000))
  const tooDeep = threatScent(deep)
  const malformed = { ...threatScent("x"), id: "x".repeat(257) }

  const call = (i: number): InterceptResult => {
    const source = from[i & 4095] ?? ""
    switch (schedule[i % 100]) {
      case "duplicate": {
        const scent = again[(i >>> 4) % known] ?? fresh
        scent.source = source
        return intercept(scent)
      }
      case "new":
        object.id = i
        fresh.source = source
        return intercept(fresh)
      case "limited":
        return intercept(limited)
      case "large":
        large.source = source
        return intercept(large)
      case "deep":
        tooDeep.source = source
        return intercept(tooDeep)
      case "malformed":
        return intercept(malformed)
      default:
        clean.source = source
        return intercept(clean)
    }
  }
  return { tracehound, call }
}

/** Fails where a hundred calls, from `i` on, are not of the kinds that they should be. */
export const checkMix = ({ call }: Mix, i: number): void => {
  const statuses: Record<string, number> = {}
  for (let at = i; at < i + 100; at++) {
    const { status } = call(at)
    statuses[status] = (statuses[status] ?? 0) + 1
  }
  const expected = { clean: 80, error: 1, ignored: 8, payload_too_large: 2, quarantined: 8, rate_limited: 1 }
  const isExpected = Object.entries(expected).every(([status, count]) => statuses[status] === count)
  if (!isExpected) throw new Error(`the mix is not what it should be: ${JSON.stringify(statuses)}`)
}

/**
 * What is kept after so many calls beyond what was kept after a fifth of them, when everything that
 * is bounded is full: a fifth is at least a hundred thousand. Needs a process of its own.
 */
export const grownOverMix = async (
  calls: number,
  progress: (what: string) => void = () => undefined
): Promise<Reading> => {
  const mix = await makeMix()
  let i = 0
  const run = async (until: number): Promise<void> => {
    while (i < until) {
      sink.value = mix.call(i++)
      if (i % 1000 === 0) await setImmediate()
      if (i % 100_000 === 0) progress(`${i} of ${calls} mixed calls`)
    }
    sink.value = undefined
  }
  await run(calls / 5)
  const growth = await grown(() => run(calls))
  checkMix(mix, i)
  return growth
}
