/**
 * Tracehound beside a real SDK: through the layer, in an order that reaches it and in one that does
 * not, and as a plain object beside global providers.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import { createTracehound, type Scent, Tracehound } from "tracehound"
import { OpenTelemetry } from "tracehound/otel"
import { TracehoundTest } from "tracehound/testing"
import { makeSdk } from "./sdk.ts"

const scent = (payload: string): Scent => ({
  id: payload,
  source: "192.0.2.7",
  timestamp: 0,
  payload,
  threat: { category: "injection", severity: "high" }
})

const config = { quarantine: { maxCount: 1 } }

/** One eviction, which alerts. */
const program = Effect.gen(function*() {
  const tracehound = yield* Tracehound
  yield* Effect.withSpan(
    Effect.forEach(["a", "b"], (payload) => tracehound.intercept(scent(payload))),
    "request"
  )
  yield* TracehoundTest.settled
})

const alerted = "high_severity_eviction: evidence of high severity was evicted: the quarantine is full"

describe("OpenTelemetry.layer", () => {
  it.effect("provided to a Tracehound and its program, gives both to the SDK", () =>
    Effect.gen(function*() {
      const sdk = makeSdk()
      yield* Effect.provide(program, TracehoundTest.layer(config).pipe(OpenTelemetry.provide(sdk)))
      assert.includeMembers(sdk.spans().map(({ name }) => name), ["request"])
      assert.deepStrictEqual(sdk.records().map(({ body }) => body), [alerted])
      assert.isNotEmpty(yield* Effect.promise(sdk.collect))
    }))

  it.effect("provided to a Tracehound alone, leaves its program alone", () =>
    Effect.gen(function*() {
      const sdk = makeSdk()
      yield* Effect.provide(program, TracehoundTest.layer(config).pipe(Layer.provide(OpenTelemetry.layer(sdk))))
      assert.notInclude(sdk.spans().map(({ name }) => name), "request")
      assert.deepStrictEqual(sdk.records().map(({ body }) => body), [alerted])
      assert.isNotEmpty(yield* Effect.promise(sdk.collect))
    }))

  it.effect("merged beside a Tracehound, gives the SDK nothing of it", () =>
    Effect.gen(function*() {
      const sdk = makeSdk()
      yield* Effect.provide(program, Layer.mergeAll(TracehoundTest.layer(config), OpenTelemetry.layer(sdk)))
      assert.deepStrictEqual(sdk.records(), [])
      assert.isEmpty(yield* Effect.promise(sdk.collect))
    }))

  it.effect("shares the series of one meter among its users, until the last one closes", () =>
    Effect.gen(function*() {
      const sdk = makeSdk()
      const users = Metric.gauge("users")
      const add = Metric.modify(users, 1)
      yield* Effect.provide(
        Effect.andThen(add, Effect.provide(add, OpenTelemetry.layer(sdk), { local: true })),
        OpenTelemetry.layer(sdk)
      )
      assert.deepStrictEqual((yield* Effect.promise(sdk.collect)).map(({ value }) => value), [2])
      yield* Effect.provide(add, OpenTelemetry.layer(sdk))
      assert.deepStrictEqual((yield* Effect.promise(sdk.collect)).map(({ value }) => value), [1])
    }))

  it.effect("RFC W7 goes on where the SDK throws", () =>
    Effect.gen(function*() {
      const throws = (): never => {
        throw new Error("the SDK is broken")
      }
      const { loggerProvider, meterProvider, tracerProvider } = makeSdk()
      const span = tracerProvider.getTracer("x").startSpan("x")
      for (const key of ["end", "setAttribute", "addEvent", "addLinks"] as const) span[key] = throws
      const logger = loggerProvider.getLogger("x")
      logger.emit = throws
      for (const startSpan of [throws, () => span]) {
        const broken = {
          tracerProvider: { getTracer: () => ({ startSpan, startActiveSpan: throws }) },
          loggerProvider: { getLogger: () => logger },
          meterProvider
        }
        yield* Effect.provide(program, TracehoundTest.layer(config).pipe(OpenTelemetry.provide(broken)))
      }
    }))
})

describe("createTracehound beside an SDK", () => {
  it("RFC W7 gives it metrics and log lines, flushes nothing, and leaves it running", async () => {
    const sdk = makeSdk()
    let flushes = 0
    for (const provider of [sdk.tracerProvider, sdk.meterProvider, sdk.loggerProvider]) {
      const flush = provider.forceFlush.bind(provider)
      provider.forceFlush = () => {
        flushes += 1
        return flush()
      }
      provider.shutdown = () => Promise.reject(new Error("not ours to shut down"))
    }
    const telemetry = OpenTelemetry.layer(sdk)
    const tracehound = createTracehound({ ...config, hound: { enabled: false } }, {}, { telemetry })
    await tracehound.init()
    for (const payload of ["a", "b"]) tracehound.intercept(scent(payload))
    await tracehound.dispose()
    assert.strictEqual(flushes, 0)
    assert.deepStrictEqual(sdk.records().map(({ body }) => body), [alerted])
    // The host collects after Tracehound has closed: nothing was lost.
    const handled = (await sdk.collect()).find(({ attributes, name }) =>
      name === "tracehound.actor.messages.handled" && attributes["actor"] === "alerts"
    )
    assert.strictEqual(handled?.value, 1)
  })

  it("takes any telemetry that builds synchronously", async () => {
    const registry: Metric.MetricRegistry = new Map()
    const telemetry = Layer.succeed(Metric.MetricRegistry, registry)
    const tracehound = createTracehound({ hound: { enabled: false } }, {}, { telemetry })
    assert.include([...registry.values()].map(({ id }) => id), "tracehound.intercepts")
    await tracehound.dispose()
    assert.notInclude([...registry.values()].map(({ id }) => id), "tracehound.intercepts")
  })
})
