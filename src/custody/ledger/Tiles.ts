/**
 * How a tree is cut into files for publishing: tiles of 256 hashes and bundles of 256 entries
 * (C2SP tlog-tiles; spec/ledger.md, "Tiles").
 *
 * A tile of level `l` has the nodes of height `8 l`; the one at the right edge has as many as the
 * tree gives it. Above them nothing is stored: who reads a tile computes its inner nodes.
 */
import { hashBytes, type NodeHasher, type NodePlace } from "./Merkle.ts"

/** The hashes of a full tile, and the levels of the tree that it stands for. */
export const tileHashes = 256
export const tileHeight = 8

/** A tile of a tree: of a level, at a place among those of the level, with so many hashes. */
export interface TilePlace {
  readonly level: number
  readonly number: number
  /** 1 to 256. */
  readonly width: number
}

/** The hashes of a level of tiles in a tree of a size. */
const levelHashes = (level: number, size: number): number => Math.floor(size / tileHashes ** level)

/** The tile of a tree of a size that has a node, and where in it the node's leftmost hash is. */
export const tileOf = (
  { height, index }: NodePlace,
  size: number
): { readonly tile: TilePlace; readonly at: number } => {
  const level = Math.floor(height / tileHeight)
  const first = index * 2 ** (height % tileHeight)
  const number = Math.floor(first / tileHashes)
  const width = Math.min(tileHashes, levelHashes(level, size) - number * tileHashes)
  return { tile: { level, number, width }, at: first - number * tileHashes }
}

/** The node of `2 ** levels` hashes of a tile, from the hash at `at` on. */
export const nodeInTile = (hasher: NodeHasher, hashes: Uint8Array, at: number, levels: number): Uint8Array => {
  if (levels === 0) return hashes.slice(at * hashBytes, (at + 1) * hashBytes)
  const half = 2 ** (levels - 1)
  return hasher.of(nodeInTile(hasher, hashes, at, levels - 1), nodeInTile(hasher, hashes, at + half, levels - 1))
}

/** The tiles of a tree of a size, level by level; with `from`, those that a smaller tree lacks. */
export function* tilesOf(size: number, from = 0): Generator<TilePlace> {
  for (let level = 0; levelHashes(level, size) > 0; level++) {
    const hashes = levelHashes(level, size)
    if (hashes === levelHashes(level, from)) continue
    for (let number = Math.floor(levelHashes(level, from) / tileHashes); number * tileHashes < hashes; number++)
      yield { level, number, width: Math.min(tileHashes, hashes - number * tileHashes) }
  }
}

/** `1234067` is `x001/x234/067`. */
const pathOfNumber = (number: number): string => {
  const digits = String(number)
  const parts = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/\d{3}/g) ?? []
  return parts.map((part, index) => index < parts.length - 1 ? `x${part}` : part).join("/")
}

const pathOf = (folder: string, number: number, width: number): string =>
  `tile/${folder}/${pathOfNumber(number)}${width < tileHashes ? `.p/${width}` : ""}`

/** The path of a tile below the place where a log is published. */
export const tilePath = ({ level, number, width }: TilePlace): string => pathOf(String(level), number, width)

/** The path of a bundle of entries. */
export const bundlePath = (number: number, width: number): string => pathOf("entries", number, width)

/** Entries behind one another, each behind its length in 16 bits, big-endian. */
export const encodeBundle = (entries: ReadonlyArray<Uint8Array>): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(entries.reduce((sum, { length }) => sum + 2 + length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const entry of entries) {
    view.setUint16(at, entry.length)
    bytes.set(entry, at + 2)
    at += 2 + entry.length
  }
  return bytes
}

/**
 * The entries of a bundle, as views of its bytes; null where it has more than 256 of them, or where
 * its bytes end within one. Never throws.
 */
export const decodeBundle = (bundle: Uint8Array): ReadonlyArray<Uint8Array> | null => {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength)
  const entries: Array<Uint8Array> = []
  let at = 0
  while (at < bundle.length) {
    if (entries.length === tileHashes || at + 2 > bundle.length) return null
    const end = at + 2 + view.getUint16(at)
    if (end > bundle.length) return null
    entries.push(bundle.subarray(at + 2, end))
    at = end
  }
  return entries
}
