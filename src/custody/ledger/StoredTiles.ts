/**
 * The tiles of a tree where only the full ones are stored: those at the right edge are made of the
 * entries and tiles below them.
 */
import * as Effect from "effect/Effect"
import type { Hash } from "../../host/port/Hash.ts"
import { LeafHasher } from "./LeafHash.ts"
import type { LedgerReader } from "./LedgerReader.ts"
import { hashBytes } from "./Merkle.ts"
import type { ReadTile } from "./Proofs.ts"
import { tileHashes } from "./Tiles.ts"
import { rootOfTile } from "./Tree.ts"

/**
 * Reads tiles of any width. `fullTile` gives the 256 hashes of a full one, or nothing where it is
 * missing: what is made of it is then empty too. A tile at the right edge costs at most 255 hashes
 * of entries or 255 full tiles.
 */
export const tilesOverRows = <E>(
  hash: Pick<Hash["Service"], "sha256Into">,
  reader: Pick<LedgerReader<E>, "rows">,
  fullTile: (level: number, number: number) => Effect.Effect<Uint8Array | null, E>
): ReadTile<E> =>
  Effect.fnUntraced(function*({ level, number, width }) {
    const first = number * tileHashes
    if (width === tileHashes) return (yield* fullTile(level, number)) ?? new Uint8Array()
    const hashes = new Uint8Array(width * hashBytes)
    if (level === 0) {
      const leaves = new LeafHasher(hash)
      const rows = yield* reader.rows(first, width)
      const isWhole = rows.every(({ body, sequence }, at) =>
        sequence === first + at && leaves.ofText(body, hashes.subarray(at * hashBytes, (at + 1) * hashBytes)) >= 0
      )
      return isWhole && rows.length === width ? hashes : new Uint8Array()
    }
    for (let at = 0; at < width; at++) {
      const below = yield* fullTile(level - 1, first + at)
      if (below?.length !== tileHashes * hashBytes) return new Uint8Array()
      hashes.set(rootOfTile(hash, below), at * hashBytes)
    }
    return hashes
  })
