/**
 * Messages that an actor gets whatever the bounds of its mailbox are: of its monitors, its timers,
 * and the effects whose outcome it waits for. Each comes right behind all messages that waited when
 * it came, in whichever lane, so that what an actor told before it ended is handled before its end
 * is heard of.
 *
 * Bounded by what the actor itself has begun: a monitor and an effect send one message each, and of
 * a timer at most one waits. Every operation but `all` is O(1).
 */

/** A signal that waits, as a link of the list. */
export interface Waiting<A> {
  /** It is due when so many messages have been taken from each list. */
  due: ReadonlyArray<number>
  before: A | undefined
  after: A | undefined
}

/** The signals that wait for one actor. Exists only while there are some. */
export class Signals<A extends Waiting<A>> {
  #first: A | undefined
  #last: A | undefined
  #length = 0
  /** How many messages were taken from each list of the mailbox since this was made. */
  readonly #taken: Array<number>

  /** For a mailbox of so many lists. */
  constructor(lists: number) {
    this.#taken = Array.from({ length: lists }, () => 0)
  }

  get length(): number {
    return this.#length
  }

  /** All of them, oldest first. O(n). */
  get all(): ReadonlyArray<A> {
    const all: Array<A> = []
    for (let signal = this.#first; signal !== undefined; signal = signal.after) all.push(signal)
    return all
  }

  /** Adds a signal behind what waits in the mailbox: so many messages in each list. */
  add(signal: A, lengths: ReadonlyArray<number>): void {
    signal.due = lengths.map((length, list) => (this.#taken[list] ?? 0) + length)
    signal.before = this.#last
    if (this.#last === undefined) this.#first = signal
    else this.#last.after = signal
    this.#last = signal
    this.#length += 1
  }

  /** Removes a signal, and returns whether it was here. */
  remove(signal: A): boolean {
    const { after, before } = signal
    if (before === undefined && this.#first !== signal) return false
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    signal.before = undefined
    signal.after = undefined
    this.#length -= 1
    return true
  }

  /** Must be called for each message that is taken from a list. */
  countTaken(list: number): void {
    this.#taken[list] = (this.#taken[list] ?? 0) + 1
  }

  /** The oldest signal if it is due. */
  take(): A | undefined {
    const oldest = this.#first
    const isDue = oldest?.due.every((count, list) => (this.#taken[list] ?? 0) >= count)
    if (oldest === undefined || isDue !== true) return undefined
    this.remove(oldest)
    return oldest
  }
}
