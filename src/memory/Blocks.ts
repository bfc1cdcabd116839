/**
 * Blocks of memory for what is long, which are used again: memory that is fresh from the host costs
 * a fault for each page of it, which at 1 MiB is half as much as the hash of its content.
 *
 * A block is up to a quarter longer than what was asked for: there are four lengths for each power
 * of two, so that a block fits what comes next though no two contents are of one length.
 *
 * Promises to keep at most `maxKeptBytes` of blocks that nobody uses. Where there is no room,
 * blocks of the length that was asked for longest ago go first.
 *
 * Cost: O(1) a call, but for giving up blocks; there are four lengths for each power of two.
 *
 * **Gotchas**
 *
 * - A block comes as it was given: overwrite what was in it before you give it, and write all that
 *   you read.
 */

/** The most bytes of blocks that are kept for later. */
export const maxKeptBytes = 33_554_432

/** Lengths for each power of two. */
const steps = 4

type Block = Uint8Array<ArrayBuffer>

/** The length of the block for so many bytes, 1 or more. */
const capacityOf = (size: number): number => {
  const step = Math.max(1, 2 ** Math.floor(Math.log2(size)) / steps)
  return Math.ceil(size / step) * step
}

/** Blocks of one owner, who alone has references to them. */
export class Blocks {
  /** By length; the one that was asked for longest ago first. */
  readonly #free = new Map<number, Array<Block>>()
  #kept = 0

  /** Bytes of the blocks that are kept for later. */
  get kept(): number {
    return this.#kept
  }

  /** A block of at least `size` bytes, 1 or more. Throws where the host has no memory. */
  take(size: number): Block {
    const capacity = capacityOf(size)
    const free = this.#free.get(capacity) ?? []
    this.#free.delete(capacity)
    this.#free.set(capacity, free)
    const block = free.pop()
    if (block === undefined) return new Uint8Array(capacity)
    this.#kept -= capacity
    return block
  }

  /** Takes back a block that `take` gave, and that nobody refers to any more. */
  give(block: Block): void {
    const { length } = block
    const free = this.#free.get(length)
    if (free === undefined || length > maxKeptBytes) return
    for (const [capacity, blocks] of this.#free)
      while (this.#kept + length > maxKeptBytes && blocks.pop() !== undefined) this.#kept -= capacity
    free.push(block)
    this.#kept += length
  }
}
