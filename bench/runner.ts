/**
 * A paired runner: all variants take turns in one process, so that what the machine does meanwhile hits them alike. Trust the
 * ratios; the times are of this machine and this moment.
 */

/** One thing to time. `run` is called with a counter that never repeats. */
export interface Variant {
  readonly name: string
  readonly run: (i: number) => unknown
  /** The name of the variant that this one is measured against. */
  readonly floor?: string
}

/** Nanoseconds a call. */
export interface Timing {
  readonly name: string
  readonly p10: number
  readonly median: number
  /** The median of the ratios of each round to the floor's time in the same round. */
  readonly ratio: number | null
}

const quantile = (sorted: ReadonlyArray<number>, q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN

/** Times the variants in turns: `rounds` turns of about `turnMs` each. */
export const compare = (
  variants: ReadonlyArray<Variant>,
  { rounds, turnMs }: { readonly rounds: number; readonly turnMs: number }
): ReadonlyArray<Timing> => {
  let counter = 0
  let sink: unknown
  const time = ({ run }: Variant, calls: number): number => {
    const start = process.hrtime.bigint()
    for (let i = 0; i < calls; i++) sink = run(counter++)
    return Number(process.hrtime.bigint() - start) / calls
  }
  // Warm up, and find how many calls fill a turn.
  const calls = variants.map((variant) => {
    let n = 16
    while (time(variant, n) * n < turnMs * 1e6 / 2 && n < 1e7) n *= 2
    return n
  })
  const times = variants.map((): Array<number> => [])
  for (let round = 0; round < rounds; round++) {
    variants.forEach((variant, v) => times[v]?.push(time(variant, calls[v] ?? 1)))
  }
  void sink
  return variants.map(({ floor, name }, v) => {
    const own = times[v] ?? []
    const sorted = own.toSorted((a, b) => a - b)
    const floorTimes = times[variants.findIndex((other) => other.name === floor)]
    const ratios = floorTimes === undefined
      ? []
      : own.map((t, round) => t / (floorTimes[round] ?? Number.NaN)).toSorted((a, b) => a - b)
    return {
      name,
      p10: quantile(sorted, 0.1),
      median: quantile(sorted, 0.5),
      ratio: ratios.length === 0 ? null : quantile(ratios, 0.5)
    }
  })
}
