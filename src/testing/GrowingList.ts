/**
 * A list that only grows, and on whose length a test can wait.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

/** Items in the order in which they were appended. */
export class GrowingList<A> {
  readonly #items: Array<A> = []
  readonly #waiting = new Map<Deferred.Deferred<void>, number>()

  /** A copy, oldest first. */
  get items(): ReadonlyArray<A> {
    return [...this.#items]
  }

  append(item: A): void {
    this.#items.push(item)
    for (const [reached, count] of this.#waiting) {
      if (this.#items.length < count) continue
      this.#waiting.delete(reached)
      Deferred.doneUnsafe(reached, Effect.void)
    }
  }

  /** Waits until the list has at least `count` items. */
  reaches(count: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#items.length >= count) return Effect.void
      const reached = Deferred.makeUnsafe<void>()
      this.#waiting.set(reached, count)
      return Deferred.await(reached)
    })
  }
}
