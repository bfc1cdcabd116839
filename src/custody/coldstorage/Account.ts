/**
 * The account of what waits in cold storage: envelopes and bytes of evidence, over the mailboxes of
 * the compressor and the writer, within the bounds of the configuration.
 *
 * It keeps no numbers of its own, so it cannot disagree with the mailboxes: a delivery counts from
 * the turn on which it is told until the handler of its last message has ended.
 */
import * as Effect from "effect/Effect"
import type { ActorRef } from "../../actor/ActorRef.ts"
import { fifo } from "../../actor/Mailbox.ts"

/** A mailbox, as the account reads it. */
export type Waiting = Pick<ActorRef<never>, "pendingUnsafe" | "refusalUnsafe" | "settled" | "weightUnsafe">

export interface AccountLimits {
  readonly maxPendingCount: number
  /** Bytes of evidence. */
  readonly maxPendingBytes: number
}

/**
 * The bounds of both actors: their mailboxes bound the count only, as the account bounds the bytes,
 * and each may take ten seconds to finish when it closes.
 */
export const actorBounds = ({ maxPendingCount }: Pick<AccountLimits, "maxPendingCount">) => ({
  mailbox: fifo({ capacity: maxPendingCount, maxWeight: Number.POSITIVE_INFINITY }),
  drain: "10 seconds" as const
})

/** The deliveries that wait, read anew each time. O(1). */
export class Account {
  readonly #compressor: Waiting
  readonly #writer: Waiting
  readonly #limits: AccountLimits

  constructor(compressor: Waiting, writer: Waiting, limits: AccountLimits) {
    this.#compressor = compressor
    this.#writer = writer
    this.#limits = limits
  }

  /** Envelopes that wait. */
  pending(): number {
    return this.#compressor.pendingUnsafe() + this.#writer.pendingUnsafe()
  }

  /** Bytes of evidence in what waits. */
  pendingBytes(): number {
    return this.#compressor.weightUnsafe() + this.#writer.weightUnsafe()
  }

  /** Why evidence of so many bytes would be refused now, or null. */
  readonly refusalUnsafe = (size: number): "closed" | "full" | null => {
    if (this.#compressor.refusalUnsafe() === "closed") return "closed"
    const { maxPendingBytes, maxPendingCount } = this.#limits
    return this.pending() >= maxPendingCount || this.pendingBytes() + size > maxPendingBytes ? "full" : null
  }

  /** Waits until nothing is pending. */
  readonly settled: Effect.Effect<void> = Effect.suspend(() =>
    this.pending() === 0
      ? Effect.void
      : Effect.andThen(Effect.andThen(this.#compressor.settled, this.#writer.settled), this.settled)
  )
}
