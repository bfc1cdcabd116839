/**
 * Watches a whole Tracehound from outside: every span, every log line and every alert, as text that
 * a test can compare.
 */
import { Cause, Effect, Exit, Logger, References, type Scope, Tracer } from "effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { createHash } from "node:crypto"
import type { Alert } from "../../src/domain/Alert.ts"
import type { StartError } from "../../src/runtime/StartErrors.ts"
import { hostTurns, openWorld, type World, type WorldOptions } from "../safety/failsafe/world.ts"

/** What was seen since the world was opened, oldest first. */
export interface Observed {
  /** Spans of the callers: `request 1 tracehound.status=clean`. */
  readonly callers: ReadonlyArray<string>
  /** Spans of Tracehound: `name kind <- linked spans: how it ended attributes`. */
  readonly spans: ReadonlyArray<string>
  /** Log lines: `Level message @ span annotations`. */
  readonly lines: ReadonlyArray<string>
  readonly alerts: ReadonlyArray<Alert>
}

export interface ObservedWorld extends World {
  /** Runs a call as a request, in a span of its own where the callers are traced. */
  readonly call: <A>(call: Effect.Effect<A>) => Effect.Effect<A>
  readonly observed: Effect.Effect<Observed>
}

export interface ObservedOptions extends WorldOptions {
  /** Whether calls come within a span. */
  readonly isTraced: boolean
  /** Answers the posts to the devops endpoint. */
  readonly fetch?: typeof globalThis.fetch
}

interface Line {
  readonly level: string
  readonly message: string
  readonly span: Tracer.AnySpan | undefined
  readonly annotations: Readonly<Record<string, unknown>>
}

/** Payloads whose signatures are shown by name: `<a>`. */
const payloads = ["a", "b", "c", "d", "e"]
const nameOf = new Map(payloads.map((text) => [createHash("sha256").update(text).digest("hex"), `<${text}>`]))

/** A started world whose spans and logs are recorded, at every level. */
export const openObserved = (
  { fetch, isTraced, ...options }: ObservedOptions
): Effect.Effect<ObservedWorld, StartError, Scope.Scope> =>
  Effect.gen(function*() {
    const spans: Array<Tracer.NativeSpan> = []
    const lines: Array<Line> = []
    const tracer = Tracer.make({
      span: (made) => {
        const span = new Tracer.NativeSpan(made)
        spans.push(span)
        return span
      }
    })
    const logger = Logger.make<unknown, void>(({ fiber, logLevel, message }) => {
      lines.push({
        level: logLevel,
        message: Array.isArray(message) ? message.join(" ") : String(message),
        span: fiber.cache.span,
        annotations: fiber.getRef(References.CurrentLogAnnotations)
      })
    })
    const world = yield* openWorld(options).pipe(
      Effect.provideService(Tracer.Tracer, tracer),
      Effect.provideService(References.MinimumLogLevel, "All"),
      Effect.provideService(FetchHttpClient.Fetch, fetch ?? notPosted),
      Effect.provide(Logger.layer([logger]))
    )
    let calls = 0
    const isCaller = ({ name }: Tracer.Span): boolean => name.startsWith("request ")
    return {
      ...world,
      call: (call) => {
        calls += 1
        return isTraced ? Effect.withTracer(Effect.withSpan(call, `request ${calls}`), tracer) : call
      },
      observed: Effect.map(Effect.andThen(Effect.promise(() => hostTurns()), world.alerts), (alerts) => ({
        callers: spans.filter(isCaller).map((span) => [span.name, ...attributesOf(span)].join(" ")),
        spans: spans.filter((span) => !isCaller(span)).map((span) => spanText(span, spans)),
        lines: lines.map((line) => lineText(line, spans)),
        alerts
      }))
    }
  })

const notPosted: typeof globalThis.fetch = () => Promise.reject(new Error("nothing is posted in this test"))

const attributesOf = ({ attributes }: Tracer.Span): ReadonlyArray<string> =>
  [...attributes].map(([key, value]) => `${key}=${shown(key, value)}`).toSorted()

/** A value without what differs from run to run. */
const shown = (key: string, value: unknown): string => {
  if (key === "tracehound.hound" || key === "tracehound.compressed_size" || key === "frames") return "…"
  const text = String(value).replaceAll(/[0-9a-f-]{36}-[0-9a-f]{8}/g, "…")
  const [category, hex = ""] = text.split(":")
  return category === "injection" && hex.length === 64 ? nameOf.get(hex) ?? "<large>" : text
}

const spanText = (span: Tracer.Span, all: ReadonlyArray<Tracer.Span>): string => {
  const links = span.links.map((link) => nameIn(link.span.spanId, all))
  const from = links.length === 0 ? "" : ` <- ${links.join(", ")}`
  const events = span._tag === "Span" && span instanceof Tracer.NativeSpan ? span.events : []
  const tries = events.map(([name, , attributes]) => `(${name} ${Object.values(attributes).join(" ")})`)
  const { _tag } = span.parent
  return [
    `${_tag === "None" ? "" : "child "}${span.name} ${span.kind}${from}: ${endOf(span)}`,
    ...attributesOf(span),
    ...tries
  ]
    .join(" ")
}

const endOf = ({ status }: Tracer.Span): string =>
  status._tag === "Started"
    ? "open"
    : Exit.isSuccess(status.exit)
    ? "ok"
    : `ERROR ${Cause.prettyErrors(status.exit.cause).map(({ message }) => message).join()}`

const lineText = ({ annotations, level, message, span }: Line, all: ReadonlyArray<Tracer.Span>): string => {
  const { spanId, timestamp: _, traceId, type, ...rest } = annotations
  // The ids are those of its span; a line that an alert or evidence is about has them.
  const isSame = span === undefined ? spanId === undefined : spanId === span.spanId && traceId === span.traceId
  const within = span === undefined ? "" : ` @ ${nameIn(span.spanId, all)}`
  const shownType = type === undefined ? message : String(type)
  const what = message.endsWith(": its cause") ? `${shownType}: its cause` : shownType
  const texts = Object.entries(rest).map(([key, value]) => `${key}=${shown(key, value)}`).toSorted()
  return [
    `${level} ${what}${within}`,
    ...texts,
    ...(isSame || (type === undefined && spanId === undefined) ? [] : ["and not the ids of its span"])
  ]
    .join(" ")
}

const nameIn = (spanId: string, all: ReadonlyArray<Tracer.Span>): string =>
  all.find((span) => span.spanId === spanId)?.name ?? spanId
