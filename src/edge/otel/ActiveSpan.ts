/**
 * The OpenTelemetry span that is active where somebody calls, as a span of Effect.
 *
 * The SDK's context manager follows the caller through AsyncLocalStorage. What is written to the
 * span goes to the SDK's; only the SDK's owner ends it.
 */
import type { Span as OtelSpan } from "@opentelemetry/api"
import type * as Context from "effect/Context"
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import { Api, OtelTracer } from "./Peers.ts"

/** The active span, or undefined where there is none. Asking twice about one gives the same. */
export const activeSpan = (): Tracer.Span | undefined => {
  const active = Api.trace.getActiveSpan()
  if (active === undefined || !Api.isSpanContextValid(active.spanContext())) return undefined
  const known = spans.get(active)
  if (known !== undefined) return known
  const made = new HostSpan(active)
  spans.set(active, made)
  return made
}

const spans = new WeakMap<OtelSpan, HostSpan>()

/** A span that the host owns. Its name, kind and parent are the SDK's secret. */
class HostSpan implements Tracer.Span {
  readonly _tag = "Span"
  readonly name = "host"
  readonly kind = "internal"
  readonly parent = Option.none()
  readonly spanId: string
  readonly traceId: string
  readonly sampled: boolean
  readonly annotations: Context.Context<never>
  readonly attributes = new Map<string, unknown>()
  readonly links: ReadonlyArray<Tracer.SpanLink> = []
  readonly status: Tracer.SpanStatus = { _tag: "Started", startTime: 0n }
  readonly #span: OtelSpan

  constructor(span: OtelSpan) {
    const { spanId, traceFlags, traceId, traceState } = span.spanContext()
    this.#span = span
    this.spanId = spanId
    this.traceId = traceId
    this.sampled = (traceFlags & Api.TraceFlags.SAMPLED) !== 0
    this.annotations = OtelTracer.makeExternalSpan({ spanId, traceFlags, traceId, traceState }).annotations
  }

  attribute(key: string, value: unknown): void {
    this.attributes.set(key, value)
    this.#span.setAttribute(key, typeof value === "number" || typeof value === "boolean" ? value : String(value))
  }

  event(name: string): void {
    this.#span.addEvent(name)
  }

  addLinks(): void {}

  end(): void {}
}
