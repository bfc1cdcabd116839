/**
 * An actor whose messages are programs: a handler runs what it is told, with the actor as it sees
 * itself, and all that happens is written into one log.
 */
import { Effect, Request, type Scope } from "effect"
import * as Actor from "../../src/actor/index.ts"

export type Own = Actor.Self<Protocol>
export type Program = (self: Own) => Effect.Effect<unknown, string | Actor.Stashed, Scope.Scope>

/** The handler runs this. */
export class Run extends Request.TaggedClass("Run")<{ readonly run: Program }, unknown, string> {}
/** The handler logs the text, with the number of its incarnation. */
export class Note extends Request.TaggedClass("Note")<{ readonly text: string }, void> {}
export type Protocol = Run | Note

export const note = (text: string): Note => new Note({ text })

export interface InnerOptions {
  readonly strategy?: Actor.Strategy
  readonly mailbox?: Actor.MailboxSpec
  readonly restart?: Actor.RestartKind
  readonly drain?: number
  readonly abandonAfter?: number
  /** Run in the behaviour. */
  readonly onStart?: Program
  /** Run when the incarnation is released. */
  readonly onStop?: Effect.Effect<void>
}

/** A system with one such actor. */
export const makeInner = Effect.fnUntraced(function*(options: InnerOptions = {}) {
  const { onStart, onStop = Effect.void, strategy = "one_for_one", ...rest } = options
  const log: Array<string> = []
  const system = yield* Actor.ActorSystem.make({ intensity: 1000, period: "1 second", strategy })
  const definition = Actor.define<Protocol>()("inner", {
    ...rest,
    onDeadLetter: (message, reason) => {
      log.push(`${message._tag === "Note" ? message.text : "run"} ${reason}`)
    },
    behaviour: (self) =>
      Effect.gen(function*() {
        const { incarnation } = self.ref.inspect()
        yield* Effect.addFinalizer(() => onStop)
        if (onStart !== undefined) yield* onStart(self)
        return {
          Run: ({ run }) => Effect.suspend(() => run(self)),
          Note: ({ text }) => Effect.sync(() => void log.push(`${text}#${incarnation}`))
        }
      })
  })
  const actor = yield* system.root.spawn(definition)
  return {
    system,
    actor,
    log,
    /** Runs it in a handler, and waits for its answer. */
    run: (program: Program) => actor.ask(new Run({ run: program })),
    /** The entries since the last call. */
    trace: (): string => log.splice(0).join(", "),
    note: (text: string): boolean => actor.tellUnsafe(note(text))
  }
})
