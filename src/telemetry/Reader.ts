/**
 * One reader of events. What has come waits in its backlog; the reader is woken, and takes it when
 * it likes.
 *
 * Nothing runs for a reader: who made an event pays for adding it and for one call, whatever the
 * reader does. The reader goes on on a turn of its own.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

/** Stands among the events for those that a reader was too slow for, in their place. */
export interface Missed {
  readonly _tag: "Missed"
  /** From 1. */
  readonly count: number
}

export const missed = (count: number): Missed => Object.freeze({ _tag: "Missed", count })

/** What waits for a reader. */
export interface Backlog<A> {
  /** Takes the oldest, at most `limit`, after the gap before them. Empty where nothing waits. */
  readonly takeUnsafe: (limit: number) => ReadonlyArray<A | Missed>
}

/**
 * The newest events, at most `capacity`: where it is full, the oldest makes room. Adding and taking
 * are O(1) an event. Memory is taken as it is needed.
 */
export class EventBuffer<A> implements Backlog<A> {
  readonly #capacity: number
  readonly #ring: Array<A | undefined> = []
  #first = 0
  #length = 0
  /** Events that were dropped before the oldest one that waits. */
  #missed = 0

  /** A whole number from 1. */
  constructor(capacity: number) {
    this.#capacity = capacity
  }

  addUnsafe(event: A): void {
    this.#ring[(this.#first + this.#length) % this.#capacity] = event
    if (this.#length < this.#capacity) {
      this.#length += 1
      return
    }
    this.#first = (this.#first + 1) % this.#capacity
    this.#missed += 1
  }

  takeUnsafe(limit: number): ReadonlyArray<A | Missed> {
    const events: Array<A | Missed> = this.#missed === 0 ? [] : [missed(this.#missed)]
    this.#missed = 0
    for (let left = Math.min(limit, this.#length); left > 0; left--) {
      events.push(this.#ring[this.#first] as A)
      this.#ring[this.#first] = undefined
      this.#first = (this.#first + 1) % this.#capacity
      this.#length -= 1
    }
    return events
  }
}

/** Events that a pull takes on one turn. */
const batch = 64

export class Reader<A> {
  #backlog: Backlog<A> | undefined
  readonly #leave: () => void
  #isEnded = false
  /** Whether something may wait that came since the last take. */
  #isReady = true
  #wake: (() => void) | undefined

  /** `listen` calls `ready` when something has come, until the function that it gives is called. */
  constructor(backlog: Backlog<A>, listen: (ready: () => void) => () => void) {
    this.#backlog = backlog
    this.#leave = listen(() => this.#ready())
  }

  /** What has come, the oldest first, at most `limit`. Empty where nothing waits. */
  takeUnsafe(limit = Number.POSITIVE_INFINITY): ReadonlyArray<A | Missed> {
    this.#isReady = false
    return this.#backlog?.takeUnsafe(limit) ?? []
  }

  /**
   * The next events, some at a time, and a turn for others between; done when the reader has ended
   * and everything was taken. Waits where nothing has come. Can be interrupted and run again.
   */
  readonly pull: Effect.Effect<Arr.NonEmptyReadonlyArray<A | Missed>, Cause.Done> = Effect.suspend(() =>
    this.#isFull ? Effect.andThen(Effect.yieldNow, this.#take) : this.#take
  )

  /** Whether the last pull took as much as it may. */
  #isFull = false

  readonly #take: Effect.Effect<Arr.NonEmptyReadonlyArray<A | Missed>, Cause.Done> = Effect.suspend(() => {
    const events = this.takeUnsafe(batch)
    this.#isFull = events.length >= batch
    if (Arr.isReadonlyArrayNonEmpty(events)) return Effect.succeed(events)
    return this.#isEnded ? Cause.done() : Effect.andThen(this.#wait, this.#take)
  })

  readonly #wait: Effect.Effect<void> = Effect.withFiber(({ currentDispatcher }) =>
    Effect.callback<void>((resume) => {
      // Resuming at once would run the reader in the middle of what the event is about.
      this.#onReady(() => currentDispatcher.scheduleTask(() => resume(Effect.void), 0))
      return Effect.sync(() => {
        this.#wake = undefined
      })
    })
  )

  /** Nothing comes any more; what came can still be taken. */
  endUnsafe(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#leave()
    this.#ready()
  }

  /** Ends, and forgets what came. */
  closeUnsafe(): void {
    this.#backlog = undefined
    this.endUnsafe()
  }

  /** Calls back once, when there may be something to take, or the end. */
  #onReady(wake: () => void): void {
    this.#wake = wake
    if (this.#isReady || this.#isEnded) this.#ready()
  }

  #ready(): void {
    this.#isReady = true
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
