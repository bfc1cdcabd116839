/**
 * Counts what a call leaves to the garbage collector.
 *
 * V8 counts the bytes it ever handed out on its heap (`total_allocated_bytes`, from Node 24 on),
 * and reading that count before and after a run costs nothing in between: no collection is forced
 * and none disturbs it. V8 hands memory out in blocks and counts those, and a compiler that is
 * still at work allocates too; both add and never take away, so the least of some runs is the
 * truth.
 *
 * **Gotchas**
 *
 * - The content of an ArrayBuffer is outside of V8's heap and not in the count. It is in the memory
 *   lines.
 * - On an older Node the bytes are null, and so they are where the calls were too few to tell them
 *   from a block. Collections are counted everywhere.
 * - What `before` and `after` of a variant do is left out of the bytes, and is in the collections.
 */
import { GCProfiler, getHeapStatistics } from "node:v8"
import { sink, type Variant, type WaitingVariant } from "./runner.ts"

/** What was found. */
export interface Allocation {
  /**
   * Bytes on V8's heap, a call; null where V8 does not count them, or the calls were too few to
   * tell.
   */
  readonly bytes: number | null
  /** Collections of any kind, per million calls. */
  readonly gcs: number
}

const allocatedBytes = (): number | null => {
  const statistics: object = getHeapStatistics()
  return "total_allocated_bytes" in statistics ? Number(statistics.total_allocated_bytes) : null
}

/** Bytes that one run hands out, in all. */
const bytesOf = (variant: Variant, calls: number, from: number): number | null => {
  variant.before?.(calls)
  const { run } = variant
  const before = allocatedBytes()
  for (let i = 0; i < calls; i++) sink.value = run(from + i)
  const after = allocatedBytes()
  variant.after?.()
  return before === null || after === null ? null : after - before
}

/** The most that is counted beside what the calls took: the rest of a block. */
const block = 262_144

/**
 * What a count of so many bytes over so many calls says of one call: null where a block would be
 * most of it.
 */
export const bytesPerCall = (bytes: number, calls: number): number | null => {
  const each = bytes / calls
  return block / calls > Math.max(8, each / 4) ? null : each
}

/**
 * Where these runs count from: far beyond what the timed ones reach, and still a small integer of
 * V8's.
 */
let counter = 500_000_000

/**
 * The bytes that so many calls hand out in all, of the run out of `runs` that took least; null
 * where V8 does not count them. Up to a block too many. O(runs x calls).
 */
export const leastBytes = (variant: Variant, calls: number, runs: number): number | null => {
  let least: number | null = null
  for (let run = 0; run < runs; run++) {
    const bytes = bytesOf(variant, calls, counter)
    counter += calls
    if (bytes !== null) least = Math.min(least ?? bytes, bytes)
  }
  return least
}

/**
 * Runs a variant `runs` times and gives the bytes of the run that took least, and the collections
 * over all. It should be warm. O(runs x calls).
 */
export const allocationOf = (variant: Variant, calls: number, runs: number = 3): Allocation => {
  // What others left is collected before, so that it is not collected, and counted, during this.
  globalThis.gc?.({ execution: "sync", type: "minor" })
  const profiler = new GCProfiler()
  profiler.start()
  const least = leastBytes(variant, calls, runs)
  const { statistics } = profiler.stop()
  return { bytes: least === null ? null : bytesPerCall(least, calls), gcs: statistics.length / (runs * calls) * 1e6 }
}

/** The same of what has to be waited for. What runs beside it meanwhile is counted too. */
export const allocationOfWaiting = async ({ run }: WaitingVariant, calls: number): Promise<Allocation> => {
  globalThis.gc?.({ execution: "sync", type: "minor" })
  const profiler = new GCProfiler()
  profiler.start()
  const before = allocatedBytes()
  sink.value = await run(calls)
  const after = allocatedBytes()
  const { statistics } = profiler.stop()
  return {
    bytes: before === null || after === null ? null : bytesPerCall(after - before, calls),
    gcs: statistics.length / calls * 1e6
  }
}

/**
 * How many calls of a variant fit in so many ms, at most a million: enough for the count to be
 * exact to a byte where calls are short.
 */
export const callsWithin = (ms: number, nsPerCall: number, most: number = 1_000_000): number =>
  Math.max(1, Math.min(most, Math.floor(ms * 1e6 / nsPerCall)))
