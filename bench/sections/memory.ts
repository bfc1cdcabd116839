/**
 * Bytes that a Tracehound keeps. Each pair of lines has a process of its own and reads the heap
 * after a forced collection; the resident size is what the system counts.
 */
import { grown, once, type Reading } from "../heap.ts"
import { type Measure, measureValues } from "../measure.ts"
import { grownOverMix } from "../mixed.ts"
import { changingBytes, sourceOf, threatScent } from "../payloads.ts"
import { sink } from "../runner.ts"
import { roomyTracehound } from "../tracehounds.ts"

const rateTable = async (): Promise<Reading> => {
  const count = 1_000_000
  const tracehound = roomyTracehound({ rateLimit: { maxSources: count } })
  tracehound.rateLimiter.check("192.0.2.1")
  const { kept, resident } = await grown(() => {
    for (let i = 0; i < count; i++) sink.value = tracehound.rateLimiter.check(sourceOf(i))
  })
  return { kept: kept / count, resident: resident / count }
}

const quarantine = async (): Promise<Reading> => {
  const count = 100_000
  const size = 256
  const tracehound = roomyTracehound()
  const payload = changingBytes(size)
  const scent = threatScent(payload(-1))
  tracehound.intercept(scent)
  const { kept, resident } = await grown(() => {
    for (let i = 0; i < count; i++) {
      payload(i)
      sink.value = tracehound.intercept(scent)
    }
    sink.value = undefined
  })
  if (tracehound.quarantine.count !== count + 1) throw new Error("not all of it is held")
  return { kept: kept / count - size, resident: resident / count - size }
}

/** In MiB. */
const mixed = async (calls: number, progress: (what: string) => void): Promise<Reading> => {
  const { kept, resident } = await grownOverMix(calls, progress)
  const mebi = 1_048_576
  return { kept: kept / mebi, resident: resident / mebi }
}

export const measure: Measure = (context) => {
  const sources = once(rateTable)
  const items = once(quarantine)
  const calls = once(() => mixed(context.quick ? 100_000 : 10_000_000, context.progress))
  // Fewer calls fill nothing, and show how it fills: a quick run leaves these lines out.
  const lines = context.lines.filter(({ name }) => context.whole || !name.includes("10M"))
  return measureValues({ ...context, lines }, {
    "rate table, a source at 1M": async () => (await sources()).kept,
    "rate table, resident, a source at 1M": async () => (await sources()).resident,
    "quarantine overhead, an item at 100k": async () => (await items()).kept,
    "quarantine overhead, resident, an item at 100k": async () => (await items()).resident,
    "heap growth over 10M mixed calls": async () => (await calls()).kept,
    "resident growth over 10M mixed calls": async () => (await calls()).resident
  })
}
