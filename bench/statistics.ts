/**
 * The arithmetic of the benchmark: order statistics of small samples.
 *
 * **Gotchas**
 *
 * - A quantile is one of the values, never something between two of them. Of an empty sample it is
 *   NaN.
 */

/** In ascending order, by value. */
const ascending = (values: ReadonlyArray<number>): ReadonlyArray<number> => values.toSorted((a, b) => a - b)

/** The quantile of values that are sorted already. */
export const quantileOfSorted = (sorted: ArrayLike<number>, q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN

/** The value that a share `q` of the values lies below. O(n log n). */
export const quantile = (values: ReadonlyArray<number>, q: number): number => quantileOfSorted(ascending(values), q)

/** The middle value; the upper one of two. */
export const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)

/** Pairs the values of two variants round by round. A round that one of them lacks is left out. */
const paired = (
  own: ReadonlyArray<number>,
  other: ReadonlyArray<number>,
  combine: (a: number, b: number) => number
): ReadonlyArray<number> =>
  own.flatMap((value, round) => {
    const beside = other[round]
    return beside === undefined ? [] : [combine(value, beside)]
  })

/**
 * The median over the rounds of what one variant takes as a multiple of what the other took in the
 * same round.
 */
export const medianRatio = (own: ReadonlyArray<number>, floor: ReadonlyArray<number>): number =>
  median(paired(own, floor, (a, b) => a / b))

/** The median over the rounds of what one variant takes more than the other in the same round. */
export const medianDifference = (own: ReadonlyArray<number>, other: ReadonlyArray<number>): number =>
  median(paired(own, other, (a, b) => a - b))
