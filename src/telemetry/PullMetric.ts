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
 * - A counter never goes back, and a histogram forgets nothing. When one of several readers leaves,
 *   what it has counted stays in the sum; when the last one leaves, the series is gone, and begins
 *   at 0 if somebody pulls it again.
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
import { emptyLike, mergeHistograms } from "./Histogram.ts"

/** The name of a metric and what it means. */
export interface MetricName {
  /** As OpenTelemetry writes it, dotted, without unit and without `_total`. */
  readonly name: string
  readonly description: string
  /** In UCUM: `s`, `By`, `{item}`. It becomes the attribute `unit`, which exporters look for. */
  readonly unit: string
}

/** A histogram, or a number, that is pulled. */
export interface PullHistogram extends MetricName {
  readonly kind: "histogram"
  /** Labels: fixed words, never an attacker's text. */
  readonly attributes?: Readonly<Record<string, string>>
}

/** A number that is pulled. */
export interface PullMetric extends MetricName {
  readonly kind: "counter" | "gauge"
  /** Labels: fixed words, never an attacker's text. */
  readonly attributes?: Readonly<Record<string, string>>
  /** How the readers of one series are put together; `sum` when left out. */
  readonly combine?: "sum" | "max"
}

/** A metric, and how it is read: of a counter the total so far, of a gauge the value now. */
export type Pulled = PulledNumber | {
  readonly metric: PullHistogram
  /** The state so far. All readers of one series have the same boundaries. */
  readonly read: () => Metric.HistogramState
}

interface PulledNumber {
  readonly metric: PullMetric
  readonly read: () => number
}

/** Registers a series in the context's metric registry, until the scope closes. */
export const pull = (metric: PullMetric, read: () => number): Effect.Effect<void, never, Scope.Scope> =>
  pullAll([{ metric, read }])

/**
 * Registers many at once: in one step, however many, so that a layer with all of them is still
 * built synchronously.
 */
export const pullAll = (all: ReadonlyArray<Pulled>): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.contextWith((context: Context.Context<Scope.Scope>) =>
    Effect.acquireRelease(
      Effect.sync(() => all.map((pulled) => joinAs(pulled, context))),
      (leaves) =>
        Effect.sync(() => {
          for (const leave of leaves) leave()
        })
    )
  ))

const joinAs = (pulled: Pulled, context: Context.Context<never>): () => void => {
  const key = keyOf(pulled.metric, context)
  return isNumber(pulled)
    ? join(
      key,
      pulled.read,
      pulled.metric.kind === "counter" ? counterOf(pulled.metric) : gaugeOf(pulled.metric),
      context
    )
    : join(key, pulled.read, histogramOf(pulled.metric, pulled.read()), context)
}

const isNumber = (pulled: Pulled): pulled is PulledNumber => pulled.metric.kind !== "histogram"

/** Adds a reader to its series, which it makes if need be; the result takes the reader out. */
const join = <A>(key: string, read: () => A, kind: Kind<A>, context: Context.Context<never>): () => void => {
  const registry = Context.get(context, Metric.MetricRegistry)
  const all = seriesOf.get(registry) ?? new Map<string, unknown>()
  seriesOf.set(registry, all)
  // The key names the kind, so what is there is of this one.
  const series = (all.get(key) ?? new Series(kind, context)) as Series<A>
  all.set(key, series)
  const reader = series.add(read)
  return () => {
    if (series.remove(reader)) all.delete(key)
  }
}

/** The series of each registry that are pulled, by their identity. */
const seriesOf = new WeakMap<Metric.MetricRegistry, Map<string, unknown>>()

const keyOf = (
  { attributes, description, kind, name, unit }: PullMetric | PullHistogram,
  context: Context.Context<never>
): string => {
  const labels = { ...attributes, unit, ...Context.get(context, Metric.CurrentMetricAttributes) }
  const sorted = Object.entries(labels).toSorted(([a], [b]) => a < b ? -1 : 1)
  return JSON.stringify([kind, name, description, sorted])
}

/** What counters, gauges and histograms do differently. */
interface Kind<A> {
  /** Before the first good reading. */
  readonly zero: A
  readonly combine: (a: A, b: A) => A
  /** Whether a reading may follow the one before. */
  readonly follows: (next: A, latest: A) => boolean
  /** Whether what a reader has read stays when it leaves. */
  readonly stays: boolean
  readonly register: (context: Context.Context<never>, value: () => A) => Metric.Registration
}

const add = (a: number, b: number): number => a + b

const counterOf = (metric: PullMetric): Kind<number> => ({
  zero: 0,
  combine: metric.combine === "max" ? Math.max : add,
  follows: (next, latest) => Number.isFinite(next) && next >= latest,
  stays: true,
  register: (context, value) =>
    Metric.registerUnsafe(Metric.counter(metric.name, { ...optionsOf(metric), incremental: true }), context, {
      get: () => ({ count: value(), incremental: true }),
      ...unpushed
    })
})

const gaugeOf = (metric: PullMetric): Kind<number> => ({
  zero: 0,
  combine: metric.combine === "max" ? Math.max : add,
  follows: Number.isFinite,
  stays: false,
  register: (context, value) =>
    Metric.registerUnsafe(Metric.gauge(metric.name, optionsOf(metric)), context, {
      get: () => ({ value: value() }),
      ...unpushed
    })
})

const histogramOf = (metric: PullHistogram, first: Metric.HistogramState): Kind<Metric.HistogramState> => ({
  zero: emptyLike(first),
  combine: mergeHistograms,
  follows: (next, latest) => next.count >= latest.count,
  stays: true,
  register: (context, value) => {
    const boundaries = first.buckets.map(([boundary]) => boundary)
    return Metric.registerUnsafe(Metric.histogram(metric.name, { ...optionsOf(metric), boundaries }), context, {
      get: value,
      ...unpushed
    })
  }
})

const optionsOf = ({ attributes, description, unit }: PullMetric | PullHistogram) => ({
  description,
  attributes: { ...attributes, unit }
})

const unpushed = { update: () => {}, modify: () => {} }

/** One reader, with the latest value that it gave. */
class Reader<A> {
  readonly #read: () => A
  readonly #kind: Kind<A>
  #latest: A

  constructor(read: () => A, kind: Kind<A>) {
    this.#read = read
    this.#kind = kind
    this.#latest = kind.zero
  }

  value(): A {
    try {
      const value = this.#read()
      if (this.#kind.follows(value, this.#latest)) this.#latest = value
    } catch {
      // The exporter has other series to export: this one stays where it was.
    }
    return this.#latest
  }
}

/** One series, registered while it has readers. */
class Series<A> {
  readonly #kind: Kind<A>
  readonly #readers = new Set<Reader<A>>()
  readonly #registration: Metric.Registration
  /** What readers that have left had counted. */
  #left: A

  constructor(kind: Kind<A>, context: Context.Context<never>) {
    this.#kind = kind
    this.#left = kind.zero
    this.#registration = kind.register(context, () => this.#value())
  }

  add(read: () => A): Reader<A> {
    const reader = new Reader(read, this.#kind)
    this.#readers.add(reader)
    return reader
  }

  /** Takes a reader out; true where it was the last, and the series is gone. */
  remove(reader: Reader<A>): boolean {
    if (this.#kind.stays) this.#left = this.#kind.combine(this.#left, reader.value())
    this.#readers.delete(reader)
    if (this.#readers.size > 0) return false
    this.#registration.remove()
    return true
  }

  #value(): A {
    let value = this.#left
    for (const reader of this.#readers) value = this.#kind.combine(value, reader.value())
    return value
  }
}
