/**
 * The Merkle tree of RFC 6962 as arithmetic: its nodes, its root, and both kinds of proof
 * (spec/ledger.md, "The tree").
 *
 * Hashes are 32 bytes each. A complete subtree of 2^h leaves is a node, named by its height `h` and
 * its place among the nodes of that height; the root of any other run of leaves folds nodes.
 *
 * **Gotchas**
 *
 * - Sizes go up to 2^53 - 1, so no shift of 32 bits is used on them.
 */
import type { Hash } from "../../host/port/Hash.ts"

export const hashBytes = 32

/** RFC 6962 2.1: what is hashed in front of two children. */
const nodePrefix = 0x01

/** A run of leaves: from `start`, up to `end` without it. */
export interface Leaves {
  readonly start: number
  readonly end: number
}

/** A complete subtree. */
export interface NodePlace {
  /** 0 for a leaf. */
  readonly height: number
  readonly index: number
}

/** Hashes nodes. */
export class NodeHasher {
  private readonly bytes = Uint8Array.of(nodePrefix, ...new Uint8Array(2 * hashBytes))
  private readonly hash: Pick<Hash["Service"], "sha256Into">

  constructor(hash: Pick<Hash["Service"], "sha256Into">) {
    this.hash = hash
  }

  /** The hash of a node over two others: 32 bytes in memory of their own. */
  of(left: Uint8Array, right: Uint8Array): Uint8Array<ArrayBuffer> {
    this.bytes.set(left, 1)
    this.bytes.set(right, 1 + hashBytes)
    const target = new Uint8Array(hashBytes)
    this.hash.sha256Into(this.bytes, target)
    return target
  }

  /** The root of no leaves: the hash of nothing. */
  empty(): Uint8Array<ArrayBuffer> {
    const target = new Uint8Array(hashBytes)
    this.hash.sha256Into(new Uint8Array(0), target)
    return target
  }

  /** The root over nodes that follow one another, largest first; that of no leaves for none. */
  fold(nodes: ReadonlyArray<Uint8Array>): Uint8Array {
    const last = nodes.at(-1)
    return last === undefined
      ? this.empty()
      : nodes.slice(0, -1).reduceRight((right, left) => this.of(left, right), last)
  }
}

/** The largest power of two below a number from 2 on. */
const splitOf = (count: number): number => {
  let split = 1
  while (split * 2 < count) split *= 2
  return split
}

/** The complete subtrees that a run of leaves of one tree is made of, largest first. */
export const nodesOf = ({ end, start }: Leaves): ReadonlyArray<NodePlace> => {
  const places: Array<NodePlace> = []
  let from = start
  while (from < end) {
    let height = 0
    let width = 1
    while (width * 2 <= end - from) {
      height += 1
      width *= 2
    }
    places.push({ height, index: from / width })
    from += width
  }
  return places
}

/**
 * RFC 6962 2.1.1: the runs of leaves whose roots prove that a leaf is in a tree, from the leaf up.
 * `index` is below `size`.
 */
export const inclusionPath = (index: number, size: number): ReadonlyArray<Leaves> => {
  const path: Array<Leaves> = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + splitOf(end - start)
    if (index < middle) {
      path.push({ start: middle, end })
      end = middle
    } else {
      path.push({ start, end: middle })
      start = middle
    }
  }
  return path.toReversed()
}

/**
 * RFC 6962 2.1.2: the runs of leaves whose roots prove that a tree grew out of a smaller one.
 * `0 < from <= to`.
 */
export const consistencyPath = (from: number, to: number): ReadonlyArray<Leaves> => {
  const path: Array<Leaves> = []
  let start = 0
  let end = to
  while (from < end) {
    const middle = start + splitOf(end - start)
    if (from <= middle) {
      path.push({ start: middle, end })
      end = middle
    } else {
      path.push({ start, end: middle })
      start = middle
    }
  }
  // What is left is the end of the smaller tree. Where it is all of it, its root is known.
  if (start > 0) path.push({ start, end })
  return path.toReversed()
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0
const isOdd = (value: number): boolean => value % 2 === 1

const areHashes = (hashes: ReadonlyArray<Uint8Array>): boolean => hashes.every(({ length }) => length === hashBytes)

/** The way from a leaf up to the root: RFC 9162's fn and sn, and the shifts of both. */
class Climb {
  private at: number
  private last: number

  /** Begins at a leaf of a tree of so many leaves, at least one. */
  constructor(index: number, size: number) {
    this.at = index
    this.last = size - 1
  }

  get isAtRoot(): boolean {
    return this.last === 0
  }

  /** Whether there is no node to the left. */
  get isFirst(): boolean {
    return this.at === 0
  }

  /** Goes up from a node that is the right one of two, as often as there is such a node. */
  skipRight(): void {
    while (isOdd(this.at)) this.up()
  }

  /** Takes a sibling, and goes up over it. True where the sibling is the left one. */
  over(): boolean {
    const isRight = isOdd(this.at) || this.at === this.last
    // A node without a sibling is its own parent.
    if (isRight) {
      while (!isOdd(this.at) && this.at !== 0) this.up()
    }
    this.up()
    return isRight
  }

  private up(): void {
    this.at = Math.floor(this.at / 2)
    this.last = Math.floor(this.last / 2)
  }
}

/** The part of the host's Hash that checking a proof needs. */
export type ProofHash = Pick<Hash["Service"], "sha256Into" | "timingSafeEqual">

/**
 * Whether the proof shows that the leaf is in the tree of this root (RFC 9162 2.1.3.2). Never
 * throws, whatever it is given. O(log size).
 */
export const provesInclusion = (
  hash: ProofHash,
  { index, leaf, proof, root, size }: {
    readonly index: number
    readonly size: number
    readonly leaf: Uint8Array
    readonly proof: ReadonlyArray<Uint8Array>
    readonly root: Uint8Array
  }
): boolean => {
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes([leaf, root, ...proof])) return false
  const hasher = new NodeHasher(hash)
  const climb = new Climb(index, size)
  let node = leaf
  for (const sibling of proof) {
    if (climb.isAtRoot) return false
    node = climb.over() ? hasher.of(sibling, node) : hasher.of(node, sibling)
  }
  return climb.isAtRoot && hash.timingSafeEqual(node, root)
}

/**
 * Whether the proof shows that the first `from` leaves of the tree of root `newRoot` are those of
 * the tree of root `oldRoot` (RFC 9162 2.1.4.2). False where the smaller tree is empty: that proves
 * nothing. Never throws, whatever it is given. O(log to).
 */
export const provesConsistency = (
  hash: ProofHash,
  { from, newRoot, oldRoot, proof, to }: {
    readonly from: number
    readonly to: number
    readonly oldRoot: Uint8Array
    readonly newRoot: Uint8Array
    readonly proof: ReadonlyArray<Uint8Array>
  }
): boolean => {
  if (!isCount(from) || !isCount(to) || from === 0 || from > to) return false
  if (!areHashes([oldRoot, newRoot, ...proof])) return false
  if (from === to) return proof.length === 0 && hash.timingSafeEqual(oldRoot, newRoot)
  const hasher = new NodeHasher(hash)
  const climb = new Climb(from - 1, to)
  climb.skipRight()
  // Where the smaller tree is one node, its root is the first of the path.
  const [first, ...rest] = climb.isFirst ? [oldRoot, ...proof] : proof
  if (first === undefined) return false
  let older = first
  let newer = first
  for (const sibling of rest) {
    if (climb.isAtRoot) return false
    if (climb.over()) {
      older = hasher.of(sibling, older)
      newer = hasher.of(sibling, newer)
    } else newer = hasher.of(newer, sibling)
  }
  return climb.isAtRoot && hash.timingSafeEqual(older, oldRoot) && hash.timingSafeEqual(newer, newRoot)
}
