/**
 * The address of an actor, for those who talk to it. It stays valid, and the waiting messages stay,
 * when the actor crashes and is restarted.
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Request from "effect/Request"
import type * as Scope from "effect/Scope"
import type { ActorStopped, AskError, MailboxFull } from "./Errors.ts"
import type { Subscription } from "./Feed.ts"
import type { ActorInspection } from "./Inspection.ts"
import type { Lane } from "./Mailbox.ts"
import type { Message } from "./Message.ts"

/**
 * Why a message is refused: the mailbox is full, it drops what comes when full, or the actor has
 * begun to end.
 */
export type RefusalReason = "full" | "dropped" | "closed"

/**
 * The end of an incarnation: of the actor's life from one start to the next. Who watches an actor
 * that waits for its restart watches its next incarnation.
 */
export interface Down {
  /** The actor's path. */
  readonly actor: string
  /** `gone`: the actor had ended for good, or did so before its next incarnation. */
  readonly reason: "normal" | "crashed" | "stopped" | "gone"
  readonly cause?: Cause.Cause<unknown>
}

/**
 * What happens at an actor's address, across its incarnations: it was restarted, it has ended for
 * good, or it has because a supervisor above it gave up.
 */
export type Watched =
  | {
    readonly _tag: "Restarted"
    readonly actor: string
    /** How often it was started. A gap shows restarts that were not told one by one. */
    readonly incarnation: number
    /** Of the crash before it, if there was one. */
    readonly cause?: Cause.Cause<unknown>
  }
  | {
    readonly _tag: "Stopped"
    readonly actor: string
    /** Of the crash after which it was not restarted, if there was one. */
    readonly cause?: Cause.Cause<unknown>
  }
  | {
    readonly _tag: "GaveUp"
    readonly actor: string
    /** The path of the supervisor that gave up. */
    readonly supervisor: string
  }

export interface AskOptions {
  readonly lane?: Lane
  /**
   * After this time `ask` fails with `AskTimeout`. When left out, the definition's `askTimeout`, or
   * the system's, which is 5 seconds, as in OTP. With "Infinity" it waits as long as the actor
   * lives.
   */
  readonly timeout?: Duration.Input
}

/** An actor, as its callers see it. */
export interface ActorRef<in M extends Message> {
  readonly name: string
  /** The names from the root down, separated by slashes. */
  readonly path: string
  /**
   * Sends a message synchronously, and returns whether it was accepted. If not, it already is a
   * dead letter. Never throws, never waits, and runs no code of the actor on the caller's turn. A
   * crash over it is logged within the caller's span. O(1).
   */
  tellUnsafe(message: M, lane?: Lane): boolean
  /**
   * Sends a message, and fails with the reason if it is refused. A message that a dropping mailbox
   * drops is not an error. The handler's span links to the caller's.
   */
  tell(message: M, lane?: Lane): Effect.Effect<void, MailboxFull | ActorStopped>
  /**
   * Sends a message and waits for its answer, at most until the timeout. The handler's span links
   * to the caller's. Neither the timeout nor an interruption of `ask` withdraws the message. An
   * actor that asks itself fails at once with `WaitsForItself`; two that ask each other wait until
   * the timeout.
   */
  ask<A extends M>(message: A, options?: AskOptions): Effect.Effect<Request.Success<A>, Request.Error<A> | AskError>
  /**
   * Why a message of this weight would be refused now, or null. Lets a caller check before it does
   * work that a refusal would waste: a message that is sent before anything else runs gets the same
   * answer. O(1).
   */
  refusalUnsafe(weight?: number, lane?: Lane): RefusalReason | null
  /** Messages accepted and not yet settled, including the one that is being handled. */
  pendingUnsafe(): number
  /** The weight of the pending messages, in the unit of the definition's `weigh`. */
  weightUnsafe(): number
  /** Waits until no message is pending. Dies where the actor itself would wait for that. */
  readonly settled: Effect.Effect<void>
  /** Handles no further message until `resume`; messages are still accepted. */
  readonly suspend: Effect.Effect<void>
  readonly resume: Effect.Effect<void>
  /**
   * Ends the actor for good, and waits for that: accepts no more messages, handles the waiting ones
   * within the definition's `drain`, and makes the rest dead letters.
   */
  readonly stop: Effect.Effect<void>
  /**
   * Waits for the end of the current incarnation, or of the next if the actor waits for its
   * restart. Dies where the actor itself would wait for that.
   */
  readonly down: Effect.Effect<Down>
  /**
   * What happens at this address from now on, until the actor has ended for good or the scope
   * closes. At most 64 events wait; a reader that is too slow is told how many it has missed.
   */
  readonly watch: Effect.Effect<Subscription<Watched>, never, Scope.Scope>
  /** O(1). */
  inspect(): ActorInspection
}
