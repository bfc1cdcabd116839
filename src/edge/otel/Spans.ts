/**
 * A tracer of Effect that an SDK's mistake cannot break: a span processor of the host's runs inside
 * the calls that begin and end a span.
 */
import * as Tracer from "effect/Tracer"

/**
 * The same tracer; where the SDK throws, what it threw at is lost to it, and work goes on. A span
 * that cannot begin is one of Effect's own, which nobody exports.
 */
export const guarded = (tracer: Tracer.Tracer): Tracer.Tracer => {
  const { context } = tracer
  return Tracer.make({
    span: (options) => {
      try {
        return unbreakable(tracer.span(options))
      } catch {
        return new Tracer.NativeSpan(options)
      }
    },
    ...(context === undefined ? {} : { context })
  })
}

/** Changes the span in place, as the SDK's bridge knows its own spans by their class. */
const unbreakable = (span: Tracer.Span): Tracer.Span =>
  Object.assign(span, {
    addLinks: silent(span.addLinks.bind(span)),
    attribute: silent(span.attribute.bind(span)),
    end: silent(span.end.bind(span)),
    event: silent(span.event.bind(span))
  })

const silent =
  <Arguments extends ReadonlyArray<unknown>>(call: (...all: Arguments) => void) => (...all: Arguments): void => {
    try {
      call(...all)
    } catch {
      // The SDK's mistake.
    }
  }
