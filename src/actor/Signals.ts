/**
 * Messages that must not be lost, whatever the bounds of a mailbox are: those of monitors. Each
 * comes right behind all messages that waited when it came, in whichever lane, so that what an
 * actor told before it ended is handled before its end is heard of.
 *
 * Bounded by the monitors of the actor, each of which sends one message. Every operation is O(1).
 */
import * as MutableList from "effect/MutableList"

interface Entry<A> {
  readonly item: A
  /** It is due when so many messages have been taken from each list. */
  readonly at: ReadonlyArray<number>
}

/** The signals that wait for one actor. Exists only while there are some. */
export class Signals<A> {
  readonly #waiting = MutableList.make<Entry<A>>()
  /** How many messages were taken from each list of the mailbox since this was made. */
  readonly #taken: Array<number>

  /** For a mailbox of so many lists. */
  constructor(lists: number) {
    this.#taken = Array.from({ length: lists }, () => 0)
  }

  get length(): number {
    return this.#waiting.length
  }

  /** Adds a signal behind what waits in the mailbox: so many messages in each list. */
  add(item: A, lengths: ReadonlyArray<number>): void {
    const at = lengths.map((length, list) => (this.#taken[list] ?? 0) + length)
    MutableList.append(this.#waiting, { item, at })
  }

  /** Must be called for each message that is taken from a list. */
  countTaken(list: number): void {
    this.#taken[list] = (this.#taken[list] ?? 0) + 1
  }

  /** The oldest signal if it is due. */
  take(): A | undefined {
    const oldest = this.#waiting.head?.array[this.#waiting.head.offset]
    const isDue = oldest?.at.every((count, list) => (this.#taken[list] ?? 0) >= count)
    if (oldest === undefined || isDue !== true) return undefined
    MutableList.take(this.#waiting)
    return oldest.item
  }
}
