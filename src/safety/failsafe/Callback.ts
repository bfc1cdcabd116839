/**
 * Runs a developer's callback where it can do no harm (RFC, "Developer Callbacks"; CONFORMANCE F4,
 * R8).
 *
 * Each callback has an actor of its own: it is called in the background, one call after the other,
 * with a bounded queue. A callback that throws, answers what it may not, or does not answer in time
 * is taken to have given no answer. It answers at once, by a promise or by an Effect, which is
 * interrupted when it is late.
 *
 * **Gotchas**
 *
 * - A callback that never returns (an endless loop) stops the whole process, as any code does.
 * - A promise that is late is not waited for, and its rejection is ignored.
 */
import * as Effect from "effect/Effect"
import * as Request from "effect/Request"
import type * as Scope from "effect/Scope"
import type * as Tracer from "effect/Tracer"
import { withDeadline } from "../../actor/Deadline.ts"
import { define } from "../../actor/Definition.ts"
import { isForeign } from "../../actor/Given.ts"
import { fifo } from "../../actor/Mailbox.ts"
import type { Supervisor } from "../../actor/Supervisor.ts"
import { type Caller, inTrace } from "../../telemetry/Caller.ts"

/** Calls that may wait for one callback. */
const capacity = 256

/** A callback and how it is called. */
export interface CallbackOptions<In, Out> {
  readonly name: string
  readonly call: (input: In) => unknown
  /** The answers that it may give; empty where it is asked nothing. */
  readonly answers: ReadonlyArray<Out>
  /** Each call belongs to the span that it came from, and so does what comes of its answer. */
  readonly caller: Caller
  /** Milliseconds that one call may take. */
  readonly timeout: number
  /**
   * Called where the callback throws or is overdue, or gives an answer that it may not give. Must
   * not throw.
   */
  readonly onTrouble: (trouble: "threw" | "overdue" | "garbage") => void
}

/** Calls the callback once. */
class Call extends Request.TaggedClass("Call")<{
  readonly input: unknown
  readonly onAnswer: ((answer: unknown) => void) | undefined
  readonly span: Tracer.AnySpan | undefined
}, unknown> {}

/** A callback in an actor: `In` is its input, `Out` its answers. */
export interface Callback<in In, out Out> {
  /** Calls it later; `onAnswer` gets the answer, or null where there is none. Never throws. */
  readonly callUnsafe: (input: In, onAnswer?: (answer: Out | null) => void) => void
  /** Calls it and waits for the answer; null where there is none. Made in the caller's span. */
  readonly call: (input: In) => Effect.Effect<Out | null>
}

/** The actor lives as long as the scope. */
export const makeCallback = <In, Out extends string = never>(
  supervisor: Supervisor,
  options: CallbackOptions<In, Out>
): Effect.Effect<Callback<In, Out>, never, Scope.Scope> => {
  const { answers, caller, name, onTrouble, timeout } = options
  const give = (trouble: "threw" | "overdue" | "garbage"): null => {
    onTrouble(trouble)
    return null
  }
  const known = (answer: unknown): Out | null => answers.find((each) => each === answer) ?? null
  const judge = (answer: unknown): Out | null => {
    if (answers.length === 0 || answer === undefined) return null
    return known(answer) ?? give("garbage")
  }
  const answerTo = (input: unknown, span: Call["span"]): Effect.Effect<unknown, "threw"> =>
    Effect.catchCause(
      Effect.suspend(() => {
        // A Call holds what `callUnsafe` or `call` was given.
        const answer = caller.within(span, () => options.call(input as In))
        return isForeign(answer) ? answer : Effect.promise(async () => answer)
      }),
      () => Effect.fail("threw")
    )
  const called = (input: unknown, span: Call["span"]): Effect.Effect<Out | null> =>
    Effect.match(withDeadline(answerTo(input, span), timeout, () => "overdue" as const), {
      onSuccess: judge,
      onFailure: give
    })
  const definition = define<Call>()(name, {
    mailbox: fifo({ capacity }),
    drain: timeout,
    onDeadLetter: ({ onAnswer }) => onAnswer?.(null),
    behaviour: () =>
      Effect.succeed({
        Call: ({ input, onAnswer, span }: Call) =>
          Effect.tap(
            inTrace(called(input, span), span),
            (answer) => Effect.sync(() => caller.within(span, () => onAnswer?.(answer)))
          )
      })
  })
  return Effect.map(Effect.orDie(supervisor.spawn(definition)), (actor) => ({
    callUnsafe: (input, onAnswer) => {
      // The actor answers with one of `answers` or null.
      actor.tellUnsafe(new Call({ input, onAnswer: onAnswer as Call["onAnswer"], span: caller.current() }))
    },
    call: (input) =>
      // Each call that is before it ends by its own timeout.
      actor.ask(new Call({ input, onAnswer: undefined, span: caller.current() }), { timeout: "Infinity" }).pipe(
        Effect.map(known),
        Effect.catch(() => Effect.succeed(null))
      )
  }))
}
