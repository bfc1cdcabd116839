/**
 * A metric registry whose every series is an instrument of an OpenTelemetry meter as well.
 *
 * **Details**
 *
 * - A counter is an observable counter, or an observable up-down counter where it can go down; a
 *   gauge is an observable gauge; a frequency is an observable counter with the attribute `key`.
 *   The meter reads them when it collects, and until then they cost nothing.
 * - A histogram and a summary are a histogram: no instrument can be asked for one, so each value is
 *   recorded as it comes, with the boundaries of the metric.
 * - Series of one name, unit and description share an instrument. The attribute `unit` becomes the
 *   instrument's unit.
 * - A series that leaves the registry is handed to the next collection once more, with what it said
 *   when it left. So totals of a Tracehound that closes are not lost to a slow reader.
 *
 * **Gotchas**
 *
 * - The SDK's cumulative readers repeat the last value of a series for ever. With delta temporality
 *   a series that left is gone.
 */
import type { Attributes, Meter, ObservableResult } from "@opentelemetry/api"
import * as Context from "effect/Context"
import type * as Metric from "effect/Metric"

/** What Effect knows of a series. */
type Metadata = Metric.MetricRegistry extends Map<string, infer M> ? M : never

/** The registry. Everything that is in it is observed; `clear` ends that. */
export class MeterRegistry extends Map<string, Metadata> {
  readonly #meter: Meter
  readonly #instruments = new Map<string, Instrument>()

  constructor(meter: Meter) {
    super()
    this.#meter = meter
  }

  override set(key: string, metadata: Metadata): this {
    if (isRecorded(metadata)) record(this.#meter, metadata)
    else this.#instrumentOf(metadata).add(key, metadata)
    return super.set(key, metadata)
  }

  override delete(key: string): boolean {
    const metadata = this.get(key)
    if (metadata !== undefined && !isRecorded(metadata)) this.#instrumentOf(metadata).remove(key)
    return super.delete(key)
  }

  override clear(): void {
    for (const key of this.keys()) this.delete(key)
  }

  #instrumentOf(metadata: Metadata): Instrument {
    const { description, id, type } = metadata
    const identity = JSON.stringify([id, type, unitOf(metadata), description])
    const known = this.#instruments.get(identity)
    if (known !== undefined) return known
    const made = new Instrument(this.#meter, metadata)
    this.#instruments.set(identity, made)
    return made
  }
}

/** One value of a series, as the meter takes it. */
interface Point {
  readonly value: number
  readonly attributes: Attributes
}

/** One instrument and its series. It is observed while it has any. */
class Instrument {
  readonly #observable: ReturnType<Meter["createObservableGauge"]>
  readonly #series = new Map<string, Metadata>()
  /** The last values of series that left since the latest collection. */
  readonly #left = new Map<string, ReadonlyArray<Point>>()
  #isObserved = false

  constructor(meter: Meter, metadata: Metadata) {
    this.#observable = observable(meter, metadata)
  }

  add(key: string, metadata: Metadata): void {
    this.#series.set(key, metadata)
    this.#left.delete(key)
    if (this.#isObserved) return
    this.#isObserved = true
    this.#observable.addCallback(this.#observe)
  }

  remove(key: string): void {
    const metadata = this.#series.get(key)
    if (metadata === undefined) return
    this.#left.set(key, pointsOf(metadata))
    this.#series.delete(key)
  }

  readonly #observe = (result: ObservableResult): void => {
    for (const points of this.#left.values()) observe(result, points)
    this.#left.clear()
    for (const metadata of this.#series.values()) observe(result, pointsOf(metadata))
    // Later, as the SDK is in the middle of its list of callbacks, and would skip the next one.
    if (this.#series.size === 0) queueMicrotask(this.#rest)
  }

  readonly #rest = (): void => {
    if (this.#series.size > 0 || this.#left.size > 0) return
    this.#isObserved = false
    this.#observable.removeCallback(this.#observe)
  }
}

const observe = (result: ObservableResult, points: ReadonlyArray<Point>): void => {
  for (const { attributes, value } of points) result.observe(value, attributes)
}

/** A metric says whether it can go down only in its state. */
const observable = (meter: Meter, metadata: Metadata): ReturnType<Meter["createObservableGauge"]> => {
  const options = optionsOf(metadata)
  if (metadata.type === "Gauge") return meter.createObservableGauge(metadata.id, options)
  const state = stateOf(metadata)
  return metadata.type === "Counter" && (state as Metric.CounterState<number> | undefined)?.incremental !== true
    ? meter.createObservableUpDownCounter(metadata.id, options)
    : meter.createObservableCounter(metadata.id, options)
}

/** What a series says now; nothing where its reader fails, as the others are to be exported. */
const pointsOf = (metadata: Metadata): ReadonlyArray<Point> => {
  const state = stateOf(metadata)
  if (state === undefined) return []
  const attributes = attributesOf(metadata)
  switch (metadata.type) {
    case "Counter":
      return [{ value: Number((state as Metric.CounterState<number | bigint>).count), attributes }]
    case "Gauge":
      return [{ value: Number((state as Metric.GaugeState<number | bigint>).value), attributes }]
    default:
      return Array.from(
        (state as Metric.FrequencyState).occurrences,
        ([key, value]) => ({ value, attributes: { ...attributes, key } })
      )
  }
}

const stateOf = ({ hooks }: Metadata): unknown => {
  try {
    return hooks.get(Context.empty())
  } catch {
    return undefined
  }
}

const isRecorded = ({ type }: Metadata): boolean => type === "Histogram" || type === "Summary"

/** Records each value of a histogram or summary from now on. */
const record = (meter: Meter, metadata: Metadata): void => {
  const buckets = metadata.type === "Histogram"
    ? (stateOf(metadata) as Metric.HistogramState | undefined)?.buckets.map(([boundary]) => boundary)
    : undefined
  const histogram = meter.createHistogram(metadata.id, {
    ...optionsOf(metadata),
    ...(buckets === undefined ? {} : { advice: { explicitBucketBoundaries: buckets.filter(Number.isFinite) } })
  })
  const attributes = attributesOf(metadata)
  const { hooks } = metadata
  const recorded = (push: typeof hooks.update): typeof hooks.update => (input, context) => {
    push(input, context)
    try {
      histogram.record(valueIn(input), attributes)
    } catch {
      // The SDK's mistake: what is measured goes on.
    }
  }
  // The metric holds these hooks by now: they are changed in place.
  Object.assign(hooks, { update: recorded(hooks.update), modify: recorded(hooks.modify) })
}

/** A summary is given its values with their times: `[value, timestamp]`. */
const valueIn = (input: unknown): number => Number(Array.isArray(input) ? input[0] : input)

const optionsOf = (metadata: Metadata) => ({
  unit: unitOf(metadata),
  ...(metadata.description === undefined ? {} : { description: metadata.description })
})

/** In UCUM; `1` where the metric says none. */
const unitOf = ({ attributes }: Metadata): string => attributes?.["unit"] ?? "1"

const attributesOf = ({ attributes }: Metadata): Attributes => {
  const { unit: _, ...others } = attributes ?? {}
  return others
}
