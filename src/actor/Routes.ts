/**
 * Routes: which worker of a pool gets a message. Plain data structures over the numbers of the
 * workers, from 0.
 *
 * | route | who gets the message | cost |
 * | --- | --- | --- |
 * | `RoundRobin` | the ready workers, each in its turn | O(1) |
 * | `LeastBusy` | the ready worker with the fewest pending messages | O(log workers), also for a change |
 * | `ByKey` | the worker of the message's key, ready or not | O(length of the key) |
 *
 * Of several that are the least busy, the one that was chosen the longest ago is next.
 *
 * A worker is ready while it has an incarnation. Where none is ready, `RoundRobin` and `LeastBusy`
 * take all workers in turn.
 */

/** Chooses among workers. */
export interface Route<M> {
  readonly choose: (message: M) => number
  /** Whether a worker has an incarnation. All have one at first. O(log workers). */
  readonly setReady: (worker: number, isReady: boolean) => void
  /** How many messages are pending at a worker. Set if the route needs to know. */
  readonly setPending?: (worker: number, pending: number) => void
}

/** Workers in some order, each of which can be taken out and put back. */
class Ring {
  readonly #order: Array<number>
  readonly #places: Array<number>
  #next = 0

  constructor(size: number) {
    this.#order = Array.from({ length: size }, (_, worker) => worker)
    this.#places = [...this.#order]
  }
  /** Undefined if there is none. */
  next(): number | undefined {
    if (this.#next >= this.#order.length) this.#next = 0
    return this.#order[this.#next++]
  }
  add(worker: number): void {
    if (this.#has(worker)) return
    this.#places[worker] = this.#order.length
    this.#order.push(worker)
  }
  remove(worker: number): void {
    if (!this.#has(worker)) return
    const last = this.#order.pop() ?? worker
    const place = this.#places[worker] ?? 0
    this.#places[worker] = -1
    if (last === worker) return
    this.#order[place] = last
    this.#places[last] = place
  }
  #has(worker: number): boolean {
    return (this.#places[worker] ?? -1) >= 0
  }
}

export class RoundRobin implements Route<unknown> {
  readonly #ready: Ring
  readonly #all: Ring

  constructor(size: number) {
    this.#ready = new Ring(size)
    this.#all = new Ring(size)
  }
  readonly choose = (): number => this.#ready.next() ?? this.#all.next() ?? 0
  readonly setReady = (worker: number, isReady: boolean): void => {
    if (isReady) this.#ready.add(worker)
    else this.#ready.remove(worker)
  }
}

/** A binary heap of the ready workers, the least busy one first. */
export class LeastBusy implements Route<unknown> {
  readonly #heap: Array<number>
  /** The place in the heap, or -1, by worker. */
  readonly #places: Array<number>
  readonly #pending: Array<number>
  /** The number of the choice in which a worker was last chosen. */
  readonly #chosen: Array<number>
  readonly #all: Ring
  #choices = 0

  constructor(size: number) {
    this.#heap = Array.from({ length: size }, (_, worker) => worker)
    this.#places = [...this.#heap]
    this.#pending = this.#heap.map(() => 0)
    this.#chosen = this.#heap.map((worker) => worker - size)
    this.#all = new Ring(size)
  }
  readonly choose = (): number => {
    const worker = this.#heap[0]
    if (worker === undefined) return this.#all.next() ?? 0
    this.#chosen[worker] = this.#choices++
    this.#sink(0)
    return worker
  }
  readonly setPending = (worker: number, pending: number): void => {
    this.#pending[worker] = pending
    this.#settle(worker)
  }
  readonly setReady = (worker: number, isReady: boolean): void => {
    const place = this.#placeOf(worker)
    if (isReady === place >= 0) return
    if (isReady) {
      this.#put(worker, this.#heap.length)
      return this.#settle(worker)
    }
    const last = this.#heap.pop() ?? worker
    this.#places[worker] = -1
    if (last === worker) return
    this.#put(last, place)
    this.#settle(last)
  }

  #settle(worker: number): void {
    const place = this.#placeOf(worker)
    if (place < 0) return
    this.#rise(place)
    this.#sink(this.#placeOf(worker))
  }
  #placeOf(worker: number): number {
    return this.#places[worker] ?? -1
  }
  #put(worker: number, place: number): void {
    this.#heap[place] = worker
    this.#places[worker] = place
  }
  #isBefore(one: number, other: number): boolean {
    const difference = (this.#pending[one] ?? 0) - (this.#pending[other] ?? 0)
    return difference === 0 ? (this.#chosen[one] ?? 0) < (this.#chosen[other] ?? 0) : difference < 0
  }
  #rise(from: number): void {
    const worker = this.#heap[from]
    if (worker === undefined) return
    let place = from
    while (place > 0) {
      const above = (place - 1) >> 1
      const parent = this.#heap[above]
      if (parent === undefined || !this.#isBefore(worker, parent)) break
      this.#put(parent, place)
      place = above
    }
    this.#put(worker, place)
  }
  #sink(from: number): void {
    const worker = this.#heap[from]
    if (worker === undefined) return
    let place = from
    for (;;) {
      const left = this.#heap[2 * place + 1]
      const right = this.#heap[2 * place + 2]
      if (left === undefined) break
      const isRight = right !== undefined && this.#isBefore(right, left)
      const lesser = isRight ? right : left
      if (!this.#isBefore(lesser, worker)) break
      this.#put(lesser, place)
      place = 2 * place + (isRight ? 2 : 1)
    }
    this.#put(worker, place)
  }
}

/** The same key is the same worker, as long as the pool lives. */
export class ByKey<M> implements Route<M> {
  readonly #size: number
  readonly #keyOf: (message: M) => string | number
  readonly #seed: number

  /** Without the seed nobody can choose keys that all have the same worker. */
  constructor(size: number, keyOf: (message: M) => string | number, seed: number) {
    this.#size = size
    this.#keyOf = keyOf
    this.#seed = seed
  }
  readonly choose = (message: M): number => hashOf(this.#textOf(message), this.#seed) % this.#size
  readonly setReady = (): void => undefined
  /** A key that cannot be had counts as the empty one: the message goes somewhere. */
  #textOf(message: M): string {
    try {
      return String(this.#keyOf(message))
    } catch {
      return ""
    }
  }
}

/**
 * A hash of 32 bits: FNV-1a from a seed, with the finish of MurmurHash3, as FNV's low bits are
 * weak.
 */
const hashOf = (text: string, seed: number): number => {
  let hash = seed ^ 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
