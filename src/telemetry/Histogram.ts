/**
 * A histogram that a room keeps: counts by bucket, in one typed array. Recording is O(log
 * boundaries) and allocates nothing; its state is made when somebody reads it.
 */
import type * as Metric from "effect/Metric"

export class Histogram {
  readonly #boundaries: ReadonlyArray<number>
  readonly #counts: Float64Array
  /** Sum, least and greatest. In an array, so that no number is boxed. */
  readonly #totals = Float64Array.of(0, Number.MAX_VALUE, -Number.MAX_VALUE)
  #count = 0

  /** `boundaries`: the upper ends of the buckets, ascending. A last bucket takes what is above. */
  constructor(boundaries: ReadonlyArray<number>) {
    this.#boundaries = boundaries
    this.#counts = new Float64Array(boundaries.length + 1)
  }

  /** Counts one value; a value on a boundary is in the bucket below it. */
  record(value: number): void {
    let from = 0
    let to = this.#boundaries.length
    while (from < to) {
      const middle = (from + to) >>> 1
      if (value <= (this.#boundaries[middle] ?? 0)) to = middle
      else from = middle + 1
    }
    this.#counts[from] = (this.#counts[from] ?? 0) + 1
    this.#count += 1
    const [sum = 0, least = 0, greatest = 0] = this.#totals
    this.#totals[0] = sum + value
    this.#totals[1] = Math.min(least, value)
    this.#totals[2] = Math.max(greatest, value)
  }

  /** The state as Effect's exporters read it: each bucket has what is at or below its boundary. */
  state(): Metric.HistogramState {
    const [sum = 0, min = 0, max = 0] = this.#totals
    let below = 0
    const buckets = this.#boundaries.map((boundary, place): [number, number] => {
      below += this.#counts[place] ?? 0
      return [boundary, below]
    })
    return { buckets, count: this.#count, min, max, sum }
  }
}

/** Both together. They have the same boundaries. */
export const mergeHistograms = (a: Metric.HistogramState, b: Metric.HistogramState): Metric.HistogramState => ({
  buckets: a.buckets.map(([boundary, below], place) => [boundary, below + (b.buckets[place]?.[1] ?? 0)]),
  count: a.count + b.count,
  min: Math.min(a.min, b.min),
  max: Math.max(a.max, b.max),
  sum: a.sum + b.sum
})

/** A histogram with the same boundaries that has counted nothing. */
export const emptyLike = ({ buckets }: Metric.HistogramState): Metric.HistogramState =>
  new Histogram(buckets.map(([boundary]) => boundary)).state()
