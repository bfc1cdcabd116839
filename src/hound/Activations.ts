/**
 * Activations of hounds: work that waits its turn, first in, first out, and never more at once than the pool may have active (RFC,
 * "Queue Assignments": hound activation is FIFO; CONFORMANCE S1).
 *
 * Work that comes while fewer are active begins at once, on a fiber of its own; what more there is waits in a bounded mailbox.
 * Closing lets what has begun come to its end within the deadline, and buries the rest.
 */
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Request from "effect/Request"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { define } from "../actor/Definition.ts"
import { fifo } from "../actor/Mailbox.ts"
import type { Supervisor } from "../actor/Supervisor.ts"
import type { HoundJob } from "./HoundPool.ts"

class Activate extends Request.TaggedClass("Activate")<{ readonly job: HoundJob }, void> {}

/** What a queue of activations is made of. */
export interface ActivationOptions {
  /** The most that are looked at at once. */
  readonly maxActive: number
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
  { examine, maxActive, maxPending }: ActivationOptions
): Effect.Effect<Activations, never, Scope.Scope> =>
  Effect.map(
    Effect.orDie(supervisor.spawn(
      define<Activate>()("activation", {
        mailbox: fifo({ capacity: maxPending }),
        behaviour: () =>
          Effect.gen(function*() {
            const places = yield* Semaphore.make(maxActive)
            const active = yield* FiberSet.make<void>()
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
