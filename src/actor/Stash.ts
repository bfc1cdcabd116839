/**
 * Messages that handlers have put aside: they wait until they are put back, and are then handled
 * before all others, in the order in which they came.
 *
 * They occupy no room of the mailbox, so that what they wait for can come in. They are bounded
 * themselves, by count and by weight, from the stash until they are settled.
 */
import { Letter, Signal } from "./Letter.ts"
import type { Message } from "./Message.ts"

/** A message that was put aside, with its weight. */
export class Aside<out M extends Message> extends Letter<M> {
  readonly weight: number
  constructor(item: M | Letter<M>, weight: number) {
    const letter = item instanceof Letter ? item : undefined
    super(letter === undefined ? item as M : letter.message, letter?.reply, letter?.span, letter?.asker)
    this.deadline = letter?.deadline
    this.isWithdrawn = letter?.isWithdrawn ?? false
    this.weight = weight
  }
}

type Item<M extends Message> = Aside<M> | Signal<M>

/** The messages of one actor that were put aside. Exists only while there are some. */
export class Stash<M extends Message> {
  #stashed: Array<Item<M>> = []
  /** Those that were put back, the next one last. */
  #back: Array<Item<M>> = []
  /** How many were put aside and are not settled. */
  #held = 0
  #weight = 0

  /** How many are put aside, and not yet put back. */
  get stashed(): number {
    return this.#stashed.length
  }
  /** How many were put back, and wait to be handled. */
  get waiting(): number {
    return this.#back.length
  }
  get isEmpty(): boolean {
    return this.#held === 0
  }
  /** All that wait here. O(n). */
  get all(): ReadonlyArray<Item<M>> {
    return [...this.#back, ...this.#stashed]
  }

  /** Whether one more of this weight would exceed a bound. */
  isFull(weight: number, capacity: number, maxWeight: number): boolean {
    return this.#held >= capacity || this.#weight + weight > maxWeight
  }
  add(item: Item<M>): void {
    this.#stashed.push(item)
    this.#held += 1
    this.#weight += weightOf(item)
  }
  /** Puts all of them back, before those that were put back earlier. O(n). */
  putBack(): void {
    this.#back.push(...this.#stashed.reverse())
    this.#stashed = []
  }
  /** The next of those that were put back. It still counts until `release`. */
  take(): Item<M> | undefined {
    return this.#back.pop()
  }
  /** Removes a message that waits here. O(n). */
  remove(item: Item<M>): void {
    this.#stashed = this.#stashed.filter((other) => other !== item)
    this.#back = this.#back.filter((other) => other !== item)
  }
  /** Ends the account of a message that was taken or removed. */
  release(item: Item<M>): void {
    this.#held -= 1
    this.#weight -= weightOf(item)
  }
}

const weightOf = <M extends Message>(item: Item<M>): number => item instanceof Signal ? 0 : item.weight
