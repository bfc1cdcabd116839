/** Lines of Effect's log as a real SDK has them. */
import { assert, describe, it } from "@effect/vitest"
import { context, ROOT_CONTEXT, trace } from "@opentelemetry/api"
import type { Logger as OtelLogger } from "@opentelemetry/api-logs"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"
import * as Records from "../../../src/edge/otel/Records.ts"
import { makeSdk } from "./sdk.ts"

const span = Tracer.externalSpan({ traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331" })

const logged = (effect: Effect.Effect<void>) => {
  const sdk = makeSdk()
  const loggers = new Set([Records.make(sdk.loggerProvider.getLogger("test"))])
  return effect.pipe(
    Effect.provideService(Logger.CurrentLoggers, loggers),
    Effect.provideService(References.MinimumLogLevel, "Trace"),
    Effect.map(sdk.records)
  )
}

describe("log records", () => {
  it.effect("have body, severity, annotations and the trace of their span", () =>
    Effect.gen(function*() {
      const records = yield* logged(
        Effect.logWarning("evidence left").pipe(
          Effect.annotateLogs({ type: "x", count: 2, known: true, more: { a: 1 }, list: ["a", 1] }),
          Effect.withParentSpan(span)
        )
      )
      assert.deepStrictEqual(records, [{
        body: "evidence left",
        severityText: "Warn",
        severityNumber: 13,
        attributes: { type: "x", count: 2, known: true, more: "{\"a\":1}", list: ["a", "1"] },
        span: `${span.traceId}-${span.spanId}`
      }])
    }))

  it.effect("have OpenTelemetry's number of each level", () =>
    Effect.gen(function*() {
      const levels = ["Trace", "Debug", "Info", "Warn", "Error", "Fatal"] as const
      const records = yield* logged(Effect.forEach(levels, (level) => Effect.logWithLevel(level)(level)))
      assert.deepStrictEqual(
        records.map(({ body, severityNumber }) => [body, severityNumber]),
        levels.map((level, i) => [level, 4 * i + 1])
      )
    }))

  it("have no trace outside of a span, whatever span is active on the turn that writes", () => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
    const active = trace.setSpanContext(ROOT_CONTEXT, { traceId: span.traceId, spanId: span.spanId, traceFlags: 1 })
    const records = context.with(active, () => {
      assert.isDefined(trace.getSpanContext(context.active()))
      return Effect.runSync(logged(Effect.log("alone")))
    })
    assert.isUndefined(records[0]?.span)
    context.disable()
  })

  it.effect("have the class and the frames of a cause, and none of its words", () =>
    Effect.gen(function*() {
      const records = yield* logged(
        Effect.logError("a job failed", Cause.die(new RangeError("attacker's words\n    at attacker (x:1:1)")))
      )
      assert.strictEqual(records[0]?.body, "a job failed")
      assert.strictEqual(records[0]?.attributes["exception.type"], "RangeError")
      assert.match(String(records[0]?.attributes["exception.stacktrace"]), /Records\.test/)
      assert.notInclude(JSON.stringify(records), "attacker")
    }))

  it.effect("cost nothing but themselves where the SDK throws", () => {
    const broken = {
      emit: () => {
        throw new Error("broken")
      }
    } as unknown as OtelLogger
    return Effect.log("a line").pipe(Effect.provideService(Logger.CurrentLoggers, new Set([Records.make(broken)])))
  })
})
