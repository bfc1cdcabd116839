/**
 * Purges evidence in the background, first in, first out, as forensics needs it (RFC, "Purge +
 * Replace Model" and "Queue Assignments"; CONFORMANCE S1).
 *
 * The caller names the evidence and goes on; the actor destroys it, records that, and tells the
 * fail-safe.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Request from "effect/Request"
import { ActorSystem } from "../../actor/ActorSystem.ts"
import { define } from "../../actor/Definition.ts"
import { fifo } from "../../actor/Mailbox.ts"
import type { PurgeReason } from "../../domain/Records.ts"
import { FailSafe } from "../../safety/failsafe/FailSafe.ts"
import { Quarantine } from "./Quarantine.ts"

class Purge extends Request.TaggedClass("Purge")<{ readonly signature: string; readonly reason: PurgeReason }, void> {}

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
      const failSafe = yield* FailSafe
      const quarantine = yield* Quarantine
      const actor = yield* Effect.orDie(root.spawn(
        define<Purge>()("purge", {
          mailbox: fifo({ capacity }),
          behaviour: () =>
            Effect.succeed({
              Purge: ({ reason, signature }: Purge) => {
                const record = quarantine.purge(signature, reason)
                if (record !== null) failSafe.purgedUnsafe(record, signature)
                return Effect.void
              }
            })
        })
      ))
      return { purgeUnsafe: (signature, reason) => actor.tellUnsafe(new Purge({ signature, reason })) }
    })
  )
}
