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
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Listeners } from "../telemetry/Listeners.ts"
import { EventBuffer, type Missed, Reader } from "../telemetry/Reader.ts"

export type { Missed } from "../telemetry/Reader.ts"

/** The events for one reader. */
export interface Subscription<out A> {
  /**
   * Waits until there is an event, and takes what waits, oldest first, some 64 at a time. Fails
   * with `Cause.Done` when the last has been taken and no more will come. It is a pull:
   * `Stream.fromPull` makes a stream of it.
   */
  readonly take: Effect.Effect<NonEmptyReadonlyArray<A | Missed>, Cause.Done>
  /** Takes all that wait, oldest first: none, if none do. */
  readonly takeUnsafe: () => ReadonlyArray<A | Missed>
}

/** Publishes to its readers. */
export class Feed<A> {
  readonly #capacity: number
  readonly #listeners = new Listeners<A>()
  readonly #readers = new Set<Reader<A>>()
  #isDone = false

  /** Throws a RangeError if `capacity` is not a whole number from 1. `what` names it there. */
  constructor(what: string, capacity: number) {
    if (!(Number.isSafeInteger(capacity) && capacity > 0))
      throw new RangeError(`${what} need a capacity: a whole number from 1, not ${capacity}`)
    this.#capacity = capacity
  }

  /** Whether anybody reads. */
  get isRead(): boolean {
    return this.#listeners.isHeard
  }
  publish(event: A): void {
    this.#listeners.tellUnsafe(event)
  }
  /** Nothing more will come: readers take what is left. */
  end(): void {
    this.#isDone = true
    for (const reader of this.#readers) reader.endUnsafe()
  }

  /**
   * Calls back on the turn of each event, until the function that it gives is called. The listener
   * must not throw, and must not wait.
   */
  readonly listen = (hear: (event: A) => void): () => void => this.#listeners.add(hear)

  /** Events from now on, until the scope closes. At most `capacity` wait. */
  readonly subscribe: Effect.Effect<Subscription<A>, never, Scope.Scope> = Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => this.#open()),
      (reader) =>
        Effect.sync(() => {
          this.#readers.delete(reader)
          reader.endUnsafe()
        })
    ),
    (reader) => ({ take: reader.pull, takeUnsafe: () => reader.takeUnsafe() })
  )

  #open(): Reader<A> {
    const buffer = new EventBuffer<A>(this.#capacity)
    const reader = new Reader(buffer, (ready) =>
      this.#listeners.add((event) => {
        buffer.addUnsafe(event)
        ready()
      }))
    this.#readers.add(reader)
    if (this.#isDone) reader.endUnsafe()
    return reader
  }
}

/** A feed whose events another one publishes as well. */
export class InnerFeed<A> extends Feed<A> {
  readonly #outer: Feed<A>

  /** Throws a RangeError if `capacity` is not a whole number from 1. `what` names it there. */
  constructor(what: string, capacity: number, outer: Feed<A>) {
    super(what, capacity)
    this.#outer = outer
  }

  override get isRead(): boolean {
    return super.isRead || this.#outer.isRead
  }
  override publish(event: A): void {
    super.publish(event)
    this.#outer.publish(event)
  }
}
