/**
 * What arrived at an observer, as plain data that is the same whatever way it came: through an SDK
 * or over OTLP.
 */

/** One series of a metric. */
export interface Series {
  readonly name: string
  readonly kind: "counter" | "up-down" | "gauge" | "histogram"
  readonly unit: string
  readonly attributes: Attributes
  /** Of a histogram the count. */
  readonly value: unknown
}

export interface SpanSeen {
  readonly name: string
  readonly kind: string
  readonly status: string
  readonly attributes: Attributes
  /** `traceId-spanId` of its own, of its parent, and of what it is linked to. */
  readonly id: string
  readonly parent: string | undefined
  readonly links: ReadonlyArray<string>
}

export interface RecordSeen {
  readonly body: unknown
  readonly severityText: string | undefined
  readonly severityNumber: number | undefined
  readonly attributes: Attributes
  /** `traceId-spanId`. */
  readonly span: string | undefined
}

export type Attributes = Readonly<Record<string, unknown>>

/** An observer that was running while something happened. */
export interface Observer {
  readonly spans: () => ReadonlyArray<SpanSeen>
  readonly records: () => ReadonlyArray<RecordSeen>
  /** Collects once. */
  readonly collect: () => Promise<ReadonlyArray<Series>>
}

/** The same attributes without those that name a fiber or say again what the record says. */
export const without = (attributes: Attributes, ...names: ReadonlyArray<string>): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)))
