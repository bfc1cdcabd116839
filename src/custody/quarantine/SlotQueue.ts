/**
 * Slots in the order in which they came, each with the generation that it had then and a weight: a
 * ring that doubles when it is full.
 */

const initialLength = 64
/** Numbers of one slot in the ring. */
const rowLength = 3

/** First in, first out. */
export class SlotQueue {
  #ring = new Int32Array(rowLength * initialLength)
  #first = 0
  /** One less than the rows of the ring, which are a power of two. */
  #mask = initialLength - 1
  length = 0

  /** The first slot, its generation and its weight; of an empty queue none of them. */
  get slot(): number {
    return this.#ring[rowLength * this.#first] ?? 0
  }

  get generation(): number {
    return this.#ring[rowLength * this.#first + 1] ?? 0
  }

  get weight(): number {
    return this.#ring[rowLength * this.#first + 2] ?? 0
  }

  push(slot: number, generation: number, weight: number): void {
    if (this.length > this.#mask) this.#double()
    const at = rowLength * ((this.#first + this.length) & this.#mask)
    this.#ring[at] = slot
    this.#ring[at + 1] = generation
    this.#ring[at + 2] = weight
    this.length += 1
  }

  /** Drops the first one. */
  shift(): void {
    this.#first = (this.#first + 1) & this.#mask
    this.length -= 1
  }

  #double(): void {
    const old = this.#ring
    const at = rowLength * this.#first
    this.#ring = new Int32Array(2 * old.length)
    this.#ring.set(old.subarray(at))
    this.#ring.set(old.subarray(0, at), old.length - at)
    this.#mask = 2 * this.#mask + 1
    this.#first = 0
  }
}
