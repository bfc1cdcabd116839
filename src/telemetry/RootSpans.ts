/**
 * Spans of work in the background: roots of traces of their own, linked to the span that the work
 * came from. A child would be wrong: the span that it came from may have ended long ago.
 *
 * **Details**
 *
 * - With no tracer but Effect's own nobody sees a span, and none is made.
 * - A span ends well, or as a failure with a fixed word or an error's class, which is its attribute
 *   `error.type` too: exporters publish the text of a failure.
 * - A tracer is the host's code. What it throws costs its span and nothing else.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { TracerTimingEnabled } from "effect/References"
import * as Tracer from "effect/Tracer"
import { escapedExit } from "./Causes.ts"

/** Values that a span can have: fixed words, numbers, and texts that no attacker has chosen. */
export type Attributes = Readonly<Record<string, string | number | boolean>>

export interface RootSpanOptions {
  readonly kind: Tracer.SpanKind
  /** The span that the work came from; undefined where there was none. */
  readonly origin: Tracer.AnySpan | undefined
  readonly attributes: Attributes
}

/** A span that has not ended. Nothing of it throws. */
export interface OpenSpan {
  readonly span: Tracer.Span
  readonly set: (attributes: Attributes) => void
  /** Something that happened in the course of it. */
  readonly event: (name: string, attributes: Attributes) => void
  /**
   * Ends it, once; `errorType` is a fixed word or an error's class, and undefined where all is
   * well.
   */
  readonly end: (errorType?: string) => void
}

/** Opens root spans in one context. */
export interface RootSpans {
  /**
   * The open span, or null where nobody would see it: then its options are not asked for either.
   * Synchronous, never throws.
   */
  readonly open: (name: string, options: () => RootSpanOptions) => OpenSpan | null
}

/** With the tracer and the clock of a context. */
export const make = (context: Context.Context<never>): RootSpans => {
  if (Context.get(context, Tracer.Tracer) === Tracer.nativeTracer) return none
  const clock = Context.get(context, Clock.Clock)
  const isTimed = Context.get(context, TracerTimingEnabled)
  const now = (): bigint => isTimed ? clock.currentTimeNanosUnsafe() : 0n
  return {
    open: (name, options) => {
      const span = harmless(() => Effect.runSyncWith(context)(Effect.makeSpan(name, rootOptions(options()))))
      return span === undefined ? null : openSpan(span, now)
    }
  }
}

/** For a context in which nobody would see a span. */
const none: RootSpans = { open: () => null }

/** Of the context that it is run in. */
export const fromContext: Effect.Effect<RootSpans> = Effect.contextWith((context: Context.Context<never>) =>
  Effect.succeed(make(context))
)

/**
 * Runs the effect in a root span, whatever the tracer. The span ends as the effect does, but with
 * every text of a failure escaped. A failure remembers its span: see `spanOf`.
 */
export const within = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  name: string,
  options: RootSpanOptions
): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> =>
  Effect.acquireUseRelease(
    Effect.makeSpan(name, rootOptions(options)),
    (span) =>
      Effect.catchCause(
        Effect.withParentSpan(effect, span, { captureStackTrace: false }),
        (cause) => Effect.failCause(remember(cause, span))
      ),
    (span, exit) => Effect.map(Clock.currentTimeNanos, (now) => span.end(now, escapedExit(exit)))
  )

/** The cause, which remembers that it came about in this span, unless it remembers another. */
export const remember = <E>(cause: Cause.Cause<E>, span: Tracer.AnySpan): Cause.Cause<E> =>
  Cause.annotate(cause, Context.make(Tracer.ParentSpan, span))

/** The span that a cause remembers. */
export const spanOf = (cause: Cause.Cause<unknown>): Tracer.AnySpan | undefined =>
  Context.getOrUndefined(Cause.annotations(cause), Tracer.ParentSpan)

/** By which a span is found: hexadecimal, of at most 32 and 16 digits. */
export interface TraceIds {
  readonly traceId: string
  readonly spanId: string
}

/**
 * The ids of a span; undefined where they are none. They may come from the header of a request,
 * which the host's tracer may have taken as it was.
 */
export const traceOf = (span: Tracer.AnySpan): TraceIds | undefined =>
  harmless(() => {
    const { spanId, traceId } = span
    return isHex(traceId, 32) && isHex(spanId, 16) ? { traceId, spanId } : undefined
  })

const isHex = (text: unknown, most: number): text is string =>
  typeof text === "string" && text.length <= most && /^[0-9a-f]+$/.test(text)

const rootOptions = ({ attributes, kind, origin }: RootSpanOptions): Tracer.SpanOptions => ({
  root: true,
  kind,
  links: origin === undefined ? [] : [{ span: origin, attributes: {} }],
  attributes,
  captureStackTrace: false
})

const openSpan = (span: Tracer.Span, now: () => bigint): OpenSpan => {
  const set = (attributes: Attributes): void => {
    harmless(() => {
      for (const [key, value] of Object.entries(attributes)) span.attribute(key, value)
    })
  }
  let isOpen = true
  return {
    span,
    set,
    event: (name, attributes) => {
      harmless(() => span.event(name, now(), attributes))
    },
    end: (errorType) => {
      if (!isOpen) return
      isOpen = false
      if (errorType !== undefined) set({ "error.type": errorType })
      harmless(() => span.end(now(), errorType === undefined ? Exit.void : Exit.fail(errorType)))
    }
  }
}

const harmless = <A>(act: () => A): A | undefined => {
  try {
    return act()
  } catch {
    return undefined
  }
}
