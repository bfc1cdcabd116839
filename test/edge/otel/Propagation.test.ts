/**
 * Whose span a call belongs to: a caller's of Effect, a caller's of the SDK, nobody's. The SDK's
 * context goes with its caller through AsyncLocalStorage, as in any host of Node's.
 */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { context, createTraceState, ROOT_CONTEXT, trace, TraceFlags } from "@opentelemetry/api"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"
import * as Effect from "effect/Effect"
import { setImmediate as aTurn } from "node:timers/promises"
import { createTracehound, type Scent, Tracehound, type TracehoundInstance } from "tracehound"
import { OpenTelemetry } from "tracehound/otel"
import { TracehoundTest } from "tracehound/testing"
import { activeSpan } from "../../../src/edge/otel/ActiveSpan.ts"
import { makeSdk, type Sdk } from "./sdk.ts"

const scent = (payload: string): Scent => ({
  id: payload,
  source: "192.0.2.7",
  timestamp: 0,
  payload,
  threat: { category: "injection", severity: "high" }
})

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
})

/** A plain Tracehound beside an SDK. */
const beside = async (use: (tracehound: TracehoundInstance, sdk: Sdk) => Promise<void> | void): Promise<void> => {
  const sdk = makeSdk()
  const tracehound = createTracehound({ hound: { enabled: false } }, {}, { telemetry: OpenTelemetry.layer(sdk) })
  await tracehound.init()
  try {
    await use(tracehound, sdk)
  } finally {
    await tracehound.dispose()
  }
}

/** What a host does in a callback of its own. */
const runInHost = (effect: Effect.Effect<unknown, Error>): Promise<unknown> => Effect.runPromise(effect)
const runNow = (effect: Effect.Effect<unknown>): unknown => Effect.runSync(effect)

const attributesOf = (sdk: Sdk, name: string) => sdk.spans().find((span) => span.name === name)?.attributes

describe("the span of", () => {
  it("RFC W7 an SDK's caller is told what came of the call", () =>
    beside((tracehound, sdk) => {
      const signature = sdk.tracerProvider.getTracer("host").startActiveSpan("GET /", (span) => {
        const result = tracehound.intercept(scent("a"))
        span.end()
        return result.status === "quarantined" ? result.handle.signature : ""
      })
      assert.deepStrictEqual(attributesOf(sdk, "GET /"), {
        "tracehound.status": "quarantined",
        "tracehound.signature": signature
      })
    }))

  it("RFC W7 each of many callers is its own, however their turns mix", () =>
    beside(async (tracehound, sdk) => {
      const tracer = sdk.tracerProvider.getTracer("host")
      await Promise.all(Array.from({ length: 20 }, (_, n) =>
        tracer.startActiveSpan(`request ${n}`, async (span) => {
          for (let turn = 0; turn < (n * 7) % 5; turn++) await aTurn()
          span.setAttribute("expected", tracehound.intercept(scent(`${n % 3}`)).status)
          span.end()
        })))
      const spans = sdk.spans()
      assert.strictEqual(spans.length, 20)
      assert.strictEqual(spans.filter(({ attributes }) => attributes["expected"] === "quarantined").length, 3)
      for (const { attributes } of spans) assert.strictEqual(attributes["tracehound.status"], attributes["expected"])
    }))

  it("nobody is told nothing, and the answer is the same", () =>
    beside((tracehound, sdk) => {
      assert.strictEqual(tracehound.intercept(scent("a")).status, "quarantined")
      assert.deepStrictEqual(sdk.spans(), [])
    }))

  it.effect("an Effect's caller is told, though the SDK has one active around it", () =>
    Effect.gen(function*() {
      const sdk = makeSdk()
      const program = Effect.flatMap(Tracehound, (tracehound) => tracehound.intercept(scent("a"))).pipe(
        Effect.withSpan("inner"),
        Effect.provide(TracehoundTest.layer().pipe(OpenTelemetry.provide(sdk)))
      )
      yield* Effect.promise(() =>
        sdk.tracerProvider.getTracer("host").startActiveSpan("outer", async (span) => {
          await runInHost(program)
          span.end()
        })
      )
      assert.hasAllKeys(attributesOf(sdk, "inner"), ["tracehound.status", "tracehound.signature"])
      assert.deepStrictEqual(attributesOf(sdk, "outer"), {})
      const [inner, outer] = ["inner", "outer"].map((name) => sdk.spans().find((span) => span.name === name))
      assert.strictEqual(inner?.parent, outer?.id)
    }))

  it.effect("an SDK's caller is told of an Effect that has none of its own", () =>
    Effect.gen(function*() {
      const sdk = makeSdk()
      yield* Effect.gen(function*() {
        const tracehound = yield* Tracehound
        sdk.tracerProvider.getTracer("host").startActiveSpan("GET /", (span) => {
          runNow(tracehound.intercept(scent("a")))
          span.end()
        })
      }).pipe(Effect.provide(TracehoundTest.layer().pipe(OpenTelemetry.provide(sdk))))
      assert.hasAllKeys(attributesOf(sdk, "GET /"), ["tracehound.status", "tracehound.signature"])
    }))
})

describe("the active span", () => {
  const spanContext = {
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    traceFlags: TraceFlags.SAMPLED,
    traceState: createTraceState("vendor=1")
  }

  it("is known by the ids that the SDK gave it, the same however often one asks", () => {
    context.with(trace.setSpanContext(ROOT_CONTEXT, spanContext), () => {
      const span = activeSpan()
      assert.deepInclude(span, { traceId: spanContext.traceId, spanId: spanContext.spanId, sampled: true })
      assert.strictEqual(activeSpan(), span)
    })
  })

  it("is none where there is none, or an invalid one", () => {
    assert.isUndefined(activeSpan())
    const invalid = trace.setSpanContext(ROOT_CONTEXT, { ...spanContext, traceId: "0".repeat(32) })
    assert.isUndefined(context.with(invalid, activeSpan))
  })
})
