/**
 * The sustained mix: calls a second over whole batches, and the quantiles of single calls in
 * batches of their own.
 *
 * The event loop turns after each thousand calls, and what runs in the background then is part of
 * the time of the batch. Pauses are those of the whole batches, where nothing is timed in between.
 */
import { setImmediate } from "node:timers/promises"
import { type Measure, measureValues } from "../measure.ts"
import { checkMix, makeMix } from "../mixed.ts"
import { PauseWatch } from "../pauses.ts"
import { sink } from "../runner.ts"
import { median, quantileOfSorted } from "../statistics.ts"

const turnOfLoop = 1000

export const measure: Measure = async (context) => {
  const batches = context.quick ? 5 : 21
  const perBatch = context.quick ? 20_000 : 100_000
  context.progress("filling the quarantine")
  const mix = await makeMix()
  let i = 0
  checkMix(mix, i)
  i += 100

  const rates: Array<number> = []
  const each = new Float64Array(batches * perBatch)
  const watch = new PauseWatch()
  let timed = 0
  // The first batch is the warm-up of both.
  for (let batch = -1; batch < batches; batch++) {
    context.progress(`batch ${batch + 1} of ${batches}`)
    if (batch >= 0) watch.start()
    const start = context.now()
    for (let call = 0; call < perBatch; call++) {
      sink.value = mix.call(i++)
      if (call % turnOfLoop === turnOfLoop - 1) await setImmediate()
    }
    const taken = context.now() - start
    if (batch >= 0) {
      await watch.stop()
      rates.push(perBatch / taken * 1e9)
    }
    for (let call = 0; call < perBatch; call++) {
      const before = performance.now()
      sink.value = mix.call(i++)
      const taken = performance.now() - before
      if (batch >= 0) each[timed++] = taken * 1e6
      if (call % turnOfLoop === turnOfLoop - 1) await setImmediate()
    }
  }
  checkMix(mix, Math.ceil(i / 100) * 100)
  await mix.tracehound.dispose()
  each.sort()
  const reading = Array.from({ length: 10_000 }, () => {
    const before = performance.now()
    return (performance.now() - before) * 1e6
  })
  const pauses = watch.read()
  const calls = batches * perBatch
  return measureValues(context, {
    "calls a second": () => median(rates),
    "p50 of a call": () => quantileOfSorted(each, 0.5),
    "p99 of a call": () => quantileOfSorted(each, 0.99),
    "p99.9 of a call": () => quantileOfSorted(each, 0.999),
    "reading the timer": () => median(reading),
    collections: () => pauses.count / calls * 1e6,
    "longest pause of a collection": () => pauses.longest,
    "p99 of the pauses": () => pauses.p99,
    "pauses in all, a call": () => pauses.total / calls * 1e6
  })
}
