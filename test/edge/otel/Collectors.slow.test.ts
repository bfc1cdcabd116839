/**
 * Collectors that are dead, slow or lie: they get less, and Tracehound goes on and closes.
 */
import { assert, describe, it as every } from "@effect/vitest"
import { LoggerProvider, SimpleLogRecordProcessor } from "@opentelemetry/sdk-logs"
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics"
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Otlp from "effect/observability/Otlp"
import { mkdtempSync, rmSync } from "node:fs"
import type { ServerResponse } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createTracehound, Tracehound } from "tracehound"
import { OpenTelemetry } from "tracehound/otel"
import { receiver } from "../../safety/devops/receivers.ts"
import { sampleOf } from "../../support/tiers.ts"

const it = sampleOf(every, 7)

/** Exports all the time, and waits for nobody for long. */
const exporter = (baseUrl: string): Layer.Layer<never> =>
  Otlp.layerJson({
    baseUrl,
    resource: { serviceName: "test" },
    loggerMergeWithExisting: false,
    loggerExportInterval: "5 millis",
    metricsExportInterval: "5 millis",
    tracerExportInterval: "5 millis",
    shutdownTimeout: "50 millis"
  }).pipe(Layer.provide(FetchHttpClient.layer))

/** How a collector answers. */
const bad: Readonly<Record<string, (response: ServerResponse) => void>> = {
  "never answers": () => undefined,
  "breaks off": (response) => response.destroy(),
  "begins an answer that does not end": (response) => {
    response.writeHead(200, { "content-length": "1000" }).write("{")
  },
  "answers nonsense": (response) => response.writeHead(200, { "content-type": "application/json" }).end("\0}{"),
  refuses: (response) => response.writeHead(400).end(),
  "is overloaded for a year": (response) => response.writeHead(503, { "retry-after": "31536000" }).end(),
  "sends us round in circles": (response) => response.writeHead(307, { location: "/v1/metrics" }).end()
}

const config = { quarantine: { maxCount: 1 }, hound: { enabled: false } }

/** Evidence and an eviction each time: metrics, and an alert for the log. */
const threat = (n: number) => ({
  id: `${n}`,
  source: "192.0.2.7",
  timestamp: 0,
  payload: `${n}`,
  threat: { category: "injection", severity: "high" } as const
})

/**
 * Threats until the collector was asked so often, or the exporter gave it up; what they came to.
 */
const underThreats = (intercept: (n: number) => string, asked: () => number) =>
  Effect.gen(function*() {
    const statuses = new Set<string>()
    for (let n = 0; n < 20 || (asked() === 0 && n < 200); n++) {
      statuses.add(intercept(n))
      yield* Effect.sleep("5 millis")
    }
    return [...statuses]
  })

const closed = Effect.map(receiver(() => undefined), ({ origin }) => origin).pipe(Effect.scoped)

/** What an SDK's exporter does in place of exporting. */
const badExports: Readonly<Record<string, () => void>> = {
  "never end": () => undefined,
  throw: () => {
    throw new Error("broken")
  }
}

/** A directory, gone with the scope. */
const directory = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "tracehound-collectors-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

describe("telemetry of the host", () => {
  it.live("RFC W7 with a collector that is not there costs createTracehound nothing", () =>
    Effect.gen(function*() {
      const tracehound = createTracehound(config, {}, { telemetry: exporter(yield* closed) })
      yield* Effect.promise(tracehound.init)
      const statuses = yield* underThreats((n) => tracehound.intercept(threat(n)).status, () => 1)
      assert.deepStrictEqual(statuses, ["quarantined"])
      yield* Effect.promise(tracehound.dispose)
    }))

  for (const [name, answer] of Object.entries(bad)) {
    it.live(`with a collector that ${name} costs createTracehound nothing`, () =>
      Effect.gen(function*() {
        const { origin, received } = yield* receiver(answer)
        const tracehound = createTracehound(config, {}, { telemetry: exporter(origin) })
        yield* Effect.promise(tracehound.init)
        const statuses = yield* underThreats((n) => tracehound.intercept(threat(n)).status, () => received.length)
        assert.deepStrictEqual(statuses, ["quarantined"])
        yield* Effect.promise(tracehound.dispose)
        assert.isAbove(received.length, 0)
        assert.isFalse(tracehound.quarantine.count > 0)
      }))

    it.live(`with a collector that ${name} costs a program of Effect nothing`, () =>
      Effect.gen(function*() {
        const { origin, received } = yield* receiver(answer)
        yield* Effect.gen(function*() {
          const { sync } = yield* Tracehound
          const statuses = yield* underThreats((n) => sync.intercept(threat(n)).status, () => received.length)
          assert.deepStrictEqual(statuses, ["quarantined"])
        }).pipe(Effect.provide(Tracehound.layer(config).pipe(Layer.provideMerge(exporter(origin)))))
        assert.isAbove(received.length, 0)
      }))
  }

  for (const [name, end] of Object.entries(badExports)) {
    it.live(`RFC W7 whose exports ${name} costs createTracehound nothing`, () =>
      Effect.gen(function*() {
        const exported = { spans: 0, records: 0, metrics: 0 }
        const exporter = (of: keyof typeof exported) => ({
          export: () => {
            exported[of] += 1
            end()
          },
          forceFlush: () => Promise.resolve(),
          shutdown: () => Promise.resolve()
        })
        const reader = new PeriodicExportingMetricReader({
          exporter: exporter("metrics"),
          exportIntervalMillis: 10,
          exportTimeoutMillis: 10
        })
        const telemetry = OpenTelemetry.layer({
          tracerProvider: new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter("spans"))] }),
          loggerProvider: new LoggerProvider({
            processors: [new SimpleLogRecordProcessor({ exporter: exporter("records") })]
          }),
          meterProvider: new MeterProvider({ readers: [reader] })
        })
        const audit = { coldStorage: { endpoint: `file:${yield* directory}` } }
        const tracehound = createTracehound({ ...config, audit }, {}, { telemetry })
        yield* Effect.promise(tracehound.init)
        const statuses = yield* underThreats((n) => tracehound.intercept(threat(n)).status, () => exported.metrics)
        assert.deepStrictEqual(statuses, ["quarantined"])
        yield* Effect.promise(tracehound.dispose)
        assert.isAbove(Math.min(...Object.values(exported)), 0)
        yield* Effect.promise(() => reader.shutdown().catch(() => undefined))
      }))
  }
})
