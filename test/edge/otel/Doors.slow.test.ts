/**
 * Both doors, with real parts: what an observer sees of a Tracehound from `createTracehound` is
 * what it sees of one from a layer, and what goes to an SDK is what goes over OTLP.
 *
 * **Gotchas**
 *
 * - Each step waits for what it caused, so that the order is the same through each door.
 */
import { assert, beforeAll, describe, it as every } from "@effect/vitest"
import { context, metrics, SpanStatusCode, trace } from "@opentelemetry/api"
import { logs } from "@opentelemetry/api-logs"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Otlp from "effect/observability/Otlp"
import type * as Scope from "effect/Scope"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  createTracehound,
  type InterceptResult,
  type Scent,
  type Severity,
  Tracehound,
  type TracehoundConfigInput,
  type TracehoundSync
} from "tracehound"
import { OpenTelemetry } from "tracehound/otel"
import { analyzerFile, obedient, until } from "../../hound/pool/pools.ts"
import { type Receiver, receiver, status } from "../../safety/devops/receivers.ts"
import { sampleOf } from "../../support/tiers.ts"
import { makeCollector } from "./collector.ts"
import { makeSdk } from "./sdk.ts"
import { type Attributes, type Observer, type Series, without } from "./seen.ts"

const it = sampleOf(every, 2)

/** A Tracehound, and a way to call it in the name of a span. */
interface Door {
  readonly sync: TracehoundSync
  readonly intercept: (scent: Scent, span: string) => Effect.Effect<InterceptResult>
}

/** The machine around a Tracehound. */
interface World {
  readonly config: TracehoundConfigInput
  readonly evidence: string
  readonly devops: Receiver
}

const makeWorld: Effect.Effect<World, never, Scope.Scope> = Effect.gen(function*() {
  const path = yield* analyzerFile(obedient)
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "tracehound-otel-"))),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )
  const devops = yield* receiver(status(204))
  const evidence = join(directory, "evidence")
  return {
    evidence,
    devops,
    config: {
      quarantine: { maxCount: 5 },
      rateLimit: { maxRequests: 100 },
      alerts: { maxAlertsPerWindow: 4, windowMs: 3_600_000, escalationThreshold: 100, devopsEndpoint: devops.origin },
      audit: { coldStorage: { endpoint: `file:${evidence}`, retries: 0 } },
      hound: {
        escalation: { fill: 1 },
        analyzer: { path },
        minimumDormant: 1,
        maxActive: 1,
        readyTimeout: 20_000,
        maxProcessingTime: 20_000
      }
    }
  }
})

const scent = (payload: string, severity?: Severity): Scent => ({
  id: `request ${payload}`,
  source: "192.0.2.7",
  timestamp: 0,
  payload,
  ...(severity === undefined ? {} : { threat: { category: "injection", severity } })
})

/**
 * Everything that can happen, one after the other. A full quarantine escalates where a hound is
 * free: there always is one.
 */
const life = ({ intercept, sync }: Door, { devops, evidence }: World) =>
  Effect.gen(function*() {
    const areFree = () => sync.hounds.dormant > 0 && sync.hounds.active === 0
    const call = (span: string, payload: string, severity?: Severity) =>
      Effect.andThen(until(areFree), intercept(scent(payload, severity), span))
    yield* call("clean", "hello")
    yield* call("quarantined", "a", "high")
    yield* call("ignored", "a", "high")
    yield* call("content", "fine", "critical")
    yield* until(() => sync.hounds.outcomes().complete === 1)
    yield* call("discontent", "error", "critical")
    yield* until(() => sync.hounds.outcomes().error === 1 && devops.received.length === 1)
    const low = yield* call("evacuated", "b", "low")
    if (low.status === "quarantined") sync.evacuate(low.handle.signature)
    yield* until(() => sync.coldStorage.stats().written === 1)
    for (const payload of ["c", "d", "g"]) yield* call(`filling with ${payload}`, payload, "high")
    yield* until(() => sync.coldStorage.stats().written === 2 && devops.received.length === 2)
    rmSync(evidence, { recursive: true })
    writeFileSync(evidence, "in the way")
    yield* call("losing", "e", "high")
    yield* until(() => sync.coldStorage.stats().deadLetters === 1 && devops.received.length === 4)
    rmSync(evidence)
    mkdirSync(evidence)
    yield* call("suppressed", "f", "high")
    yield* until(() => sync.coldStorage.stats().written === 3 && areFree())
    sync.panic()
    yield* until(() => sync.auditChain.closed)
  })

/** Signatures, ids of hounds and times, which no two runs share. */
const masked = (attributes: Attributes): Attributes =>
  Object.fromEntries(
    Object.entries(attributes).map(([key, value]) => [
      key,
      /hound$|timestamp/.test(key) ? "…" : value
    ])
  )

/** In an order of their own: which of two spans ends first is up to the machine. */
const sorted = <A>(all: ReadonlyArray<A>): ReadonlyArray<A> =>
  all.toSorted((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)

/** What there is to see, with spans by their names. */
const seen = (observer: Observer) => {
  const spans = observer.spans()
  const nameOf = new Map(spans.map(({ id, name }) => [id, name]))
  return {
    spans: sorted(spans.map(({ attributes, kind, links, name, parent, status }) => ({
      name,
      kind,
      status,
      parent: parent === undefined ? undefined : nameOf.get(parent) ?? "unknown",
      links: links.map((id) => nameOf.get(id) ?? "unknown"),
      attributes: masked(attributes)
    }))),
    records: sorted(
      observer.records().map(({ attributes, body, severityText, span }) => ({
        level: severityText,
        body,
        span: span === undefined ? undefined : nameOf.get(span) ?? "unknown",
        attributes: masked(attributes)
      }))
    )
  }
}

const throughLayer = Effect.gen(function*() {
  const world = yield* makeWorld
  const sdk = makeSdk()
  yield* Effect.gen(function*() {
    const { intercept, sync } = yield* Tracehound
    yield* life({ sync, intercept: (scent, span) => Effect.withSpan(intercept(scent), span) }, world)
  }).pipe(Effect.provide(Tracehound.layer(world.config).pipe(OpenTelemetry.provide(sdk))))
  return { ...seen(sdk), metrics: yield* Effect.promise(sdk.collect) }
})

/** The SDK that is registered globally, as a host of plain Node does it. */
const host = makeSdk()

const throughGlobals = Effect.gen(function*() {
  const world = yield* makeWorld
  const tracehound = createTracehound(world.config, {}, { telemetry: OpenTelemetry.layer() })
  yield* Effect.promise(tracehound.init)
  const tracer = trace.getTracer("host")
  const intercept = (scent: Scent, name: string) =>
    Effect.sync(() =>
      tracer.startActiveSpan(name, (span) => {
        const result = tracehound.intercept(scent)
        // As the host would, and as Effect does.
        span.setStatus({ code: SpanStatusCode.OK }).end()
        return result
      })
    )
  yield* life({ sync: tracehound, intercept }, world)
  yield* Effect.promise(tracehound.dispose)
  return { ...seen(host), metrics: yield* Effect.promise(host.collect) }
})

/** Effect's exporter in plain Node: there is no span of a caller's. */
const throughOtlp = Effect.gen(function*() {
  const world = yield* makeWorld
  const collector = yield* makeCollector
  const telemetry = Otlp.layerJson({
    baseUrl: collector.baseUrl,
    resource: { serviceName: "host" },
    metricsExportInterval: "20 millis"
  }).pipe(
    Layer.provide(FetchHttpClient.layer),
    // The registry that all of a process shares has series of others.
    Layer.provideMerge(Layer.sync(Metric.MetricRegistry, () => new Map()))
  )
  const tracehound = createTracehound(world.config, {}, { telemetry })
  yield* Effect.promise(tracehound.init)
  yield* life({ sync: tracehound, intercept: (scent) => Effect.sync(() => tracehound.intercept(scent)) }, world)
  const metrics = yield* Effect.promise(collector.collect)
  yield* Effect.promise(tracehound.dispose)
  return { ...seen(collector), metrics }
})

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(host.tracerProvider)
  metrics.setGlobalMeterProvider(host.meterProvider)
  logs.setGlobalLoggerProvider(host.loggerProvider)
})

/**
 * The names of series, whose values depend on the moment of collecting. Those of actors are not all
 * there at each: some come with the first dead letter.
 */
const names = (metrics: ReadonlyArray<Series>): ReadonlyArray<string> =>
  [
    ...new Set(
      metrics.filter(({ name }) => !name.includes("actor")).map(({ kind, name, unit }) => `${name} ${kind} ${unit}`)
    )
  ].toSorted()

/** What is Tracehound's own, without what only a caller's span can tell. */
const ownOnly = ({ records, spans }: ReturnType<typeof seen>) => ({
  spans: sorted(
    spans.filter(({ name }) => name.startsWith("tracehound.")).map((span) => without({ ...span }, "links"))
  ),
  records: sorted(records.map((record) => without({ ...record }, "span")))
})

describe("createTracehound", () => {
  it.live("RFC W7 shows an SDK what the layer shows it", () =>
    Effect.gen(function*() {
      const layer = yield* throughLayer
      const plain = yield* throughGlobals
      if (process.env["SHOW"] !== undefined) console.info(JSON.stringify(layer, undefined, 1))
      assert.deepStrictEqual(plain.spans, layer.spans)
      assert.deepStrictEqual(plain.records, layer.records)
      assert.deepStrictEqual(names(plain.metrics), names(layer.metrics))
    }), 60_000)

  it.live("RFC W7 shows a collector by Effect's exporter what it shows an SDK", () =>
    Effect.gen(function*() {
      const layer = yield* throughLayer
      const otlp = yield* throughOtlp
      assert.deepStrictEqual(ownOnly(otlp), ownOnly(layer))
      assert.deepStrictEqual(names(otlp.metrics), names(layer.metrics))
    }), 60_000)
})
