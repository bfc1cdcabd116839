/**
 * A feed: publishes events to whoever subscribes, each with a bounded buffer of its own.
 *
 * Publishing is synchronous, O(subscribers), and runs none of their code on the publisher's turn.
 * Where nobody subscribes it costs a comparison: ask `isRead` before you make an event.
 *
 * **Gotchas**
 *
 * - A reader that is too slow misses the oldest events, and is told how many, in their place.
 */
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type * as Scope from "effect/Scope"

/** Stands among the events for those that a reader was too slow for. */
export interface Missed {
  readonly _tag: "Missed"
  /** From 1. */
  readonly count: number
}

/** The events for one reader. */
export interface Subscription<out A> {
  /**
   * Waits until there is an event, and takes all that wait, oldest first. Fails with `Cause.Done`
   * when the last has been taken and no more will come. It is a pull: `Stream.fromPull` makes a
   * stream of it.
   */
  readonly take: Effect.Effect<NonEmptyReadonlyArray<A | Missed>, Cause.Done>
  /** Takes all that wait, oldest first: none, if none do. */
  readonly takeUnsafe: () => ReadonlyArray<A | Missed>
}

/** One reader's buffer: a ring that is allocated with the first event. */
class Reader<A> implements Subscription<A> {
  readonly #capacity: number
  #isDone = false
  #events: Array<A> = []
  /** The place of the oldest event, once the ring is full. */
  #oldest = 0
  #missed = 0
  readonly #some = Latch.makeUnsafe(false)

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  add(event: A): void {
    if (this.#events.length < this.#capacity) {
      this.#events.push(event)
      return
    }
    this.#events[this.#oldest] = event
    this.#oldest = (this.#oldest + 1) % this.#capacity
    this.#missed += 1
  }
  /** Nothing more will come. */
  end(): void {
    this.#isDone = true
  }
  wake(): void {
    this.#some.openUnsafe()
  }

  readonly takeUnsafe = (): ReadonlyArray<A | Missed> => {
    const events = this.#events
    if (events.length === 0) return events
    const taken: Array<A | Missed> = this.#missed === 0 ? [] : [{ _tag: "Missed", count: this.#missed }]
    for (let n = 0; n < events.length; n++) taken.push(events[(this.#oldest + n) % events.length] as A)
    this.#events = []
    this.#oldest = 0
    this.#missed = 0
    return taken
  }
  readonly take: Subscription<A>["take"] = Effect.suspend(() => {
    const taken = this.takeUnsafe()
    if (isFilled(taken)) return Effect.succeed(taken)
    if (this.#isDone) return Cause.done()
    this.#some.closeUnsafe()
    return Effect.andThen(this.#some.await, this.take)
  })
}

/** Publishes to its readers. `later` runs a task on a later turn. */
export class Feed<A> {
  readonly #capacity: number
  readonly #later: (task: () => void) => void
  readonly #readers = new Set<Reader<A>>()
  #isDone = false
  #isWaking = false

  /** Throws a RangeError if `capacity` is not a whole number from 1. `what` names it there. */
  constructor(what: string, capacity: number, later: (task: () => void) => void) {
    if (!(Number.isSafeInteger(capacity) && capacity > 0))
      throw new RangeError(`${what} need a capacity: a whole number from 1, not ${capacity}`)
    this.#capacity = capacity
    this.#later = later
  }

  /** Whether anybody reads. */
  get isRead(): boolean {
    return this.#readers.size > 0
  }
  publish(event: A): void {
    for (const reader of this.#readers) reader.add(event)
    this.#wakeLater()
  }
  /** Nothing more will come: readers take what is left. */
  end(): void {
    this.#isDone = true
    for (const reader of this.#readers) reader.end()
    this.#wakeLater()
  }
  #wakeLater(): void {
    if (this.#isWaking || !this.isRead) return
    this.#isWaking = true
    // A reader goes on synchronously when it is woken: not within the publisher's own step.
    this.#later(() => {
      this.#isWaking = false
      for (const reader of this.#readers) reader.wake()
    })
  }

  /** Events from now on, until the scope closes. At most `capacity` wait. */
  readonly subscribe: Effect.Effect<Subscription<A>, never, Scope.Scope> = Effect.acquireRelease(
    Effect.sync(() => {
      const reader = new Reader<A>(this.#capacity)
      if (this.#isDone) reader.end()
      this.#readers.add(reader)
      return reader
    }),
    (reader) =>
      Effect.sync(() => {
        this.#readers.delete(reader)
        reader.end()
        reader.wake()
      })
  )
}

const isFilled = <A>(values: ReadonlyArray<A>): values is NonEmptyReadonlyArray<A> => values.length > 0
