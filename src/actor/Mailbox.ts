/**
 * Mailboxes: where messages wait. Four kinds, each of them bounded; what a bound refuses is told to
 * whoever asked.
 *
 * | kind | what a full one does with a newcomer |
 * | --- | --- |
 * | `fifo` | refuses it: `full` |
 * | `lanes` | refuses it: `full`. Four lanes, critical first, FIFO within each, each with the whole capacity |
 * | `sliding` | takes it, and drops the oldest |
 * | `dropping` | drops it; to tell it was no error |
 *
 * A message keeps its place until it is settled, the one being handled included, so the bounds are
 * those of memory. All of it is O(1).
 *
 * **Gotchas**
 *
 * - Without `overtakes`, lanes starve: as long as there is anything critical, nothing else is
 *   handled.
 * - A message that alone is heavier than `maxWeight` is always refused.
 * - A sliding mailbox refuses too, where what is being handled leaves no room: that cannot be
 *   dropped.
 */
import * as MutableList from "effect/MutableList"

/** The lanes, in the order in which they are served. */
export const laneOrder = ["critical", "high", "medium", "low"] as const
export type Lane = (typeof laneOrder)[number]

/** What a mailbox is made of: see the constructors. */
export interface MailboxSpec {
  readonly kind: "fifo" | "lanes" | "sliding" | "dropping"
  /** The most messages that wait or are being handled: in all, or in each lane. */
  readonly capacity: number
  /** The most weight of them, in the unit of the definition's `weigh`. */
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
  // With NaN every comparison is false, and the bound would be none.
  if (maxWeight !== undefined && !(typeof maxWeight === "number" && maxWeight >= 0))
    throw new RangeError(`maxWeight is a number from 0, not ${String(maxWeight)}`)
  if (overtakes !== undefined && !(Number.isSafeInteger(overtakes) && overtakes > 0))
    throw new RangeError(`overtakes is a whole number from 1, not ${overtakes}`)
  const unbounded = Number.POSITIVE_INFINITY
  return { kind, capacity, maxWeight: maxWeight ?? unbounded, overtakes: overtakes ?? unbounded }
}

/**
 * First in, first out; a full one refuses. Throws a RangeError where a bound is none: so do all of
 * these.
 */
export const fifo = (bounds: Bounds): MailboxSpec => bounded("fifo", bounds)

/**
 * Four lanes: priority across, first in first out within. With `overtakes`, the oldest message of a
 * lane is served after so many others went before it, so that nothing starves.
 */
export const lanes = (bounds: Bounds & { readonly overtakes?: number }): MailboxSpec =>
  bounded("lanes", bounds, bounds.overtakes)

/** The newest are what counts: a full one drops its oldest. */
export const sliding = (bounds: Bounds): MailboxSpec => bounded("sliding", bounds)

/** A feed that may lose some: a full one drops what comes. */
export const dropping = (bounds: Bounds): MailboxSpec => bounded("dropping", bounds)

/** Why a mailbox does not take a message. */
export type Refusal = "full" | "dropped"

/** The lane of a message that names none. */
const ordinary = laneOrder.indexOf("medium")

/** The messages of one actor. */
export class Mailbox<A extends object> {
  readonly spec: MailboxSpec
  /** What waits, by lane; a mailbox without lanes has one. Made when the first message comes. */
  readonly #waiting: Array<MutableList.MutableList<A> | undefined>
  /** What waits or is being handled, by lane. */
  readonly #held: Array<number>
  /** How many overtook the oldest of a lane. */
  readonly #overtaken: Array<number>
  #length = 0
  #weight = 0
  #servedLane = 0

  constructor(spec: MailboxSpec) {
    this.spec = spec
    const size = spec.kind === "lanes" ? laneOrder.length : 1
    this.#waiting = Array.from({ length: size }, () => undefined)
    this.#held = Array.from({ length: size }, () => 0)
    this.#overtaken = Array.from({ length: size }, () => 0)
  }

  /** What waits. */
  get length(): number {
    return this.#length
  }

  /** What the messages weigh that wait or are being handled. */
  get weight(): number {
    return this.#weight
  }

  /** What waits or is being handled in a lane. */
  heldIn(lane: Lane): number {
    return this.#held[this.#placeOf(lane)] ?? 0
  }

  /**
   * A lane that is none, as code without types may name one, is the ordinary one: no message gets
   * lost beside the lanes.
   */
  #placeOf(lane: Lane | undefined): number {
    if (this.spec.kind !== "lanes") return 0
    const place = lane === undefined ? ordinary : laneOrder.indexOf(lane)
    return place < 0 ? ordinary : place
  }

  /**
   * Why a message of this weight would not be taken now, or null. A sliding mailbox makes room
   * where there is any to make: beside what is being handled, which weighs `handling`.
   */
  refusal(weight: number, lane: Lane | undefined, handling = 0): Refusal | null {
    const { kind, maxWeight } = this.spec
    if (!this.isFull(weight, lane)) return null
    if (kind === "dropping") return "dropped"
    return kind === "sliding" && this.#length > 0 && handling + weight <= maxWeight ? null : "full"
  }

  /** Whether a message of this weight does not fit beside what is held. */
  isFull(weight: number, lane: Lane | undefined): boolean {
    const { capacity, maxWeight } = this.spec
    return (this.#held[this.#placeOf(lane)] ?? 0) >= capacity || this.#weight + weight > maxWeight
  }

  /** Takes a message in, whatever the bounds say: ask before. */
  append(item: A, weight: number, lane: Lane | undefined): void {
    const place = this.#placeOf(lane)
    MutableList.append(this.#waiting[place] ??= MutableList.make<A>(), item)
    this.#held[place] = (this.#held[place] ?? 0) + 1
    this.#length += 1
    this.#weight += weight
  }

  /** The next message, or undefined; it keeps its place until `release`. */
  take(): A | undefined {
    if (this.#length === 0) return undefined
    const place = this.spec.kind === "lanes" ? this.#nextLane() : 0
    const list = this.#waiting[place]
    const item = list === undefined ? MutableList.Empty : MutableList.take(list)
    if (item === MutableList.Empty) return undefined
    // An empty list keeps room for what it held: a hundred thousand idle actors would hold a
    // hundred megabytes of nothing.
    if (list?.length === 0) this.#waiting[place] = undefined
    this.#length -= 1
    this.#servedLane = place
    return item
  }

  /** Gives the place of the message taken last free. */
  release(weight: number): void {
    this.#held[this.#servedLane] = (this.#held[this.#servedLane] ?? 1) - 1
    this.#weight -= weight
  }

  /**
   * The lane to serve: the one whose oldest was overtaken most often, if often enough; otherwise
   * the first that has any.
   */
  #nextLane(): number {
    const { overtakes } = this.spec
    let first = -1
    let served = -1
    let most = overtakes
    for (let place = 0; place < laneOrder.length; place++) {
      if ((this.#waiting[place]?.length ?? 0) === 0) continue
      if (first < 0) first = place
      const overtaken = this.#overtaken[place] ?? 0
      if (overtaken >= most && (served < 0 || overtaken > most)) {
        served = place
        most = overtaken
      }
    }
    if (served < 0) served = first
    if (overtakes < Number.POSITIVE_INFINITY) {
      for (let place = 0; place < laneOrder.length; place++) {
        const waits = place !== served && (this.#waiting[place]?.length ?? 0) > 0
        this.#overtaken[place] = waits ? (this.#overtaken[place] ?? 0) + 1 : 0
      }
    }
    return served
  }
}
