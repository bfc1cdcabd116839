/**
 * The tree over the entries of a database, as the writer's thread keeps it and as a start finds it.
 *
 * After a restart it comes of the full tiles in the database and the at most 255 entries behind
 * them: no other entry is read or hashed again.
 */
import type { Hash } from "../../host/port/Hash.ts"
import { LeafHasher } from "../ledger/LeafHash.ts"
import { hashBytes } from "../ledger/Merkle.ts"
import { tileHashes, type TilePlace } from "../ledger/Tiles.ts"
import { type OnTile, rootOfTile, Tree } from "../ledger/Tree.ts"
import { arraysOf, type DatabaseSync, numberOf } from "./Sqlite.ts"

/** The part of the host's hash that a tree needs. */
export type TreeHash = Pick<Hash["Service"], "sha256Into">

/** What is stored is not what a ledger of this size has. */
export class DamagedStore extends Error {}

/** A tree that is given texts. */
export class LedgerTree {
  /** The hash of the last entry; zeros where there is none. */
  readonly last: Uint8Array<ArrayBuffer>
  readonly #tree: Tree
  readonly #leaves: LeafHasher

  constructor(hash: TreeHash, tree: Tree, last = new Uint8Array(hashBytes)) {
    this.#leaves = new LeafHasher(hash)
    this.#tree = tree
    this.last = last
  }

  /** Entries in it. */
  get size(): number {
    return this.#tree.size
  }

  /** Adds an entry, and tells of each tile that is full by it. */
  append(text: string, onTile: OnTile): void {
    if (this.#leaves.ofText(text, this.last) < 0) throw new DamagedStore(`entry ${this.size} is too long`)
    this.#tree.append(this.last, onTile)
  }

  root(): Uint8Array {
    return this.#tree.root()
  }
}

/** How many entries a database has, with those that are in archives. */
export const sizeOf = (db: DatabaseSync): number =>
  numberOf(db, "SELECT coalesce((SELECT max(sequence) + 1 FROM entries), (SELECT size FROM archived))")

/**
 * The tree over the first `size` entries. Hashes the at most 255 texts behind the last full tile,
 * and of each level above the tiles that have no parent yet: at most 255, in 20 ms. Throws a
 * DamagedStore where something is missing.
 */
export const treeAt = (hash: TreeHash, db: DatabaseSync, size: number): LedgerTree => {
  const leaves = new LeafHasher(hash)
  const tileOf = arraysOf(db.prepare("SELECT hashes FROM tiles WHERE level = ? AND number = ?"))
  const read = (level: number, number: number): Uint8Array<ArrayBuffer> => {
    const [hashes] = (tileOf.get(level, number) ?? []) as unknown as readonly [Uint8Array<ArrayBuffer>?]
    if (hashes?.length !== tileHashes * hashBytes) throw new DamagedStore(`tile ${number} of level ${level} is missing`)
    return hashes
  }
  const unfinished = ({ level, number, width }: TilePlace): Uint8Array => {
    const hashes = new Uint8Array(width * hashBytes)
    const first = number * tileHashes
    for (let at = 0; at < width; at++) {
      const target = hashes.subarray(at * hashBytes, (at + 1) * hashBytes)
      if (level === 0) leaves.ofText(texts[at] ?? "", target)
      else target.set(rootOfTile(hash, read(level - 1, first + at)))
    }
    return hashes
  }
  const full = size - size % tileHashes
  const texts = textsOf(db, full, size)
  const tree = Tree.resume(hash, size, unfinished)
  const last = new Uint8Array(hashBytes)
  if (size > full) leaves.ofText(texts.at(-1) ?? "", last)
  else if (full > 0) last.set(read(0, full / tileHashes - 1).subarray(-hashBytes))
  return new LedgerTree(hash, tree, last)
}

/** The texts of a run of at most 255 entries, none missing. */
const textsOf = (db: DatabaseSync, from: number, to: number): ReadonlyArray<string> => {
  const query = "SELECT body FROM entries WHERE sequence >= ? AND sequence < ? ORDER BY sequence"
  const rows = arraysOf(db.prepare(query)).all(from, to) as unknown as ReadonlyArray<readonly [string]>
  if (rows.length < to - from) throw new DamagedStore(`of the entries from ${from} to ${to} some are missing`)
  return rows.map(([body]) => body)
}
