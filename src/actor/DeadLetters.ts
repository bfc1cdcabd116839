/**
 * Dead letters: messages that were sent and not handled to the end. They are counted by reason, and
 * published to subscribers.
 *
 * | reason | the message |
 * | --- | --- |
 * | `full` | was refused: the mailbox had no room, or there was none to put it aside |
 * | `dropped` | was dropped by a sliding or dropping mailbox |
 * | `closed` | was refused: the actor had begun to end |
 * | `stopped` | was accepted, but the actor stopped before it was handled to the end |
 * | `crashed` | was accepted, and the actor crashed while it handled the message |
 * | `abandoned` | was accepted, and its handler did not end when the actor had to |
 * | `failed` | was handled, with a typed failure that nobody waited for |
 *
 * Each message becomes a dead letter at most once. Recording one is O(1). The latest are remembered
 * without their messages, so that they hold no memory.
 *
 * **Gotchas**
 *
 * - A subscription holds up to its capacity of dead letters, with their messages. A slow subscriber
 *   misses the oldest: the gap shows in `sequence`.
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import { Listeners } from "../telemetry/Listeners.ts"
import type { Message } from "./Message.ts"

/** All reasons. The order is fixed. */
export const deadLetterReasons = ["full", "dropped", "closed", "stopped", "crashed", "abandoned", "failed"] as const
export type DeadLetterReason = (typeof deadLetterReasons)[number]

/** A dead letter without its message, as it is remembered. */
export interface DeadLetterNote {
  /** Counts from 0, over all actors. */
  readonly sequence: number
  /** The actor's path. */
  readonly actor: string
  /** The message's `_tag`. */
  readonly tag: string
  readonly reason: DeadLetterReason
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** A dead letter as subscribers get it. */
export interface DeadLetter extends DeadLetterNote {
  readonly message: Message
}

/** The dead letters of one system. */
export interface DeadLetters {
  /** The number so far. */
  readonly total: () => number
  /** The number so far, by reason. */
  readonly counts: () => Readonly<Record<DeadLetterReason, number>>
  /** The latest, oldest first, at most `capacity`. */
  readonly recent: () => ReadonlyArray<DeadLetterNote>
  /** Dead letters from now on, until the scope closes. At most `capacity` wait. */
  readonly subscribe: Effect.Effect<PubSub.Subscription<DeadLetter>, never, Scope.Scope>
  /**
   * Calls back on the turn of each dead letter with what is remembered of it, until the function
   * that it gives is called. The listener must not throw, and must not wait.
   */
  readonly listen: (hear: (note: DeadLetterNote) => void) => () => void
}

/** The dead letters, as the kernel adds to them. */
export interface DeadLetterOffice extends DeadLetters {
  readonly bury: (actor: string, message: Message, reason: DeadLetterReason, at: number) => void
}

/**
 * No dead letters yet. `capacity` bounds those that are remembered, and those that wait for each
 * subscriber. Throws a RangeError if it is not a whole number from 1.
 */
export const make = (capacity: number): Effect.Effect<DeadLetterOffice> => {
  if (!(Number.isSafeInteger(capacity) && capacity > 0))
    throw new RangeError(`dead letters need a capacity: a whole number from 1, not ${capacity}`)
  return Effect.map(PubSub.sliding<DeadLetter>(capacity), (hub) => {
    const counts: Record<DeadLetterReason, number> = {
      full: 0,
      dropped: 0,
      closed: 0,
      stopped: 0,
      crashed: 0,
      abandoned: 0,
      failed: 0
    }
    const notes: Array<DeadLetterNote> = []
    const listeners = new Listeners<DeadLetterNote>()
    let total = 0
    return {
      total: () => total,
      counts: () => ({ ...counts }),
      recent: () => {
        const start = total % capacity
        return total < capacity ? [...notes] : [...notes.slice(start), ...notes.slice(0, start)]
      },
      subscribe: PubSub.subscribe(hub),
      listen: (hear) => listeners.add(hear),
      bury: (actor, message, reason, at) => {
        const note: DeadLetterNote = Object.freeze({ sequence: total, actor, tag: message._tag, reason, at })
        notes[total % capacity] = note
        counts[reason] += 1
        total += 1
        if (listeners.isHeard) listeners.tellUnsafe(note)
        const letter = { ...note, message }
        // publishUnsafe refuses when a subscriber is full; only publish drops the oldest. With a
        // sliding strategy it is synchronous too.
        if (!PubSub.publishUnsafe(hub, letter)) Effect.runSync(PubSub.publish(hub, letter))
      }
    }
  })
}
