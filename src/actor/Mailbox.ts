/**
 * Mailboxes: the messages that wait for an actor. There are four kinds, all of them bounded.
 *
 * | kind | a new message, when the mailbox is full |
 * | --- | --- |
 * | `fifo` | is refused: `full` |
 * | `lanes` | is refused: `full`. Four lanes, critical first, FIFO within each, each with the whole capacity |
 * | `sliding` | is accepted; the oldest are dropped for it |
 * | `dropping` | is dropped, which is no error of `tell` |
 *
 * A message occupies the mailbox until it is settled, also while it is handled: so the bounds limit
 * the memory of all messages of the actor. Every operation is O(1) where nothing else is said.
 *
 * The messages of monitors are no part of it: none of them is refused or dropped (Signals.ts).
 *
 * **Gotchas**
 *
 * - Without `overtakes`, lanes starve: as long as there are critical messages, no others are
 *   handled.
 * - A message heavier than `maxWeight` is always refused.
 * - A sliding mailbox refuses a message if the one that is being handled leaves no room for it:
 *   that one cannot be dropped.
 */
import * as MutableList from "effect/MutableList"

/** The lanes, in the order in which they are served. */
export const laneOrder = ["critical", "high", "medium", "low"] as const
export type Lane = (typeof laneOrder)[number]

/** The kind and bounds of a mailbox. Made by `fifo`, `lanes`, `sliding` and `dropping`. */
export interface MailboxSpec {
  readonly kind: "fifo" | "lanes" | "sliding" | "dropping"
  /** The most messages that wait or are being handled, in each lane if there are lanes. */
  readonly capacity: number
  /** The most weight of all messages, in the unit of the definition's `weigh`. */
  readonly maxWeight: number
  /** How many messages may overtake the oldest of a lower lane before it is served. */
  readonly overtakes: number
}

interface Bounds {
  readonly capacity: number
  readonly maxWeight?: number
}

const bounded = (kind: MailboxSpec["kind"], { capacity, maxWeight }: Bounds, overtakes?: number): MailboxSpec => {
  if (!(Number.isSafeInteger(capacity) && capacity > 0))
    throw new RangeError(`a mailbox needs a capacity: a whole number from 1, not ${capacity}`)
  // With NaN every comparison is false, so there would be no bound.
  if (maxWeight !== undefined && !(typeof maxWeight === "number" && maxWeight >= 0))
    throw new RangeError(`maxWeight is a number from 0, not ${String(maxWeight)}`)
  if (overtakes !== undefined && !(Number.isSafeInteger(overtakes) && overtakes > 0))
    throw new RangeError(`overtakes is a whole number from 1, not ${overtakes}`)
  const unbounded = Number.POSITIVE_INFINITY
  return { kind, capacity, maxWeight: maxWeight ?? unbounded, overtakes: overtakes ?? unbounded }
}

/**
 * First in, first out; when full, refuses. Throws a RangeError for an invalid bound, as do the
 * other constructors.
 */
export const fifo = (bounds: Bounds): MailboxSpec => bounded("fifo", bounds)

/**
 * Four lanes in order of priority, first in first out within each. With `overtakes`, the oldest
 * message of a lane is due once so many others have overtaken it, so that none starves. If several
 * are due, it waits for at most two more.
 */
export const lanes = (bounds: Bounds & { readonly overtakes?: number }): MailboxSpec =>
  bounded("lanes", bounds, bounds.overtakes)

/** When full, drops its oldest messages. For streams in which only the newest matter. */
export const sliding = (bounds: Bounds): MailboxSpec => bounded("sliding", bounds)

/** When full, drops new messages. For streams that may lose some. */
export const dropping = (bounds: Bounds): MailboxSpec => bounded("dropping", bounds)

/** Why a mailbox does not accept a message. */
export type Refusal = "full" | "dropped"

/** Never written to. */
const uncounted: Array<number> = []

/** The index of the lane for messages that name none. */
const defaultLane = laneOrder.indexOf("medium")

/** Two messages or more that wait in one lane, or have waited there since it was empty. */
class Several<A extends object> {
  readonly list = MutableList.make<A>()

  constructor(first: A, second: A) {
    MutableList.append(this.list, first)
    MutableList.append(this.list, second)
  }

  take(): A | undefined {
    const item = MutableList.take(this.list)
    return item === MutableList.Empty ? undefined : item
  }
}

const lengthOf = (those: object | undefined): number =>
  those === undefined ? 0 : those instanceof Several ? those.list.length : 1

/** The waiting messages of one actor, and the account of those that wait or are being handled. */
export class Mailbox<A extends object> {
  readonly spec: MailboxSpec
  /**
   * The waiting messages by lane index; a mailbox without lanes has one. A single one stands by
   * itself: most messages come to an idle actor, and a list costs more than all else of them.
   */
  readonly #waiting: Array<A | Several<A> | undefined>
  /** The number of messages that wait or are being handled, by lane index. */
  readonly #held: Array<number>
  /**
   * How many messages have overtaken the oldest of a lane, by lane index. Empty where nobody counts
   * them: an idle actor has no room for it.
   */
  readonly #overtaken: Array<number>
  #length = 0
  #weight = 0
  /** The index of the lane from which the last message was taken. */
  #servedLane = 0

  constructor(spec: MailboxSpec) {
    this.spec = spec
    const size = spec.kind === "lanes" ? laneOrder.length : 1
    this.#waiting = Array.from({ length: size }, () => undefined)
    this.#held = Array.from({ length: size }, () => 0)
    this.#overtaken = spec.overtakes < Number.POSITIVE_INFINITY ? Array.from({ length: size }, () => 0) : uncounted
  }

  /** How many messages wait. */
  get length(): number {
    return this.#length
  }

  /** The weight of the messages that wait or are being handled. */
  get weight(): number {
    return this.#weight
  }

  /** How many messages wait, by lane index. O(lanes). */
  get lengths(): ReadonlyArray<number> {
    return this.#waiting.map(lengthOf)
  }

  /** The index of the lane from which the last message was taken. */
  get servedLane(): number {
    return this.#servedLane
  }

  /** The messages that wait. O(n). */
  get waiting(): ReadonlyArray<A> {
    return this.#waiting.flatMap((those) =>
      those === undefined ? [] : those instanceof Several ? MutableList.toArray(those.list) : [those]
    )
  }

  /** How many messages of a lane wait or are being handled. */
  heldIn(lane: Lane): number {
    return this.#held[this.#laneIndex(lane)] ?? 0
  }

  /** An unknown lane, as untyped code may name one, counts as the default: no message gets lost. */
  #laneIndex(lane: Lane | undefined): number {
    if (this.spec.kind !== "lanes") return 0
    const index = lane === undefined ? defaultLane : laneOrder.indexOf(lane)
    return index < 0 ? defaultLane : index
  }

  /**
   * Why a message of this weight would not be accepted now, or null. A sliding mailbox accepts it
   * if dropping waiting messages makes enough room; the message being handled, of the weight
   * `handling`, cannot be dropped.
   */
  refusal(weight: number, lane: Lane | undefined, handling = 0): Refusal | null {
    const { kind, maxWeight } = this.spec
    if (!this.isFull(weight, lane)) return null
    if (kind === "dropping") return "dropped"
    return kind === "sliding" && this.#length > 0 && handling + weight <= maxWeight ? null : "full"
  }

  /** Whether a message of this weight exceeds a bound now. */
  isFull(weight: number, lane: Lane | undefined): boolean {
    const { capacity, maxWeight } = this.spec
    return (this.#held[this.#laneIndex(lane)] ?? 0) >= capacity || this.#weight + weight > maxWeight
  }

  /** Adds a message without a look at the bounds: check `isFull` first. */
  append(item: A, weight: number, lane: Lane | undefined): void {
    const index = this.#laneIndex(lane)
    const those = this.#waiting[index]
    if (those instanceof Several) MutableList.append(those.list, item)
    else this.#waiting[index] = those === undefined ? item : new Several(those, item)
    this.#held[index] = (this.#held[index] ?? 0) + 1
    this.#length += 1
    this.#weight += weight
  }

  /** Takes the next message, or undefined. It still counts against the bounds until `release`. */
  take(): A | undefined {
    if (this.#length === 0) return undefined
    const index = this.spec.kind === "lanes" ? this.#nextLane() : 0
    const those = this.#waiting[index]
    const item = those instanceof Several ? those.take() : those
    if (item === undefined) return undefined
    // An empty MutableList keeps its allocated buckets: for a hundred thousand idle actors, that
    // would be a hundred megabytes.
    if (!(those instanceof Several) || those.list.length === 0) this.#waiting[index] = undefined
    this.#length -= 1
    this.#servedLane = index
    return item
  }

  /** Ends the account of the message that was taken last. */
  release(weight: number): void {
    this.#held[this.#servedLane] = (this.#held[this.#servedLane] ?? 1) - 1
    this.#weight -= weight
  }

  /**
   * The index of the lane to serve: the one whose oldest message was overtaken most often, if at
   * least `overtakes` times; otherwise the first lane with messages. Counts one more overtaking for
   * every other lane with messages.
   */
  #nextLane(): number {
    const { overtakes } = this.spec
    let first = -1
    let served = -1
    let most = overtakes
    for (let index = 0; index < laneOrder.length; index++) {
      if (this.#waiting[index] === undefined) continue
      if (first < 0) first = index
      const overtaken = this.#overtaken[index] ?? 0
      if (overtaken >= most && (served < 0 || overtaken > most)) {
        served = index
        most = overtaken
      }
    }
    if (served < 0) served = first
    if (overtakes < Number.POSITIVE_INFINITY) {
      for (let index = 0; index < laneOrder.length; index++) {
        const waits = index !== served && this.#waiting[index] !== undefined
        this.#overtaken[index] = waits ? (this.#overtaken[index] ?? 0) + 1 : 0
      }
    }
    return served
  }
}
