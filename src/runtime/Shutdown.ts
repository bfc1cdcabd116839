/**
 * The graceful shutdown that follows a panic: of Tracehound, not of its host (RFC, "Fail-Safe
 * Actions"; CONFORMANCE F3).
 *
 * From the turn of the panic on, no scent is looked at. An actor moves the evidence in custody to
 * cold storage, as fast as cold storage takes it, each piece with a record. When nothing is held
 * any more, the chain is closed: there is nothing left to write.
 *
 * **Gotchas**
 *
 * - Evidence that cold storage does not take stays in custody, until somebody neutralizes it or
 *   Tracehound is disposed of. All of it stays where no cold storage is configured, and where the
 *   actors gave up, which is itself a panic.
 */
import * as Effect from "effect/Effect"
import * as Request from "effect/Request"
import type * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import { ActorSystem } from "../actor/ActorSystem.ts"
import { define } from "../actor/Definition.ts"
import { fifo } from "../actor/Mailbox.ts"
import { ColdStorage } from "../custody/coldstorage/ColdStorage.ts"
import { Quarantine } from "../custody/quarantine/Quarantine.ts"
import { problem } from "../domain/TracehoundError.ts"
import { FailSafe } from "../safety/failsafe/FailSafe.ts"
import { Caller } from "../telemetry/Caller.ts"

/** Tells the actor that there was a panic, and the span that it came from. */
class Panicked extends Request.TaggedClass("Panicked")<{ readonly span: Tracer.AnySpan | undefined }, void> {}

/** Pieces of evidence that the actor moves on one turn. */
const batch = 64

export interface Shutdown {
  /** Whether the chain is closed: after a panic, with nothing left in custody. */
  readonly isClosed: () => boolean
}

/**
 * Waits for a panic until the scope closes. The actors giving up is a system error, which panics
 * (CONFORMANCE S3).
 */
export const make: Effect.Effect<
  Shutdown,
  never,
  ActorSystem | ColdStorage | FailSafe | Quarantine | Scope.Scope
> = Effect.gen(function*() {
  const { escalated, root } = yield* ActorSystem
  const caller = yield* Caller
  const coldStorage = yield* ColdStorage
  const failSafe = yield* FailSafe
  const quarantine = yield* Quarantine

  /** Whether the actors have given up. Cold storage would then take evidence and never write it. */
  let isOver = false
  /** Ends: each turn takes something out of custody, or is the last. */
  const empty = (span: Tracer.AnySpan | undefined): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (isOver) return Effect.void
      const purged = caller.within(span, () => quarantine.purgeForPanic(batch))
      if (purged > 0) return Effect.andThen(Effect.yieldNow, empty(span))
      const isWaiting = coldStorage.stats().pending > 0
      return quarantine.stats().count > 0 && isWaiting ? Effect.andThen(coldStorage.settled, empty(span)) : Effect.void
    })
  const actor = yield* Effect.orDie(root.spawn(
    define<Panicked>()("shutdown", {
      mailbox: fifo({ capacity: 1 }),
      behaviour: () =>
        Effect.succeed({
          Panicked: ({ span }: Panicked) => coldStorage.destination === null ? Effect.void : empty(span)
        })
    })
  ))
  failSafe.onPanic(() => {
    actor.tellUnsafe(new Panicked({ span: caller.current() }))
  })
  yield* Effect.forkScoped(
    Effect.map(escalated, ({ trace }) => {
      isOver = true
      const span = trace === undefined ? undefined : Tracer.externalSpan(trace)
      caller.within(span, () => failSafe.reportUnsafe("system_error", systemError))
    })
  )
  return { isClosed: () => failSafe.isPanicked() && quarantine.stats().count === 0 }
})

const systemError = problem({
  state: "agent",
  code: "system_error",
  message: "a part of Tracehound crashed more often than it may; please report how to reproduce this",
  recoverable: false
})
