/**
 * An observable instrument and its series: those that can be asked for their value at any time.
 */
import type { Attributes, Meter, ObservableGauge, ObservableResult } from "@opentelemetry/api"
import type * as Metric from "effect/Metric"
import { attributesOf, type Metadata, optionsOf, stateOf } from "./Metadata.ts"

/** One value of a series, as the meter takes it. */
interface Point {
  readonly value: number
  readonly attributes: Attributes
}

/** The meter asks while there are series, and once more after the last has left. */
export class Observed {
  readonly #instrument: ObservableGauge
  readonly #series = new Map<string, Metadata>()
  /** The last values of series that left since the latest collection. */
  readonly #left = new Map<string, ReadonlyArray<Point>>()
  #isAsked = false

  constructor(meter: Meter, metadata: Metadata) {
    this.#instrument = instrumentOf(meter, metadata)
  }

  add(key: string, metadata: Metadata): void {
    this.#series.set(key, metadata)
    this.#left.delete(key)
    if (this.#isAsked) return
    this.#isAsked = true
    this.#instrument.addCallback(this.#answer)
  }

  remove(key: string): void {
    const metadata = this.#series.get(key)
    if (metadata === undefined) return
    this.#left.set(key, pointsOf(metadata))
    this.#series.delete(key)
  }

  readonly #answer = (result: ObservableResult): void => {
    for (const points of this.#left.values()) observe(result, points)
    this.#left.clear()
    for (const metadata of this.#series.values()) observe(result, pointsOf(metadata))
    // Later, as the SDK is in the middle of its list of callbacks, and would skip the next one.
    if (this.#series.size === 0) queueMicrotask(this.#rest)
  }

  readonly #rest = (): void => {
    if (this.#series.size > 0 || this.#left.size > 0) return
    this.#isAsked = false
    this.#instrument.removeCallback(this.#answer)
  }
}

const observe = (result: ObservableResult, points: ReadonlyArray<Point>): void => {
  for (const { attributes, value } of points) result.observe(value, attributes)
}

/** A metric says whether it can go down only in its state. */
const instrumentOf = (meter: Meter, metadata: Metadata): ObservableGauge => {
  const options = optionsOf(metadata)
  if (metadata.type === "Gauge") return meter.createObservableGauge(metadata.id, options)
  const state = stateOf(metadata) as Metric.CounterState<number> | undefined
  return metadata.type === "Counter" && state?.incremental !== true
    ? meter.createObservableUpDownCounter(metadata.id, options)
    : meter.createObservableCounter(metadata.id, options)
}

/** What a series says now; nothing where its reader fails. */
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
