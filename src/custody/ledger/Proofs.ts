/**
 * Makes proofs and roots from the tiles of a tree, wherever they are kept (spec/ledger.md,
 * "Proofs").
 *
 * Cost: at most one tile for each level and hash of a proof, each read once a call: for a million
 * leaves three to six of 8 KiB.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Hash } from "../../host/port/Hash.ts"
import { consistencyPath, hashBytes, inclusionPath, type Leaves, NodeHasher, nodesOf } from "./Merkle.ts"
import { nodeInTile, tileHeight, tileOf, type TilePlace } from "./Tiles.ts"

/**
 * A proof cannot be made: `range`, the tree has no such leaf, or is smaller than the one it is to
 * have grown out of; `tile`, a tile has not as many hashes as its place says.
 */
export class ProofError extends Schema.TaggedError<ProofError>()("ProofError", {
  reason: Schema.Literals(["range", "tile"]),
  message: Schema.String
}) {}

/** Reads the hashes of a tile: 32 bytes for each. */
export type ReadTile<E> = (tile: TilePlace) => Effect.Effect<Uint8Array, E>

/** A tree whose tiles can be read. */
export interface StoredTree<E> {
  readonly hash: Pick<Hash["Service"], "sha256Into">
  readonly size: number
  readonly readTile: ReadTile<E>
}

/** The roots of runs of leaves, each tile read once. */
const rootsOf = Effect.fnUntraced(function*<E>(tree: StoredTree<E>, runs: ReadonlyArray<Leaves>) {
  const hasher = new NodeHasher(tree.hash)
  const read = new Map<string, Uint8Array>()
  const roots: Array<Uint8Array> = []
  for (const run of runs) {
    const nodes: Array<Uint8Array> = []
    for (const place of nodesOf(run)) {
      const { at, tile } = tileOf(place, tree.size)
      const { level, number, width } = tile
      const hashes = read.get(`${level}/${number}`) ?? (yield* tree.readTile(tile))
      if (hashes.length !== width * hashBytes) {
        return yield* new ProofError({
          reason: "tile",
          message: `tile ${number} of level ${level} has ${hashes.length} bytes, not ${width * hashBytes}`
        })
      }
      read.set(`${level}/${number}`, hashes)
      nodes.push(nodeInTile(hasher, hashes, at, place.height % tileHeight))
    }
    roots.push(hasher.fold(nodes))
  }
  return roots
})

const isWhole = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

const range = (message: string) => Effect.fail(new ProofError({ reason: "range", message }))

/** The hashes that prove that the leaf at `index` is in the tree, from the leaf up. */
export const inclusionProof = <E>(
  tree: StoredTree<E>,
  index: number
): Effect.Effect<ReadonlyArray<Uint8Array>, E | ProofError> =>
  isWhole(index) && index < tree.size
    ? rootsOf(tree, inclusionPath(index, tree.size))
    : range(`a tree of ${tree.size} leaves has none at ${index}`)

/** The hashes that prove that the tree grew out of its first `from` leaves, at least one. */
export const consistencyProof = <E>(
  tree: StoredTree<E>,
  from: number
): Effect.Effect<ReadonlyArray<Uint8Array>, E | ProofError> =>
  isWhole(from) && from > 0 && from <= tree.size
    ? rootsOf(tree, from === tree.size ? [] : consistencyPath(from, tree.size))
    : range(`a tree of ${tree.size} leaves did not grow out of ${from}`)

/** The root of the tree, from its tiles. */
export const rootOfTree = <E>(tree: StoredTree<E>): Effect.Effect<Uint8Array, E | ProofError> =>
  Effect.map(
    rootsOf(tree, [{ start: 0, end: tree.size }]),
    ([root]) => root ?? new NodeHasher(tree.hash).empty()
  )
