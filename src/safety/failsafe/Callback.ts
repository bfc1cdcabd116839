/**
 * A developer's callback, called where it can do no harm (RFC, "Developer Callbacks"; CONFORMANCE
 * F4).
 *
 * Each callback has an actor of its own: it is called in the background, one call after the other,
 * with a bounded queue. What it throws, what it answers beside what it may, and that it does not
 * answer in time come to the same: there is no answer.
 *
 * **Gotchas**
 *
 * - A callback that never gives its turn back (an endless loop) stops the whole process, as any
 *   code of a process does.
 * - A promise that comes too late is not waited for, and its rejection is nobody's.
 */
import * as Effect from "effect/Effect"
import * as Request from "effect/Request"
import type * as Scope from "effect/Scope"
import { define } from "../../actor/Definition.ts"
import { fifo } from "../../actor/Mailbox.ts"
import type { Supervisor } from "../../actor/Supervisor.ts"

/** Calls that may wait for one callback. */
const capacity = 256

/** A callback with its bounds. */
export interface CallbackOptions<In, Out> {
  readonly name: string
  readonly call: (input: In) => unknown
  /** The answers that count; none where nothing is asked. */
  readonly answers: ReadonlyArray<Out>
  /** Milliseconds. */
  readonly timeout: number
  /** Told why there is no answer where one was asked for, and of each throw. Must not throw. */
  readonly onTrouble: (trouble: "threw" | "overdue" | "garbage") => void
}

/** One call. */
class Call extends Request.TaggedClass("Call")<{
  readonly input: unknown
  readonly onAnswer: ((answer: unknown) => void) | undefined
}, unknown> {}

/** A callback in an actor. */
export interface Callback<in In, out Out> {
  /** Calls it later; `onAnswer` is told the answer, or null where there is none. Never throws. */
  readonly callUnsafe: (input: In, onAnswer?: (answer: Out | null) => void) => void
  /** Calls it and waits for the answer; null where there is none. */
  readonly call: (input: In) => Effect.Effect<Out | null>
}

/** An actor for the callback, which lives as long as the scope. */
export const makeCallback = <In, Out extends string = never>(
  supervisor: Supervisor,
  options: CallbackOptions<In, Out>
): Effect.Effect<Callback<In, Out>, never, Scope.Scope> => {
  const { answers, name, onTrouble, timeout } = options
  const give = (trouble: "threw" | "overdue" | "garbage"): null => {
    onTrouble(trouble)
    return null
  }
  const known = (answer: unknown): Out | null => answers.find((each) => each === answer) ?? null
  const judge = (answer: unknown): Out | null => {
    if (answers.length === 0 || answer === undefined) return null
    return known(answer) ?? give("garbage")
  }
  const called = (input: unknown): Effect.Effect<Out | null> =>
    // The input is what `callUnsafe` and `call` were given.
    Effect.tryPromise({ try: async () => options.call(input as In), catch: () => undefined }).pipe(
      Effect.map(judge),
      Effect.timeoutOrElse({ duration: timeout, orElse: () => Effect.sync(() => give("overdue")) }),
      Effect.catch(() => Effect.sync(() => give("threw")))
    )
  const definition = define<Call>()(name, {
    mailbox: fifo({ capacity }),
    drain: timeout,
    onDeadLetter: ({ onAnswer }) => onAnswer?.(null),
    behaviour: () =>
      Effect.succeed({
        Call: ({ input, onAnswer }: Call) =>
          Effect.tap(called(input), (answer) => Effect.sync(() => onAnswer?.(answer)))
      })
  })
  return Effect.map(Effect.orDie(supervisor.spawn(definition)), (actor) => ({
    callUnsafe: (input, onAnswer) => {
      // Its own answers are the only ones that come.
      actor.tellUnsafe(new Call({ input, onAnswer: onAnswer as Call["onAnswer"] }))
    },
    call: (input) =>
      actor.ask(new Call({ input, onAnswer: undefined })).pipe(
        Effect.map(known),
        Effect.catch(() => Effect.succeed(null))
      )
  }))
}
