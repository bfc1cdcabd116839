/**
 * A collector of OpenTelemetry: a real server on a port of its own that takes OTLP/HTTP as JSON and
 * refuses what is not that.
 */
import { SpanKind, SpanStatusCode } from "@opentelemetry/api"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { type Received, receiver } from "../../safety/devops/receivers.ts"
import { type Attributes, type Observer, type RecordSeen, type Series, type SpanSeen, without } from "./seen.ts"

const One = [
  Schema.Struct({ stringValue: Schema.String }),
  Schema.Struct({ boolValue: Schema.Boolean }),
  Schema.Struct({ intValue: Schema.Union([Schema.Int, Schema.String]) }),
  Schema.Struct({ doubleValue: Schema.Finite })
] as const
const Value = Schema.Union([
  ...One,
  Schema.Struct({ arrayValue: Schema.Struct({ values: Schema.Array(Schema.Union(One)) }) })
])
const Values = Schema.Array(Schema.Struct({ key: Schema.String, value: Value }))
const Id = (digits: number) => Schema.String.check(Schema.isPattern(new RegExp(`^[0-9a-f]{${digits}}$`)))
const Nanos = Schema.String.check(Schema.isPattern(/^[1-9]?\d*$/))
const TraceId = Id(32)
const SpanId = Id(16)

const Resource = Schema.Struct({ attributes: Values })

const Traces = Schema.Struct({
  resourceSpans: Schema.Array(Schema.Struct({
    resource: Resource,
    scopeSpans: Schema.Array(Schema.Struct({
      spans: Schema.Array(Schema.Struct({
        traceId: TraceId,
        spanId: SpanId,
        parentSpanId: Schema.optionalKey(SpanId),
        name: Schema.String,
        kind: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 5 })),
        startTimeUnixNano: Nanos,
        endTimeUnixNano: Nanos,
        attributes: Values,
        links: Schema.Array(Schema.Struct({ traceId: TraceId, spanId: SpanId })),
        status: Schema.Struct({ code: Schema.Int })
      }))
    }))
  }))
})

const Logs = Schema.Struct({
  resourceLogs: Schema.Array(Schema.Struct({
    resource: Resource,
    scopeLogs: Schema.Array(Schema.Struct({
      logRecords: Schema.Array(Schema.Struct({
        timeUnixNano: Nanos,
        severityNumber: Schema.Int,
        severityText: Schema.String,
        body: Value,
        attributes: Values,
        traceId: Schema.optionalKey(TraceId),
        spanId: Schema.optionalKey(SpanId)
      }))
    }))
  }))
})

const Point = Schema.Struct({
  attributes: Values,
  timeUnixNano: Nanos,
  asDouble: Schema.optionalKey(Schema.Finite),
  asInt: Schema.optionalKey(Schema.Int)
})
const Sum = Schema.Struct({ isMonotonic: Schema.Boolean, dataPoints: Schema.Array(Point) })
const Gauge = Schema.Struct({ dataPoints: Schema.Array(Point) })
const Histogram = Schema.Struct({
  dataPoints: Schema.Array(Schema.Struct({ attributes: Values, count: Schema.Int, sum: Schema.Finite }))
})
const Metrics = Schema.Struct({
  resourceMetrics: Schema.Array(Schema.Struct({
    resource: Resource,
    scopeMetrics: Schema.Array(Schema.Struct({
      metrics: Schema.Array(Schema.Struct({
        name: Schema.String,
        description: Schema.String,
        unit: Schema.String,
        sum: Schema.optionalKey(Sum),
        gauge: Schema.optionalKey(Gauge),
        histogram: Schema.optionalKey(Histogram)
      }))
    }))
  }))
})

/** What was posted to a path of OTLP, oldest first. Dies where it is none of that. */
const posted = <T>(
  received: ReadonlyArray<Received>,
  path: string,
  schema: Schema.Codec<T, unknown>
): ReadonlyArray<T> =>
  received.filter(({ url }) => url === path).map(({ body, headers, method }) => {
    if (method !== "POST" || headers["content-type"] !== "application/json") throw new Error(`${path}: no OTLP`)
    return Schema.decodeUnknownSync(Schema.fromJsonString(schema))(body)
  })

const valueIn = (value: typeof Value.Type): unknown =>
  "arrayValue" in value ? value.arrayValue.values.map(valueIn) : Object.values(value)[0]

const attributesIn = (values: typeof Values.Type): Attributes =>
  Object.fromEntries(values.map(({ key, value }) => [key, valueIn(value)]))

/** A collector that answers 200; `collect` gives the series of the latest export of metrics. */
export const makeCollector: Effect.Effect<Observer & { readonly baseUrl: string }, never, Scope.Scope> = Effect.map(
  receiver((response) => {
    response.writeHead(200, { "content-type": "application/json" }).end("{}")
  }),
  ({ origin, received }) => ({
    baseUrl: origin,
    spans: () => spansIn(posted(received, "/v1/traces", Traces)),
    records: () => recordsIn(posted(received, "/v1/logs", Logs)),
    collect: () => Promise.resolve(seriesIn(posted(received, "/v1/metrics", Metrics).slice(-1)))
  })
)

const spansIn = (traces: ReadonlyArray<typeof Traces.Type>): ReadonlyArray<SpanSeen> =>
  traces
    .flatMap(({ resourceSpans }) => resourceSpans.flatMap(({ scopeSpans }) => scopeSpans))
    .flatMap(({ spans }) => spans)
    .map(({ attributes, kind, links, name, parentSpanId, spanId, status, traceId }) => ({
      name,
      kind: SpanKind[kind - 1] ?? "unknown",
      status: SpanStatusCode[status.code] ?? "unknown",
      attributes: attributesIn(attributes),
      id: `${traceId}-${spanId}`,
      parent: parentSpanId === undefined ? undefined : `${traceId}-${parentSpanId}`,
      links: links.map((link) => `${link.traceId}-${link.spanId}`)
    }))

const recordsIn = (logs: ReadonlyArray<typeof Logs.Type>): ReadonlyArray<RecordSeen> =>
  logs
    .flatMap(({ resourceLogs }) => resourceLogs.flatMap(({ scopeLogs }) => scopeLogs))
    .flatMap(({ logRecords }) => logRecords)
    .map(({ attributes, body, severityNumber, severityText, spanId, traceId }) => ({
      body: valueIn(body),
      severityNumber,
      severityText,
      attributes: without(attributesIn(attributes), "effect.fiberId", "spanId", "traceId"),
      span: traceId === undefined ? undefined : `${traceId}-${spanId}`
    }))

const seriesIn = (metrics: ReadonlyArray<typeof Metrics.Type>): ReadonlyArray<Series> =>
  metrics
    .flatMap(({ resourceMetrics }) => resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics))
    .flatMap(({ metrics: all }) => all)
    .flatMap(({ gauge, histogram, name, sum, unit }) => {
      const points = (kind: Series["kind"], all: ReadonlyArray<typeof Point.Type>) =>
        all.map(({ asDouble, asInt, attributes }) => ({
          name,
          kind,
          unit,
          attributes: without(attributesIn(attributes), "unit"),
          value: asDouble ?? asInt
        }))
      return [
        ...points(sum?.isMonotonic === true ? "counter" : "up-down", sum?.dataPoints ?? []),
        ...points("gauge", gauge?.dataPoints ?? []),
        ...(histogram?.dataPoints ?? []).map(({ attributes, count }) => ({
          name,
          kind: "histogram" as const,
          unit,
          attributes: without(attributesIn(attributes), "unit"),
          value: count
        }))
      ]
    })
