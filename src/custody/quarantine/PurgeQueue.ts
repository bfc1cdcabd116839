/**
 * Purges evidence in the background, first in, first out, as forensics needs it (RFC, "Purge +
 * Replace Model" and "Queue Assignments"; CONFORMANCE S1).
 *
 * The caller names the evidence and goes on; the actor has the quarantine destroy it, which records
 * that and tells the fail-safe, in the name of the caller's span.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Request from "effect/Request"
import type * as Tracer from "effect/Tracer"
import { ActorSystem } from "../../actor/ActorSystem.ts"
import { define } from "../../actor/Definition.ts"
import { fifo } from "../../actor/Mailbox.ts"
import type { PurgeReason } from "../../domain/Records.ts"
import { Caller } from "../../telemetry/Caller.ts"
import { Quarantine } from "./Quarantine.ts"

class Purge extends Request.TaggedClass("Purge")<
  { readonly signature: string; readonly reason: PurgeReason; readonly span: Tracer.AnySpan | undefined },
  void
> {}

/**
 * Purges that may wait, each a signature and no more. The evidence of one that finds no room stays
 * in custody, and the purge is a dead letter.
 */
const capacity = 16_384

export class PurgeQueue extends Context.Service<PurgeQueue, {
  /**
   * Whether the queue took the purge. Never throws, never waits. Evidence that has left before its
   * turn comes is passed over.
   */
  readonly purgeUnsafe: (signature: string, reason: PurgeReason) => boolean
}>()("tracehound/custody/quarantine/PurgeQueue") {
  static readonly layer = Layer.effect(
    PurgeQueue,
    Effect.gen(function*() {
      const { root } = yield* ActorSystem
      const caller = yield* Caller
      const quarantine = yield* Quarantine
      const actor = yield* Effect.orDie(root.spawn(
        define<Purge>()("purge", {
          mailbox: fifo({ capacity }),
          behaviour: () =>
            Effect.succeed({
              Purge: ({ reason, signature, span }: Purge) => {
                caller.within(span, () => quarantine.purge(signature, reason))
                return Effect.void
              }
            })
        })
      ))
      return {
        purgeUnsafe: (signature, reason) => actor.tellUnsafe(new Purge({ signature, reason, span: caller.current() }))
      }
    })
  )
}
