/** Trees that grew, with the tiles that they gave, by their paths. */
import { tilePath } from "../../../src/custody/ledger/Tiles.ts"
import { Tree } from "../../../src/custody/ledger/Tree.ts"
import { hash } from "../audit/entries.ts"

export interface Grown {
  readonly tree: Tree
  /** Full ones, and those at the right edge. */
  readonly tiles: ReadonlyMap<string, Uint8Array>
}

export const grown = (leaves: Iterable<Uint8Array>): Grown => {
  const tree = new Tree(hash)
  const tiles = new Map<string, Uint8Array>()
  for (const leaf of leaves) tree.append(leaf, (place, hashes) => tiles.set(tilePath(place), hashes))
  for (const [place, hashes] of tree.unfinished()) tiles.set(tilePath(place), hashes)
  return { tree, tiles }
}
