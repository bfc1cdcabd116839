/**
 * Histograms of Effect on a meter. OpenTelemetry has no instrument that can be asked for a
 * histogram, only one that is told value by value. So whenever the meter collects, it is told as
 * many values as have come since the last time.
 *
 * **Details**
 *
 * - Counts, buckets and sum are exact: of each bucket as many values are told as are in it, all as
 *   far from its lower end, in proportion, as the sum says. The least and the greatest value are
 *   within their buckets, and no more is known of them.
 * - Telling costs what recording would have cost at the time, a microsecond a value; after each
 *   thousand, others have their turn.
 */
import type { Attributes, Histogram, Meter, ObservableGauge } from "@opentelemetry/api"
import * as Effect from "effect/Effect"
import type * as Metric from "effect/Metric"
import { attributesOf, type Metadata, optionsOf, stateOf } from "./Metadata.ts"

/** What a histogram and a summary have in common; a summary has one bucket for all. */
type State = Omit<Metric.HistogramState, "buckets"> & Partial<Pick<Metric.HistogramState, "buckets">>

/** A series, and what the meter was told of it. */
interface Told {
  readonly metadata: Metadata
  state: State
}

/** The same value, so many times. */
interface Batch {
  readonly value: number
  readonly count: number
  readonly attributes: Attributes
}

/** Values that are told before others have their turn; and what is kept of series that left. */
const slice = 1_000

/** A histogram of the meter, and the series that are told to it. */
export class Replay {
  readonly #histogram: Histogram
  /** Never observed, so never exported: it is how the meter says that it collects. */
  readonly #collection: ObservableGauge
  readonly #series = new Map<string, Told>()
  /** What series that left since the latest collection had not told. */
  #left: Array<Batch> = []
  #isAsked = false

  constructor(meter: Meter, metadata: Metadata) {
    const bounds = (stateOf(metadata) as State | undefined)?.buckets?.map(([bound]) => bound)
    this.#histogram = meter.createHistogram(metadata.id, {
      ...optionsOf(metadata),
      ...(bounds === undefined ? {} : { advice: { explicitBucketBoundaries: bounds.filter(Number.isFinite) } })
    })
    this.#collection = meter.createObservableGauge(`${metadata.id}.collection`)
  }

  add(key: string, metadata: Metadata): void {
    this.remove(key)
    this.#series.set(key, { metadata, state: { count: 0, sum: 0, min: 0, max: 0 } })
    if (this.#isAsked) return
    this.#isAsked = true
    this.#collection.addCallback(this.#tell)
  }

  remove(key: string): void {
    const told = this.#series.get(key)
    if (told === undefined) return
    // Of a meter that nobody collects from, no more is kept than this.
    this.#left = [...this.#left, ...untold(told)].slice(-slice)
    this.#series.delete(key)
  }

  /** What is new is taken at once, so that two readers that collect together tell it once. */
  readonly #tell = async (): Promise<void> => {
    const batches = [...this.#left, ...Array.from(this.#series.values(), untold).flat()]
    this.#left = []
    if (this.#series.size === 0) queueMicrotask(this.#rest)
    let room = slice
    for (const { attributes, count, value } of batches) {
      for (let i = 0; i < count; i++) {
        this.#histogram.record(value, attributes)
        room -= 1
        if (room > 0) continue
        room = slice
        await Effect.runPromise(Effect.yieldNow)
      }
    }
  }

  readonly #rest = (): void => {
    if (this.#series.size > 0 || this.#left.length > 0) return
    this.#isAsked = false
    this.#collection.removeCallback(this.#tell)
  }
}

/** What has come since the last time; from now on it has been told. */
const untold = (told: Told): ReadonlyArray<Batch> => {
  const before = told.state
  const now = stateOf(told.metadata) as State | undefined
  if (now === undefined) return []
  told.state = now
  const attributes = attributesOf(told.metadata)
  const known = countsIn(before)
  const counts = countsIn(now).map((count, i) => count - (known[i] ?? 0))
  const ends = endsOf(now)
  const atLeast = sumOf(ends, counts, ({ low }) => low)
  const atMost = sumOf(ends, counts, ({ high }) => high)
  // A value on the lower end would be in the bucket below.
  const share = Math.min(1, Math.max(1e-9, (now.sum - before.sum - atLeast) / (atMost - atLeast || 1)))
  return ends
    .map(({ high, low }, i) => ({ value: low + share * (high - low), count: counts[i] ?? 0, attributes }))
    .filter(({ count }) => count > 0)
}

/** The ends of a bucket, no wider than the values are. */
interface Ends {
  readonly low: number
  readonly high: number
}

const sumOf = (ends: ReadonlyArray<Ends>, counts: ReadonlyArray<number>, end: (bucket: Ends) => number): number =>
  ends.reduce((sum, bucket, i) => sum + (counts[i] ?? 0) * end(bucket), 0)

/**
 * The bounds of the buckets. Effect's count all that is below; behind the last is one bucket more.
 */
const boundsOf = ({ buckets = [] }: State) => buckets.filter(([bound]) => Number.isFinite(bound))

const endsOf = (state: State): ReadonlyArray<Ends> => {
  const bounds = boundsOf(state).map(([bound]) => bound)
  return [...bounds, state.max].map((bound, i) => {
    const low = Math.max(state.min, bounds[i - 1] ?? state.min)
    return { low, high: Math.max(low, Math.min(state.max, bound)) }
  })
}

const countsIn = (state: State): ReadonlyArray<number> => {
  const below = [...boundsOf(state).map(([, count]) => count), state.count]
  return below.map((count, i) => count - (below[i - 1] ?? 0))
}
