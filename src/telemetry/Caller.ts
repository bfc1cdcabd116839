/**
 * The span of the code that calls Tracehound: the one place that knows it. What happens on that
 * code's turn belongs to this span, and so does what happens later because of the call: alerts name
 * its trace, and spans of background work are linked to it.
 *
 * **Details**
 *
 * - Whoever knows the span runs the synchronous core `within` it: Effect's ways into it, and work
 *   in the background, which runs within the span that it came from.
 * - Where nobody has said, it is that of the fiber that is running, if one is: a program may call a
 *   handle's own methods. Then the host is asked, if it gave a way to ask: a host that traces by
 *   other means than Effect's has its own notion of the current span. It is not asked on the turns
 *   of an actor: what it takes to be current there is the span of whoever woke the actor.
 * - Cost: where nobody traces, reading it is a few comparisons, and allocates nothing.
 *
 * **Gotchas**
 *
 * - It holds for synchronous code alone: what `within` began and has not finished when it returns,
 *   such as a promise, is not within the span any more.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Tracer from "effect/Tracer"
import { remember } from "./RootSpans.ts"

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
  const guessed = (): Tracer.AnySpan | undefined => {
    const fiber = Fiber.getCurrent()
    const span = fiber?.cache.span
    if (span !== undefined || ask === undefined) return span
    return fiber !== undefined && Context.get(fiber.context, IsInBackground) ? undefined : asked()
  }
  return {
    isAsking: ask !== undefined,
    current: () => known === undefined ? guessed() : known ?? undefined,
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

/** Whether a fiber works for many callers in turn, so that the host's current span is nobody's. */
export const IsInBackground: Context.Reference<boolean> = Context.Reference<boolean>(
  "tracehound/telemetry/IsInBackground",
  { defaultValue: () => false }
)

/**
 * One for all, unless a host gives its own: only synchronous code runs within a span, so what two
 * Tracehounds say of it cannot get mixed up.
 */
export const Caller: Context.Reference<Caller> = Context.Reference<Caller>("tracehound/telemetry/Caller", {
  defaultValue: () => make()
})

/**
 * Runs an effect in the name of a span, where there is one: for what goes on in the background. A
 * failure remembers the span, so that the report of a crash is written within it.
 */
export const inTrace = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  span: Tracer.AnySpan | undefined
): Effect.Effect<A, E, R> =>
  span === undefined ? effect : Effect.catchCause(
    Effect.updateContext(effect, Context.add(Tracer.ParentSpan, span)),
    (cause) => Effect.failCause(remember(cause, span))
  )
