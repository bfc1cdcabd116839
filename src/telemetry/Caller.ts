/**
 * The span of the code that calls Tracehound: the one place that knows it. What happens on that
 * code's turn belongs to this span, and so does what happens later because of the call: alerts name
 * its trace, and spans of background work are linked to it.
 *
 * **Details**
 *
 * - An Effect program's span is known from its fiber: whoever has it runs the synchronous core
 *   `within` it. Work in the background runs within the span that it came from.
 * - Where nobody has said, the host is asked, if it gave a way to ask: a host that traces by other
 *   means than Effect's has its own notion of the current span.
 * - Cost: reading it is a comparison where the host cannot be asked, and allocates nothing.
 *
 * **Gotchas**
 *
 * - It holds for synchronous code alone: what `within` began and has not finished when it returns,
 *   such as a promise, is not within the span any more.
 */
import * as Context from "effect/Context"
import type * as Tracer from "effect/Tracer"

export interface Caller {
  /** The span that what happens now belongs to; undefined where there is none. Never throws. */
  readonly current: () => Tracer.AnySpan | undefined
  /**
   * Runs `thunk` in the name of a span; with undefined, in the name of none, and nobody is asked.
   */
  readonly within: <A>(span: Tracer.AnySpan | undefined, thunk: () => A) => A
  /** Whether the host is asked where nobody has said. */
  readonly isAsking: boolean
}

/**
 * A caller that is not known yet. `ask` gives the span of the host's own tracing: synchronous, and
 * what it throws counts as no span.
 */
export const make = (ask?: () => Tracer.AnySpan | undefined): Caller => {
  /** Null: it is known that there is none. Undefined: nobody has said. */
  let known: Tracer.AnySpan | null | undefined
  const asked = (): Tracer.AnySpan | undefined => {
    try {
      return ask?.()
    } catch {
      return undefined
    }
  }
  return {
    isAsking: ask !== undefined,
    current: () => known === undefined ? ask === undefined ? undefined : asked() : known ?? undefined,
    within: (span, thunk) => {
      const before = known
      known = span ?? null
      try {
        return thunk()
      } finally {
        known = before
      }
    }
  }
}

/**
 * One for all, unless a host gives its own: only synchronous code runs within a span, so what two
 * Tracehounds say of it cannot get mixed up.
 */
export const Caller: Context.Reference<Caller> = Context.Reference<Caller>("tracehound/telemetry/Caller", {
  defaultValue: () => make()
})
