/**
 * An actor with one FIFO mailbox: messages are told synchronously, and one fiber handles them in order.
 *
 * Promises that every message told has one end: refused, handled, or buried. Each but the handled ones is a dead letter
 * with a reason. The mailbox is bounded in count and in weight, so what a flood may make it hold is known beforehand.
 * Telling is O(1) and never waits.
 *
 * **Details**
 *
 * - It accepts messages from the moment it is made and handles them once it is started.
 * - A message whose handler dies, or interrupts itself, is buried as `crashed`; it is never handled again, and the next one
 *   is.
 * - When the scope closes, the mailbox closes first. What is in it is handled within the drain deadline; the rest is buried
 *   as `stopped`.
 *
 * **Gotchas**
 *
 * - A message that alone is heavier than the capacity is always refused.
 * - `bury` is called on the teller's turn or on the actor's fiber, and must not throw. What a refused message owns is still
 *   its teller's; what a buried one owns is the actor's to let go.
 * - The deadline interrupts a handler and then waits for it: a handler that cannot be interrupted holds the closing up. Its
 *   message is buried even where the handler had done its work and had only to return.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as MutableList from "effect/MutableList"
import * as Scope from "effect/Scope"

/** Why a message was not handled to its end: refused (`full`, `closed`), or accepted and buried (`stopped`, `crashed`). */
export type DeadLetterReason = "full" | "closed" | "stopped" | "crashed"

/** Why a message was refused. */
export type RefusalReason = Extract<DeadLetterReason, "full" | "closed">

/** A bounded actor. */
export interface FifoActor<in Message> {
  /**
   * Why a message of this weight would be refused now, or null where it would be accepted: for whoever must do something first
   * that is not to be done in vain. What is told before anything else runs comes to this answer. O(1).
   */
  readonly refusalUnsafe: (weight: number) => RefusalReason | null
  /** Whether the message was accepted. Where not, it is a dead letter already. Synchronous, never throws. */
  readonly tellUnsafe: (message: Message) => boolean
  /** Messages accepted and not yet settled, the one being handled among them. */
  readonly pendingUnsafe: () => number
  /** What they weigh. */
  readonly weightUnsafe: () => number
  /** Begins to handle messages. Once is enough; more does nothing. */
  readonly start: Effect.Effect<void>
  /** Waits until nothing is pending. Never ends on an actor that is not started and has mail. */
  readonly settled: Effect.Effect<void>
}

/** What an actor is made of. */
export interface FifoActorOptions<Message, R> {
  readonly handle: (message: Message) => Effect.Effect<void, never, R>
  /** Told of each message that is not handled. */
  readonly bury: (message: Message, reason: DeadLetterReason) => void
  /** The most messages pending. */
  readonly capacity: number
  /** What a message weighs, in any unit that `maxWeight` shares; 0 when left out. */
  readonly weigh?: (message: Message) => number
  /** The most weight pending. */
  readonly maxWeight?: number
  /** How long closing may take. */
  readonly drain: Duration.Input
}

/** An actor that lives as long as the scope. */
export const make = Effect.fnUntraced(function*<Message, R>(
  options: FifoActorOptions<Message, R>
): Effect.fn.Return<FifoActor<Message>, never, R | Scope.Scope> {
  const { bury, capacity, handle, maxWeight = Number.POSITIVE_INFINITY, weigh = weightless } = options
  const scope = yield* Effect.scope
  const context = yield* Effect.context<R>()
  const mailbox = MutableList.make<Message>()
  const mail = Latch.makeUnsafe(false)
  const idle = Latch.makeUnsafe(true)
  let open = true
  let started = false
  let overdue = false
  let pending = 0
  let weight = 0
  let fiber: Fiber.Fiber<void> | undefined

  const settle = (message: Message): void => {
    pending -= 1
    weight -= weigh(message)
    if (pending === 0) idle.openUnsafe()
  }
  const refusalUnsafe = (added: number): RefusalReason | null =>
    !open ? "closed" : pending >= capacity || weight + added > maxWeight ? "full" : null
  const tellUnsafe = (message: Message): boolean => {
    const refusal = refusalUnsafe(weigh(message))
    if (refusal !== null) {
      bury(message, refusal)
      return false
    }
    pending += 1
    weight += weigh(message)
    idle.closeUnsafe()
    MutableList.append(mailbox, message)
    mail.openUnsafe()
    return true
  }

  const next: Effect.Effect<Message | typeof MutableList.Empty> = Effect.suspend(() => {
    const message = MutableList.take(mailbox)
    if (message !== MutableList.Empty || !open) return Effect.succeed(message)
    mail.closeUnsafe()
    return Effect.andThen(mail.await, next)
  })
  // Only the handler can be interrupted: between taking a message and settling it there is no moment to lose it in.
  const run = Effect.gen(function*() {
    for (let message = yield* next; message !== MutableList.Empty; message = yield* next) {
      const taken = message
      const exit = yield* Effect.exit(Effect.interruptible(Effect.suspend(() => handle(taken))))
      if (Exit.isFailure(exit)) bury(taken, overdue ? "stopped" : "crashed")
      settle(taken)
    }
  })

  yield* Scope.addFinalizer(
    scope,
    Effect.gen(function*() {
      open = false
      mail.openUnsafe()
      if (fiber !== undefined) {
        yield* Effect.timeoutOption(Fiber.await(fiber), options.drain)
        overdue = true
        yield* Fiber.interrupt(fiber)
      }
      for (const message of MutableList.takeAll(mailbox)) {
        bury(message, "stopped")
        settle(message)
      }
    })
  )

  return {
    refusalUnsafe,
    tellUnsafe,
    pendingUnsafe: () => pending,
    weightUnsafe: () => weight,
    settled: idle.await,
    start: Effect.suspend(() => {
      if (started || !open) return Effect.void
      started = true
      // Detached, since the finalizer above owns it: a fiber of the scope would be interrupted before it could drain.
      return Effect.map(Effect.forkDetach(Effect.uninterruptible(Effect.provideContext(run, context))), (forked) => {
        fiber = forked
      })
    }).pipe(Effect.uninterruptible)
  }
})

const weightless = (): number => 0
