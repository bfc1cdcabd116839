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

/**
 * Half of the values lie within this share of the median, from the first quartile to the third. A
 * few values far out do not move it.
 */
export const spread = (values: ReadonlyArray<number>): number =>
  (quantile(values, 0.75) - quantile(values, 0.25)) / median(values)

/** How much larger the one sample is than the other, as a factor, with the range it lies in. */
export interface Shift {
  readonly factor: number
  readonly low: number
  readonly high: number
}

/** The quantile of the normal distribution that leaves one in two hundred on either side. */
const z = 2.576

/**
 * By which factor `after` is larger than `before`, both of values above 0: the median of all pairs'
 * ratios (Hodges and Lehmann), in a range that holds the true factor with 99 % confidence where the
 * values of each sample are independent (the order statistics of Mann and Whitney's test). O(n m
 * log n m).
 */
export const shiftOf = (before: ReadonlyArray<number>, after: ReadonlyArray<number>): Shift => {
  const ratios = ascending(after.flatMap((a) => before.map((b) => a / b)))
  const [n, m] = [before.length, after.length]
  const cut = Math.max(0, Math.floor(n * m / 2 - z * Math.sqrt(n * m * (n + m + 1) / 12)))
  const at = (index: number): number => ratios[index] ?? Number.NaN
  return { factor: quantileOfSorted(ratios, 0.5), low: at(cut), high: at(ratios.length - 1 - cut) }
}

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

/** What one variant takes as a multiple of what the other took in the same round, of each round. */
export const ratiosOf = (own: ReadonlyArray<number>, floor: ReadonlyArray<number>): ReadonlyArray<number> =>
  paired(own, floor, (a, b) => a / b)

/** The median over the rounds of what one variant takes more than the other in the same round. */
export const medianDifference = (own: ReadonlyArray<number>, other: ReadonlyArray<number>): number =>
  median(paired(own, other, (a, b) => a - b))
