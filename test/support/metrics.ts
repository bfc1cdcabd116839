/**
 * The metrics of a registry as a test reads them: one number a series, by name and labels.
 */
import { Effect, Metric } from "effect"

/** Numbers by series, such as `tracehound.intercepts{status=clean}`. */
export type Series = ReadonlyMap<string, number>

const numberOf = ({ state }: Metric.Metric.Snapshot): number =>
  "count" in state ? Number(state.count) : "value" in state ? Number(state.value) : Number.NaN

/**
 * All series of the registry that are Tracehound's: of a histogram the count. Without units and
 * instances, over which it adds up.
 */
export const seriesNow: Effect.Effect<Series> = Effect.map(Metric.snapshot, (all) => {
  const found = new Map<string, number>()
  for (const metric of all) {
    if (!metric.id.startsWith("tracehound.")) continue
    const { "tracehound.instance": _, unit: __, ...labels } = metric.attributes ?? {}
    const words = Object.entries(labels).toSorted(([a], [b]) => a < b ? -1 : 1).map(([name, word]) => `${name}=${word}`)
    const key = words.length === 0 ? metric.id : `${metric.id}{${words.join()}}`
    found.set(key, (found.get(key) ?? 0) + numberOf(metric))
  }
  return found
})

/** The series that are not what they were, each with its change. New ones count from 0. */
export const moved = (before: Series, after: Series): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...new Set([...before.keys(), ...after.keys()])]
      .map((key) => [key, (after.get(key) ?? 0) - (before.get(key) ?? 0)] as const)
      .filter(([, change]) => change !== 0)
      .toSorted(([a], [b]) => a < b ? -1 : 1)
  )
