/**
 * Metrics that are read when somebody exports them, and cost nothing until then: a number that a
 * room keeps anyhow is the metric. The one place that registers series by hand, for which Effect
 * promises no stability.
 *
 * **Details**
 *
 * - A series is named by its name, unit and attributes, those of `Metric.CurrentMetricAttributes`
 *   included. Where two readers have the same series, it shows what both have together: the sum, or
 *   the greater where `combine` says so. Nobody's numbers are lost to a namesake.
 * - A counter never goes back. When one of several readers leaves, what it has counted stays in the
 *   sum; when the last one leaves, the series is gone, and begins at 0 if somebody pulls it again.
 * - A `read` that throws, or gives what is no finite number, leaves the series at the value that it
 *   had, 0 before the first. So an exporter never fails because of us.
 * - After its scope has closed, `read` is not called again, whoever still holds the series: what it
 *   reads may be gone. A counter then stays as it was, and a gauge is 0.
 *
 * **Gotchas**
 *
 * - A series that somebody else pushes into under the same name is replaced.
 * - `read` is called on the exporter's turn: it must be synchronous and O(1) or near it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type * as Scope from "effect/Scope"

/** A metric that is pulled. */
export interface PullMetric {
  /** As OpenTelemetry writes it, dotted, without unit and without `_total`. */
  readonly name: string
  readonly description: string
  /** In UCUM: `s`, `By`, `{item}`. It becomes the attribute `unit`, which exporters look for. */
  readonly unit: string
  readonly kind: "counter" | "gauge"
  /** Labels: fixed words, never an attacker's text. */
  readonly attributes?: Readonly<Record<string, string>>
  /** How the readers of one series are put together; `sum` when left out. */
  readonly combine?: "sum" | "max"
}

/**
 * Registers a series in the context's metric registry, until the scope closes. `read` gives its
 * value: of a counter the total so far, of a gauge the value now.
 */
export const pull = (metric: PullMetric, read: () => number): Effect.Effect<void, never, Scope.Scope> =>
  Effect.contextWith((context: Context.Context<Scope.Scope>) =>
    Effect.acquireRelease(Effect.sync(() => join(metric, read, context)), (leave) => Effect.sync(leave))
  ).pipe(Effect.asVoid)

/** Adds a reader to its series, which it makes if need be; the result takes the reader out. */
const join = (metric: PullMetric, read: () => number, context: Context.Context<never>): () => void => {
  const registry = Context.get(context, Metric.MetricRegistry)
  const all = seriesOf.get(registry) ?? new Map<string, Series>()
  seriesOf.set(registry, all)
  const key = keyOf(metric, context)
  let series = all.get(key)
  if (series === undefined) {
    series = new Series(metric, context)
    all.set(key, series)
  }
  const joined = series
  const reader = joined.add(read)
  return () => {
    if (joined.remove(reader)) all.delete(key)
  }
}

/** The series of each registry that are pulled, by their identity. */
const seriesOf = new WeakMap<Metric.MetricRegistry, Map<string, Series>>()

const keyOf = ({ attributes, description, kind, name, unit }: PullMetric, context: Context.Context<never>): string => {
  const labels = { ...attributes, unit, ...Context.get(context, Metric.CurrentMetricAttributes) }
  const sorted = Object.entries(labels).toSorted(([a], [b]) => a < b ? -1 : 1)
  return JSON.stringify([kind, name, description, sorted])
}

/** One reader, with the latest value that it gave. */
class Reader {
  readonly #read: () => number
  readonly #isCounter: boolean
  #latest = 0

  constructor(read: () => number, isCounter: boolean) {
    this.#read = read
    this.#isCounter = isCounter
  }

  value(): number {
    try {
      const value = this.#read()
      if (Number.isFinite(value) && !(this.#isCounter && value < this.#latest)) this.#latest = value
    } catch {
      // The exporter has other series to export: this one stays where it was.
    }
    return this.#latest
  }
}

/** One series, registered while it has readers. */
class Series {
  readonly #isCounter: boolean
  readonly #combine: (a: number, b: number) => number
  readonly #readers = new Set<Reader>()
  readonly #registration: Metric.Registration
  /** What readers that have left had counted. */
  #left = 0

  constructor(metric: PullMetric, context: Context.Context<never>) {
    this.#isCounter = metric.kind === "counter"
    this.#combine = metric.combine === "max" ? Math.max : (a, b) => a + b
    this.#registration = register(metric, context, () => this.#value())
  }

  add(read: () => number): Reader {
    const reader = new Reader(read, this.#isCounter)
    this.#readers.add(reader)
    return reader
  }

  /** Takes a reader out; true where it was the last, and the series is gone. */
  remove(reader: Reader): boolean {
    if (this.#isCounter) this.#left = this.#combine(this.#left, reader.value())
    this.#readers.delete(reader)
    if (this.#readers.size > 0) return false
    this.#registration.remove()
    return true
  }

  #value(): number {
    let value = this.#left
    for (const reader of this.#readers) value = this.#combine(value, reader.value())
    return value
  }
}

const register = (
  { attributes, description, kind, name, unit }: PullMetric,
  context: Context.Context<never>,
  value: () => number
): Metric.Registration => {
  const options = { description, attributes: { ...attributes, unit } }
  const pushed = { update: () => {}, modify: () => {} }
  return kind === "counter"
    ? Metric.registerUnsafe(Metric.counter(name, { ...options, incremental: true }), context, {
      get: () => ({ count: value(), incremental: true }),
      ...pushed
    })
    : Metric.registerUnsafe(Metric.gauge(name, options), context, { get: () => ({ value: value() }), ...pushed })
}
