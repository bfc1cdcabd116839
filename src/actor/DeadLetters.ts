/**
 * Dead letters: what was told and not handled to its end, counted by reason and shown to whoever
 * subscribes.
 *
 * | reason | what became of the message |
 * | --- | --- |
 * | `full` | refused: the mailbox had no room |
 * | `dropped` | let go by a sliding or dropping mailbox |
 * | `closed` | refused: the actor takes no more |
 * | `stopped` | accepted, and left behind when the actor stopped |
 * | `crashed` | accepted, and the actor crashed over it |
 * | `failed` | handled, with a typed failure that nobody waited for |
 *
 * Each message is in it at most once. Counting is O(1); the latest are kept without their messages,
 * so that what died does not hold memory.
 *
 * **Gotchas**
 *
 * - A subscription holds as many letters as its capacity, with their messages. Who reads slowly
 *   misses the oldest: the gap shows in `sequence`.
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import type { Message } from "./Message.ts"

/** Every reason there is. */
export const deadLetterReasons = ["full", "dropped", "closed", "stopped", "crashed", "failed"] as const
export type DeadLetterReason = (typeof deadLetterReasons)[number]

/** What is remembered of a dead letter. */
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

/** A dead letter as subscribers see it. */
export interface DeadLetter extends DeadLetterNote {
  readonly message: Message
}

/** The dead letters of one system. */
export interface DeadLetters {
  /** How many, so far. */
  readonly total: () => number
  /** How many of each reason, so far. */
  readonly counts: () => Readonly<Record<DeadLetterReason, number>>
  /** The latest, oldest first, at most `capacity`. */
  readonly recent: () => ReadonlyArray<DeadLetterNote>
  /** From now on, until the scope closes; at most `capacity` wait. */
  readonly subscribe: Effect.Effect<PubSub.Subscription<DeadLetter>, never, Scope.Scope>
}

/** The same, with the way to add to it. */
export interface DeadLetterOffice extends DeadLetters {
  readonly bury: (actor: string, message: Message, reason: DeadLetterReason, at: number) => void
}

/** An empty office; `capacity` bounds what is remembered and what waits for each subscriber. Throws a
 * RangeError where that is no whole number from 1. */
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
      failed: 0
    }
    const notes: Array<DeadLetterNote> = []
    let total = 0
    return {
      total: () => total,
      counts: () => ({ ...counts }),
      recent: () => {
        const start = total % capacity
        return total < capacity ? [...notes] : [...notes.slice(start), ...notes.slice(0, start)]
      },
      subscribe: PubSub.subscribe(hub),
      bury: (actor, message, reason, at) => {
        const note: DeadLetterNote = { sequence: total, actor, tag: message._tag, reason, at }
        notes[total % capacity] = note
        counts[reason] += 1
        total += 1
        const letter = { ...note, message }
        // The unsafe way refuses where somebody reads slowly; only the other one slides. It is
        // synchronous all the same.
        if (!PubSub.publishUnsafe(hub, letter)) Effect.runSync(PubSub.publish(hub, letter))
      }
    }
  })
}
