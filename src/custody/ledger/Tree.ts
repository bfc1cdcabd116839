/**
 * A Merkle tree that grows by one leaf at a time and gives its tiles as they fill (spec/ledger.md,
 * "The tree").
 *
 * It keeps the right edge of the tree alone: one unfinished tile for each level, 25 KiB each, so
 * 75 KiB for sixteen million leaves. Each hash is written once, straight into the bytes that its
 * parent is the hash of: an append costs one hash of a node and little else, and allocates
 * nothing but what a full tile is given out in.
 *
 * **Gotchas**
 *
 * - A tree is all in memory. To go on after a restart give `resume` the unfinished tiles: those of
 *   level 0 are the hashes of the at most 255 entries behind the last full tile.
 */
import type { Hash } from "../../host/port/Hash.ts"
import { hashBytes, NodeHasher } from "./Merkle.ts"
import { tileHashes, tileHeight, type TilePlace } from "./Tiles.ts"

type Hasher = Pick<Hash["Service"], "sha256Into">

/** Told of each tile that became full. The hashes are the listener's to keep. */
export type OnTile = (tile: TilePlace, hashes: Uint8Array<ArrayBuffer>) => void

/** The bytes of a node: a byte 1, and the hashes of its two children. */
const nodeBytes = 1 + 2 * hashBytes

/** A node, with a view of the place of each child. */
class TileNode {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly children: readonly [left: Uint8Array<ArrayBuffer>, right: Uint8Array<ArrayBuffer>]

  constructor(memory: Uint8Array<ArrayBuffer>, at: number) {
    this.bytes = memory.subarray(at, at + nodeBytes)
    this.bytes[0] = 1
    const right = 1 + hashBytes
    this.children = [this.bytes.subarray(1, right), this.bytes.subarray(right)]
  }
}

/** The unfinished tile of one level. */
class GrowingTile {
  /** By height above the tile's hashes less one: 128 nodes over those, then 64, up to the one. */
  private readonly rows: ReadonlyArray<ReadonlyArray<TileNode>>
  private readonly hash: Hasher
  readonly root = new Uint8Array(hashBytes)
  count = 0

  constructor(hash: Hasher) {
    this.hash = hash
    const memory = new Uint8Array((tileHashes - 1) * nodeBytes)
    let next = 0
    this.rows = Array.from(
      { length: tileHeight },
      (_, row) => Array.from({ length: tileHashes >> (row + 1) }, () => new TileNode(memory, nodeBytes * next++))
    )
  }

  /** Adds a hash. True where the tile is full by it: then `root` is its node, and it is empty. */
  add(hash: Uint8Array): boolean {
    let place = this.count++
    this.nodeAt(0, place).children[place & 1]?.set(hash)
    for (let row = 0; (place & 1) === 1; row++) {
      const { bytes } = this.nodeAt(row, place)
      place >>= 1
      if (row === tileHeight - 1) {
        this.hash.sha256Into(bytes, this.root)
        this.count = 0
        return true
      }
      this.hash.sha256Into(bytes, this.nodeAt(row + 1, place).children[place & 1] ?? this.root)
    }
    return false
  }

  /** Its first hashes, in memory of their own. */
  hashes(count: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(count * hashBytes)
    for (let place = 0; place < count; place++)
      bytes.set(this.nodeAt(0, place).children[place & 1] ?? this.root, place * hashBytes)
    return bytes
  }

  /** The roots of the complete subtrees that it has so far, largest first. */
  peaks(): ReadonlyArray<Uint8Array> {
    const peaks: Array<Uint8Array> = []
    for (let row = tileHeight - 1; row >= 0; row--) {
      if (((this.count >> row) & 1) === 0) continue
      // Of this height it has an odd number of nodes; the last one waits for its sibling.
      peaks.push(this.nodeAt(row, (this.count >> row) - 1).children[0])
    }
    return peaks
  }

  /** The node over the hash at a place of a row. */
  private nodeAt(row: number, place: number): TileNode {
    const node = this.rows[row]?.[place >> 1]
    if (node === undefined) throw new RangeError(`a tile has no place ${place} in row ${row}`)
    return node
  }
}

/** A tree that grows. */
export class Tree {
  private readonly tiles: Array<GrowingTile> = []
  private readonly hash: Hasher
  private leaves = 0

  constructor(hash: Hasher) {
    this.hash = hash
  }

  /**
   * A tree of `size` leaves whose full tiles are kept elsewhere. `unfinished` gives the hashes of
   * the unfinished tile of a level, as many as the size says; it is not asked where there are none.
   */
  static resume(hash: Hasher, size: number, unfinished: (tile: TilePlace) => Uint8Array): Tree {
    const tree = new Tree(hash)
    for (let level = 0, rest = size; rest > 0; level++, rest = Math.floor(rest / tileHashes)) {
      const width = rest % tileHashes
      const tile = new GrowingTile(hash)
      const hashes = width === 0
        ? new Uint8Array(0)
        : unfinished({ level, number: Math.floor(rest / tileHashes), width })
      if (hashes.length !== width * hashBytes)
        throw new RangeError(`the tile of level ${level} has not ${width} hashes`)
      for (let at = 0; at < hashes.length; at += hashBytes) tile.add(hashes.subarray(at, at + hashBytes))
      tree.tiles.push(tile)
    }
    tree.leaves = size
    return tree
  }

  /** The number of leaves. */
  get size(): number {
    return this.leaves
  }

  /** Adds a leaf by its hash, and tells of each tile that is full by it. */
  append(leaf: Uint8Array, onTile?: OnTile): void {
    let number = Math.floor(this.leaves / tileHashes)
    let hash = leaf
    this.leaves += 1
    for (let level = 0;; level++) {
      const tile = this.tiles[level] ??= new GrowingTile(this.hash)
      if (!tile.add(hash)) return
      onTile?.({ level, number, width: tileHashes }, tile.hashes(tileHashes))
      hash = tile.root
      number = Math.floor(number / tileHashes)
    }
  }

  /** The unfinished tiles, with their hashes in memory of their own. */
  unfinished(): ReadonlyArray<readonly [tile: TilePlace, hashes: Uint8Array<ArrayBuffer>]> {
    return this.tiles.flatMap((tile, level) =>
      tile.count === 0 ? [] : [
        [
          { level, number: Math.floor(this.leaves / tileHashes ** (level + 1)), width: tile.count },
          tile.hashes(tile.count)
        ] as const
      ]
    )
  }

  /** The roots of the complete subtrees that the tree is made of, largest first, as copies. */
  peaks(): ReadonlyArray<Uint8Array> {
    return this.tiles.toReversed().flatMap((tile) => tile.peaks().map((peak) => peak.slice()))
  }

  /** The root over all leaves. O(log size). */
  root(): Uint8Array {
    return new NodeHasher(this.hash).fold(this.peaks())
  }
}

/** The node over a full tile. */
export const rootOfTile = (hash: Hasher, hashes: Uint8Array): Uint8Array => {
  if (hashes.length !== tileHashes * hashBytes) throw new RangeError(`a full tile has ${tileHashes} hashes`)
  const tile = new GrowingTile(hash)
  for (let at = 0; at < hashes.length; at += hashBytes) tile.add(hashes.subarray(at, at + hashBytes))
  return tile.root
}
