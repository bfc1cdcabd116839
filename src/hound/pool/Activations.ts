/**
 * The actor `activation`: the mailbox in which jobs wait for a hound (RFC, "Queue Assignments":
 * hound activation is FIFO; CONFORMANCE S1).
 *
 * It shows its messages, one at a time, as the head of the waiting line (`WaitingLine.ts`), and
 * goes on when the pool has taken one. A full mailbox refuses, which is a dead letter. Closing
 * refuses what comes, goes on with what waits until the deadline and buries the rest; what is in
 * hand by then has the same time again to come to its end.
 */
import * as Effect from "effect/Effect"
import * as Request from "effect/Request"
import type * as Scope from "effect/Scope"
import { define } from "../../actor/Definition.ts"
import { fifo } from "../../actor/Mailbox.ts"
import type { Supervisor } from "../../actor/Supervisor.ts"
import type { Waiting, WaitingLine } from "./WaitingLine.ts"

/** How long closing waits for the mailbox to empty, and again for what is in hand. */
const deadline = "5 seconds"

/** The way into the line. */
export interface Activations<in A extends Waiting> {
  /** Whether `tellUnsafe` would be refused if it were called before anything else runs. */
  readonly refusesUnsafe: () => boolean
  /** Whether it was taken; where not, it is a dead letter. Never throws. */
  readonly tellUnsafe: (item: A) => boolean
}

/**
 * An actor that lives as long as the scope, and fills this line; the most that wait: `maxPending`.
 */
export const makeActivations = <A extends Waiting>(
  supervisor: Supervisor,
  line: WaitingLine<A>,
  maxPending: number
): Effect.Effect<Activations<A>, never, Scope.Scope> => {
  class Activate extends Request.TaggedClass("Activate")<{ readonly item: A }, void> {}
  const show = ({ item }: Activate): Effect.Effect<void> =>
    Effect.callback<void>((resume) => {
      line.show(item, () => resume(Effect.void))
      return Effect.sync(() => line.withdraw(item))
    })
  // What is in hand is not cut short: closing is no reason for a hound to leave its work half done.
  const awaitHands = Effect.interruptible(Effect.timeoutOption(line.settled, deadline))
  const definition = define<Activate>()("activation", {
    mailbox: fifo({ capacity: maxPending }),
    drain: deadline,
    behaviour: () => Effect.as(Effect.addFinalizer(() => awaitHands), { Activate: show })
  })
  return Effect.map(Effect.orDie(supervisor.spawn(definition)), (actor) => ({
    refusesUnsafe: () => actor.refusalUnsafe() !== null,
    tellUnsafe: (item) => {
      const isTaken = actor.tellUnsafe(new Activate({ item }))
      if (isTaken) line.entered(item)
      return isTaken
    }
  }))
}
