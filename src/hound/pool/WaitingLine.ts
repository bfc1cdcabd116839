/**
 * The one line in which jobs wait for a hound, first in, first out.
 *
 * Its body is the mailbox of the actor `activation` (`Activations.ts`), which has the bound
 * `hound.maxPending`, counts what it refuses as dead letters, and drains at closing. The actor
 * shows one message at a time here, as the head of the line, and is at that message until the pool
 * takes it. `take` lets the actor go on with the next message on the same turn, so whoever takes
 * finds the next head in place: a hound that finishes never waits for a turn.
 *
 * Nothing else holds a backlog. The mailbox of the actor `hounds` has events only, each handled at
 * once; a pool has in hand at most what its hounds are at. A job whose hound was lost comes back to
 * the head of the line, as it was first: `putBack`.
 */
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"

/** What waits. `reserved` is the hound that was activated for it already; null: none was. */
export interface Waiting {
  readonly reserved: unknown
}

/** The message that the actor is at. */
interface Head<out A> {
  readonly item: A
  /** Lets the actor go on. */
  readonly release: () => void
}

/** A line of jobs, between the actor that holds them and the pool that takes them. */
export class WaitingLine<A extends Waiting> {
  readonly #returned: Array<A> = []
  #head: Head<A> | null = null
  /** In the mailbox or at the head, without a hound reserved. */
  #entered = 0
  #inHand = 0
  #isTaking = false
  #isOver = false
  #idle: Latch.Latch | undefined
  #onHead = (): void => undefined

  /** The one whose turn it is; null while there is none. */
  get first(): A | null {
    return this.#returned[0] ?? this.#head?.item ?? null
  }

  /** How many wait that have no hound reserved, those in the mailbox among them. */
  get waiting(): number {
    return this.#returned.length + this.#entered
  }

  /** Whether it has come to its end: nothing is shown or put back any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** From now on, calls back when a head comes that no `take` brought about. Must not throw. */
  onHead(listener: () => void): void {
    this.#onHead = listener
  }

  /** The mailbox has accepted one. */
  entered({ reserved }: A): void {
    if (reserved === null) this.#entered += 1
  }

  /** The actor is at this one until `release` is called. */
  show(item: A, release: () => void): void {
    this.#head = { item, release }
    if (!this.#isTaking) this.#onHead()
  }

  /** The actor was stopped at this one, which becomes a dead letter. */
  withdraw(item: A): void {
    if (this.#head?.item !== item) return
    this.#head = null
    if (item.reserved === null) this.#entered -= 1
  }

  /** Takes the first one out; it is in hand until `done` or `putBack`. */
  take(): A | null {
    const returned = this.#returned.shift()
    const head = this.#head
    if (returned === undefined && head === null) return null
    this.#inHand += 1
    if (returned !== undefined || head === null) return returned ?? null
    this.#head = null
    if (head.item.reserved === null) this.#entered -= 1
    this.#isTaking = true
    head.release()
    this.#isTaking = false
    return head.item
  }

  /** One in hand goes to the head of the line, past every bound. */
  putBack(item: A): void {
    this.#returned.unshift(item)
    this.done()
  }

  /** One in hand has come to its end. */
  done(): void {
    this.#inHand -= 1
    if (this.#inHand > 0 || this.#returned.length > 0 || this.#idle === undefined) return
    this.#idle.openUnsafe()
    this.#idle = undefined
  }

  /** Waits until nothing is in hand and nothing was put back. */
  get settled(): Effect.Effect<void> {
    const wait: Effect.Effect<void> = Effect.suspend(() => {
      if (this.#inHand === 0 && this.#returned.length === 0) return Effect.void
      this.#idle ??= Latch.makeUnsafe(false)
      return Effect.andThen(this.#idle.await, wait)
    })
    return wait
  }

  /** The end: gives what was put back and not taken again, which is the caller's to settle. */
  end(): ReadonlyArray<A> {
    this.#isOver = true
    this.#entered = 0
    return this.#returned.splice(0)
  }
}
