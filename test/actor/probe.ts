/**
 * An actor under observation: its one message can make the handler end in every possible way, and
 * all effects of it are recorded.
 */
import { Effect, Exit, Request } from "effect"
import * as Actor from "../../src/actor/index.ts"

export type How =
  | "ok"
  | "exit"
  | "fails"
  | "dies"
  | "throws"
  | "garbage"
  | "interrupts"
  | "never"
  | "slow"
  | "stops"

/** The answer is its id; the typed failure is a text. */
export class Do extends Request.TaggedClass("Do")<
  { readonly id: number; readonly how: How; readonly weight: number },
  number,
  string
> {}

export const act = (id: number, how: How = "ok", weight = 0): Do => new Do({ id, how, weight })

export interface ProbeOptions {
  readonly name?: string
  readonly mailbox?: Actor.MailboxSpec
  readonly drain?: number
  readonly restart?: Actor.RestartKind
  readonly suspended?: boolean
  readonly onDeadLetter?: (message: Do, reason: Actor.DeadLetterReason) => void
  /** Runs in every handler, before anything else. */
  readonly within?: (message: Do, self: Actor.Self<Do>) => void
}

/** A definition that records what happens, and its records. */
export const probe = (options: ProbeOptions = {}) => {
  const { name = "probe", onDeadLetter, within, ...rest } = options
  /** The ids in the order in which handling began. */
  const begun: Array<number> = []
  /** The dead letters as `id reason`, in order. */
  const buried: Array<string> = []
  /** `+1`, `-1`, `+2`, …: the incarnations built and released. */
  const lives: Array<string> = []
  let built = 0

  const work = ({ how, id }: Do, self: Actor.Self<Do>): Effect.Effect<number, string> => {
    switch (how) {
      case "ok":
        return Effect.sync(() => id)
      case "exit":
        return Exit.succeed(id)
      case "fails":
        return Effect.fail(`no ${id}`)
      case "dies":
        return Effect.andThen(Effect.yieldNow, Effect.die(new Error(`died of ${id}`)))
      case "throws":
        throw new Error(`threw ${id}`)
      case "garbage":
        return { not: "an effect" } as unknown as Effect.Effect<number>
      case "interrupts":
        return Effect.interrupt
      case "never":
        return Effect.never
      case "slow":
        return Effect.as(Effect.sleep(10), id)
      case "stops":
        return Effect.as(self.stop, id)
    }
  }

  const definition = Actor.define<Do>()(name, {
    ...rest,
    weigh: ({ weight }) => weight,
    onDeadLetter: (message, reason) => {
      buried.push(`${message.id} ${reason}`)
      onDeadLetter?.(message, reason)
    },
    behaviour: (self) =>
      Effect.gen(function*() {
        const life = ++built
        yield* Effect.acquireRelease(
          Effect.sync(() => lives.push(`+${life}`)),
          () => Effect.sync(() => lives.push(`-${life}`))
        )
        return {
          Do: (message) => {
            begun.push(message.id)
            within?.(message, self)
            return work(message, self)
          }
        }
      })
  })
  return { begun, buried, definition, lives }
}

/** A system with one such actor. */
export const observeProbe = Effect.fnUntraced(function*(options: ProbeOptions & Actor.SupervisorOptions = {}) {
  const { intensity = 1000, period = "1 second", ...rest } = options
  const system = yield* Actor.ActorSystem.make({ intensity, period })
  const observed = probe(rest)
  const actor = yield* system.root.spawn(observed.definition)
  return { ...observed, actor, system }
})

/** Checks the account of an actor: accepted = handled + buried + pending. */
export const isBalanced = ({ accepted, buried, handled, mailbox }: Actor.ActorInspection): boolean =>
  accepted === handled + buried + mailbox.pending

/** A mailbox of each kind. */
export const mailboxes = { fifo: Actor.fifo, lanes: Actor.lanes, sliding: Actor.sliding, dropping: Actor.dropping }

/** The ids from `from` up to, not including, `to`. */
export const ids = (from: number, to: number): Array<number> => Array.from({ length: to - from }, (_, i) => from + i)
