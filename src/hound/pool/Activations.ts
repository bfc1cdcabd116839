/**
 * Activations of hounds: work that waits its turn, first in, first out, and never more of it begun
 * at once than there are places (RFC, "Queue Assignments": hound activation is FIFO; CONFORMANCE
 * S1).
 *
 * Work that comes while there are places begins at once, on a fiber of its own; what more there is
 * waits in a bounded mailbox. Closing goes on with what waits until the deadline and buries the
 * rest; what has begun by then has the same time again to come to its end.
 */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Request from "effect/Request"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { define } from "../../actor/Definition.ts"
import { fifo } from "../../actor/Mailbox.ts"
import type { Supervisor } from "../../actor/Supervisor.ts"
import type { HoundJob } from "./HoundPool.ts"

class Activate extends Request.TaggedClass("Activate")<{ readonly job: HoundJob }, void> {}

/** How long closing waits for what waits, and again for what has begun. */
const deadline = "5 seconds"

/** What a queue of activations is made of. */
export interface ActivationOptions {
  /** The most that have begun and not ended. */
  readonly places: number
  /** The most that wait. */
  readonly maxPending: number
  /** Looks at one; must come to an end by itself. */
  readonly examine: (job: HoundJob) => Effect.Effect<void>
}

/** A queue of activations. */
export interface Activations {
  /** Whether it was taken; where not, it is a dead letter. Never throws. */
  readonly tellUnsafe: (job: HoundJob) => boolean
  /** Taken and not yet begun. */
  readonly waitingUnsafe: () => number
}

/** A queue that lives as long as the scope. */
export const makeActivations = (
  supervisor: Supervisor,
  { examine, maxPending, places: count }: ActivationOptions
): Effect.Effect<Activations, never, Scope.Scope> =>
  Effect.map(
    Effect.orDie(supervisor.spawn(
      define<Activate>()("activation", {
        mailbox: fifo({ capacity: maxPending }),
        drain: deadline,
        behaviour: () =>
          Effect.gen(function*() {
            const places = yield* Semaphore.make(count)
            const active = yield* FiberSet.make<void>()
            // Before the set interrupts what is in it: closing is no reason for a hound to leave
            // its work half done.
            yield* Effect.addFinalizer(() =>
              Effect.interruptible(Effect.timeoutOption(FiberSet.awaitEmpty(active), deadline))
            )
            return {
              Activate: ({ job }: Activate) =>
                Effect.andThen(
                  places.take(1),
                  Effect.asVoid(FiberSet.run(active, Effect.ensuring(examine(job), places.release(1))))
                )
            }
          })
      })
    )),
    (actor) => ({
      tellUnsafe: (job) => actor.tellUnsafe(new Activate({ job })),
      waitingUnsafe: () => actor.pendingUnsafe()
    })
  )
