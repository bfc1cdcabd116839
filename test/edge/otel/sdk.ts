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
import type { Observer, RecordSeen, Series, SpanSeen } from "./seen.ts"

const idOf = ({ spanId, traceId }: { readonly spanId: string; readonly traceId: string }): string =>
  `${traceId}-${spanId}`

export interface Sdk extends Observer {
  readonly tracerProvider: BasicTracerProvider
  readonly meterProvider: MeterProvider
  readonly loggerProvider: LoggerProvider
  /** Shuts the SDK down, as its host would. */
  readonly shutdown: () => Promise<unknown>
}

/** Providers that export into memory; `temporality` is that of the reader of metrics. */
export const makeSdk = (temporality = AggregationTemporality.CUMULATIVE): Sdk => {
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
    shutdown: () => Promise.all([tracerProvider.shutdown(), meterProvider.shutdown(), loggerProvider.shutdown()])
  }
}

const kindOf = (data: MetricData): Series["kind"] =>
  data.dataPointType === DataPointType.SUM
    ? data.isMonotonic ? "counter" : "up-down"
    : data.dataPointType === DataPointType.GAUGE
    ? "gauge"
    : "histogram"
