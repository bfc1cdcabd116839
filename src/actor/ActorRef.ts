/**
 * The address of an actor: how everybody else sees it. It stays good when the actor crashes and is
 * started anew; its mail stays too.
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Request from "effect/Request"
import type { ActorStopped, AskError, MailboxFull } from "./Errors.ts"
import type { ActorInspection } from "./Inspection.ts"
import type { Lane } from "./Mailbox.ts"
import type { Message } from "./Message.ts"

/** Why a message would be refused. */
export type RefusalReason = "full" | "dropped" | "closed"

/** How an incarnation ended. */
export interface Down {
  /** The actor's path. */
  readonly actor: string
  /** `gone`: it had ended before anybody looked. */
  readonly reason: "normal" | "crashed" | "stopped" | "gone"
  readonly cause?: Cause.Cause<unknown>
}

/** How a question is asked. */
export interface AskOptions {
  readonly lane?: Lane
  /**
   * Fails with `AskTimeout` after so long. Without it, the answer is waited for as long as the
   * actor lives.
   */
  readonly timeout?: Duration.Input
}

/** An actor, to whoever talks to it. */
export interface ActorRef<in M extends Message> {
  readonly name: string
  /** The names from the root down, with slashes. */
  readonly path: string
  /**
   * Hands a message over, synchronously: whether it was accepted. Where not, it is a dead letter
   * already. Never throws, never waits, runs nothing of the actor on the caller's turn. O(1).
   */
  tellUnsafe(message: M, lane?: Lane): boolean
  /**
   * The same, with the reason; a dropping mailbox that drops is no error. Carries the span of the
   * caller.
   */
  tell(message: M, lane?: Lane): Effect.Effect<void, MailboxFull | ActorStopped>
  /**
   * Tells, and waits for the answer. Carries the span of the caller. Interrupting it takes nothing
   * back.
   */
  ask<A extends M>(message: A, options?: AskOptions): Effect.Effect<Request.Success<A>, Request.Error<A> | AskError>
  /**
   * Why a message of this weight would be refused now, or null: for whoever must do something first
   * that is not to be done in vain. What is told before anything else runs comes to this answer.
   * O(1).
   */
  refusalUnsafe(weight?: number, lane?: Lane): RefusalReason | null
  /** Messages accepted and not yet settled, the one being handled among them. */
  pendingUnsafe(): number
  /** What they weigh. */
  weightUnsafe(): number
  /** Waits until nothing is pending. */
  readonly settled: Effect.Effect<void>
  /** Holds the mail from the next message on. */
  readonly suspend: Effect.Effect<void>
  /** Handles the mail again. */
  readonly resume: Effect.Effect<void>
  /** Ends the actor for good: takes no more, drains within its deadline, buries the rest. */
  readonly stop: Effect.Effect<void>
  /** Waits until the incarnation that there is now has ended. */
  readonly down: Effect.Effect<Down>
  /** One look. O(1). */
  inspect(): ActorInspection
}
