/**
 * A real OpenTelemetry SDK that exports into memory: what arrived is asked for as plain data.
 */
import { SpanKind, SpanStatusCode } from "@opentelemetry/api"
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from "@opentelemetry/sdk-logs"
import {
  AggregationTemporality,
  DataPointType,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader
} from "@opentelemetry/sdk-metrics"
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"

/** One series as it was collected. */
export interface Series {
  readonly name: string
  readonly kind: "counter" | "up-down" | "gauge" | "histogram"
  readonly unit: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly value: unknown
}

export interface SpanSeen {
  readonly name: string
  readonly kind: string
  readonly status: string
  readonly attributes: Readonly<Record<string, unknown>>
  /** `traceId-spanId` of its own, of its parent, and of what it is linked to. */
  readonly id: string
  readonly parent: string | undefined
  readonly links: ReadonlyArray<string>
}

export interface RecordSeen {
  readonly body: unknown
  readonly severityText: string | undefined
  readonly severityNumber: number | undefined
  readonly attributes: Readonly<Record<string, unknown>>
  /** `traceId-spanId`. */
  readonly span: string | undefined
}

const idOf = ({ spanId, traceId }: { readonly spanId: string; readonly traceId: string }): string =>
  `${traceId}-${spanId}`

/** Providers that export into memory; `temporality` is that of the reader of metrics. */
export const makeSdk = (temporality = AggregationTemporality.CUMULATIVE) => {
  const spans = new InMemorySpanExporter()
  const records = new InMemoryLogRecordExporter()
  const metrics = new InMemoryMetricExporter(temporality)
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] })
  const loggerProvider = new LoggerProvider({
    processors: [new SimpleLogRecordProcessor({ exporter: records })]
  })
  const meterProvider = new MeterProvider({
    // Collects when it is asked to, and never by itself.
    readers: [new PeriodicExportingMetricReader({ exporter: metrics, exportIntervalMillis: 2 ** 30 })]
  })
  return {
    tracerProvider,
    meterProvider,
    loggerProvider,
    spans: (): ReadonlyArray<SpanSeen> =>
      spans.getFinishedSpans().map((span) => ({
        name: span.name,
        kind: SpanKind[span.kind],
        status: SpanStatusCode[span.status.code],
        attributes: span.attributes,
        id: idOf(span.spanContext()),
        parent: span.parentSpanContext === undefined ? undefined : idOf(span.parentSpanContext),
        links: span.links.map(({ context }) => idOf(context))
      })),
    records: (): ReadonlyArray<RecordSeen> =>
      records.getFinishedLogRecords().map(({ attributes, body, severityNumber, severityText, spanContext }) => ({
        body,
        severityText,
        severityNumber,
        attributes,
        span: spanContext === undefined ? undefined : idOf(spanContext)
      })),
    /** Collects once. */
    collect: async (): Promise<ReadonlyArray<Series>> => {
      metrics.reset()
      await meterProvider.forceFlush()
      return metrics.getMetrics()
        .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))
        .flatMap((data) => {
          const { descriptor: { name, unit } } = data
          return data.dataPoints.map(({ attributes, value }) => ({
            name,
            kind: kindOf(data),
            unit,
            attributes,
            value
          }))
        })
    },
    /** Shuts the SDK down, as its host would. */
    shutdown: () => Promise.all([tracerProvider.shutdown(), meterProvider.shutdown(), loggerProvider.shutdown()])
  }
}

const kindOf = (data: MetricData): Series["kind"] =>
  data.dataPointType === DataPointType.SUM
    ? data.isMonotonic ? "counter" : "up-down"
    : data.dataPointType === DataPointType.GAUGE
    ? "gauge"
    : "histogram"
