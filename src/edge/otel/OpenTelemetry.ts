/**
 * Tracehound's telemetry through an OpenTelemetry SDK that the host runs: spans to its tracer,
 * metrics to its meter, log lines to its logger. The span that is active where somebody calls
 * `intercept` is the caller's: it is told what came of the call, and what follows is linked to it
 * (CONFORMANCE W7).
 *
 * **Details**
 *
 * - The SDK stays the host's. Nothing here starts it, flushes it or shuts it down; when a
 *   Tracehound has closed, all that it had to say is with the SDK, and the host flushes that as it
 *   always does.
 * - The providers are the global ones of `@opentelemetry/api` and `@opentelemetry/api-logs` unless
 *   others are given.
 *
 * **Gotchas**
 *
 * - Start the SDK first. Tracers and loggers find a provider that is registered later; a meter does
 *   not.
 * - Telemetry reaches what it is provided to. A layer merged beside a Tracehound gives it nothing:
 *   `provide` puts it where it belongs.
 * - What the SDK throws costs a span, a value or a line, and nothing else.
 *
 * **Example** (A program of Effect)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Tracehound } from "tracehound"
 * import { OpenTelemetry } from "tracehound/otel"
 *
 * const program = Effect.gen(function*() {
 *   const tracehound = yield* Tracehound
 *   const scent = { id: "request-1", source: "192.0.2.7", timestamp: 1_760_000_000_000, payload: "hello" }
 *   return (yield* tracehound.intercept(scent)).status
 * }).pipe(Effect.withSpan("GET /greeting"))
 *
 * const layer = Tracehound.layer().pipe(OpenTelemetry.provide())
 * Effect.runPromise(Effect.provide(program, layer)) // => "clean"
 * ```
 *
 * **Example** (Plain Node)
 *
 * ```ts
 * import { createTracehound } from "tracehound"
 * import { OpenTelemetry } from "tracehound/otel"
 *
 * const tracehound = createTracehound({}, {}, { telemetry: OpenTelemetry.layer() })
 * await tracehound.init()
 * await tracehound.dispose()
 * ```
 */
import type { Meter, MeterProvider, TracerProvider } from "@opentelemetry/api"
import type { LoggerProvider } from "@opentelemetry/api-logs"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"
import * as Caller from "../../telemetry/Caller.ts"
import { activeSpan } from "./ActiveSpan.ts"
import { MeterRegistry } from "./MeterRegistry.ts"
import { Api, LogsApi, OtelTracer } from "./Peers.ts"
import * as Records from "./Records.ts"
import { guarded } from "./Spans.ts"

/** The SDK's providers; the global ones where they are left out. */
export interface Providers {
  readonly tracerProvider?: TracerProvider
  readonly meterProvider?: MeterProvider
  readonly loggerProvider?: LoggerProvider
}

/** The instrumentation scope of all that is Tracehound's. */
const scope = "tracehound"

/**
 * Telemetry through the SDK, for whatever it is provided to. Builds synchronously.
 *
 * Of a program it is provided to, not Tracehound alone, it takes all spans, metrics and log lines;
 * the loggers that the program has stay.
 *
 * **Example** (Providers that are not global)
 *
 * ```ts
 * import { MeterProvider } from "@opentelemetry/sdk-metrics"
 * import { createTracehound } from "tracehound"
 * import { OpenTelemetry } from "tracehound/otel"
 *
 * const meterProvider = new MeterProvider()
 * const tracehound = createTracehound({}, {}, { telemetry: OpenTelemetry.layer({ meterProvider }) })
 * await tracehound.dispose()
 * await meterProvider.shutdown()
 * ```
 */
export const layer = (providers: Providers = {}): Layer.Layer<never> =>
  Layer.suspend(() => {
    const { loggerProvider, meterProvider, tracerProvider } = {
      tracerProvider: Api.trace.getTracerProvider(),
      meterProvider: Api.metrics.getMeterProvider(),
      loggerProvider: LogsApi.logs.getLoggerProvider(),
      ...providers
    }
    return Layer.mergeAll(
      Layer.succeed(Caller.Caller, Caller.make(activeSpan)),
      Layer.effect(Tracer.Tracer, Effect.map(OtelTracer.make, guarded)).pipe(
        Layer.provide(Layer.succeed(OtelTracer.OtelTracer, tracerProvider.getTracer(scope)))
      ),
      Layer.effect(Metric.MetricRegistry, registryOf(meterProvider.getMeter(scope))),
      Logger.layer([Records.make(loggerProvider.getLogger(scope))], { mergeWithExisting: true })
    )
  })

/**
 * Provides `layer` to a layer, such as a Tracehound's, and to the program that uses that: so the
 * program's spans are parents and links of Tracehound's.
 *
 * **Example** (The right order)
 *
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { Tracehound } from "tracehound"
 * import { OpenTelemetry } from "tracehound/otel"
 *
 * const observed = Tracehound.layer().pipe(OpenTelemetry.provide())
 * Effect.runPromise(Effect.scoped(Layer.build(observed)))
 * ```
 */
export const provide = (providers: Providers = {}) => <A, E, R>(self: Layer.Layer<A, E, R>): Layer.Layer<A, E, R> =>
  Layer.provideMerge(self, layer(providers))

/** The registries of meters in use, and how many layers use each. */
const registries = new WeakMap<Meter, { readonly registry: MeterRegistry; users: number }>()

/**
 * The registry of a meter. Two Tracehounds of one meter share it, as they share the series of their
 * actors. When the last one has closed, all series leave.
 */
const registryOf = (meter: Meter) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const shared = registries.get(meter) ?? { registry: new MeterRegistry(meter), users: 0 }
        registries.set(meter, shared)
        shared.users += 1
        return shared
      }),
      (shared) =>
        Effect.sync(() => {
          shared.users -= 1
          if (shared.users === 0) shared.registry.clear()
        })
    ),
    ({ registry }) => registry
  )
