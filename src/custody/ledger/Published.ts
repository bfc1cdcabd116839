/**
 * A ledger as files that are published or handed over: the layout of C2SP tlog-tiles
 * (spec/ledger.md, "Tiles"). Where the files are is the caller's.
 *
 * **Gotchas**
 *
 * - What is published is what one checkpoint signs. Entries behind it stay out.
 * - Of a published ledger nothing is checked while it is read; `verifyLedger` does that.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Hash } from "../../host/port/Hash.ts"
import { parseCheckpoint, type TreeHead } from "./CheckpointText.ts"
import { LeafHasher } from "./LeafHash.ts"
import type { LedgerReader, LedgerRow } from "./LedgerReader.ts"
import { hashBytes } from "./Merkle.ts"
import type { ReadTile } from "./Proofs.ts"
import { bundlePath, decodeBundle, encodeBundle, tileHashes, tilePath, type TilePlace } from "./Tiles.ts"
import { Tree } from "./Tree.ts"

const utf8 = new TextEncoder()
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** The text of bytes, or one that is neither an entry nor a note where they are no UTF-8. */
const textOf = (bytes: Uint8Array): string => {
  try {
    return strict.decode(bytes)
  } catch {
    return ""
  }
}

/** The path of the newest checkpoint. */
const checkpointPath = "checkpoint"

/** What a note says that it signs, or null. Nothing is checked: `openCheckpoint` does that. */
export const claimOf = (note: string): TreeHead | null => {
  const split = note.indexOf("\n\n")
  return split < 0 ? null : parseCheckpoint(note.slice(0, split + 1))
}

/** The ledger cannot be published: its entries are not those that the checkpoint signs. */
export class PublishError extends Schema.TaggedError<PublishError>()("PublishError", { message: Schema.String }) {}

export interface Publishing<E, W, R> {
  readonly hash: Pick<Hash["Service"], "sha256Into" | "timingSafeEqual">
  readonly reader: Pick<LedgerReader<E>, "rows">
  /** The signed checkpoint to publish. It is not opened. */
  readonly note: string
  /** Takes a file: a path with `/` between its parts. The checkpoint comes last. */
  readonly write: (path: string, bytes: Uint8Array) => Effect.Effect<void, W, R>
}

/**
 * Writes the files of a ledger as its checkpoint signs it, and gives what that says. Reads each
 * entry once, 256 at a time. Fails, without a checkpoint written, where the entries are others.
 */
export const publishLedger = Effect.fnUntraced(function*<E, W, R>(
  { hash, note, reader, write }: Publishing<E, W, R>
): Effect.fn.Return<TreeHead, E | W | PublishError, R> {
  const head = claimOf(note)
  if (head === null) return yield* new PublishError({ message: "the note is no checkpoint" })
  const tree = new Tree(hash)
  const leaves = new LeafHasher(hash)
  const leaf = new Uint8Array(hashBytes)
  while (tree.size < head.size) {
    const first = tree.size
    const rows = yield* reader.rows(first, Math.min(tileHashes, head.size - first))
    const full: Array<readonly [TilePlace, Uint8Array]> = []
    for (const { body, sequence } of rows) {
      if (sequence !== tree.size || leaves.ofText(body, leaf) < 0) break
      tree.append(leaf, (place, hashes) => full.push([place, hashes]))
    }
    if (tree.size < first + Math.max(1, rows.length))
      return yield* new PublishError({ message: `entry ${tree.size} is missing or too long` })
    yield* write(
      bundlePath(Math.floor(first / tileHashes), rows.length),
      encodeBundle(rows.map(({ body }) => utf8.encode(body)))
    )
    yield* Effect.forEach(full, ([place, hashes]) => write(tilePath(place), hashes), { discard: true })
  }
  yield* Effect.forEach(tree.unfinished(), ([place, hashes]) => write(tilePath(place), hashes), { discard: true })
  if (!hash.timingSafeEqual(tree.root(), head.root))
    return yield* new PublishError({ message: `the entries are not those that the checkpoint of ${head.size} signs` })
  yield* write(checkpointPath, utf8.encode(note))
  return head
})

/** A published ledger. */
export interface PublishedLedger<E> extends LedgerReader<E> {
  readonly note: string
  /** A file that is missing is empty. */
  readonly readTile: ReadTile<E>
}

/**
 * Reads a published ledger; null where there is no checkpoint. `read` gives a file, or null where
 * there is none, and bounds what it reads: a bundle has at most 16 MiB, and all other files 64 KiB.
 */
export const publishedLedger = Effect.fnUntraced(function*<E>(
  read: (path: string) => Effect.Effect<Uint8Array | null, E>
): Effect.fn.Return<PublishedLedger<E> | null, E> {
  const bytes = yield* read(checkpointPath)
  if (bytes === null) return null
  const note = textOf(bytes)
  const size = claimOf(note)?.size ?? 0
  return {
    note,
    checkpoints: (after) => Effect.succeed(after < size || after < 0 ? [{ size, note }] : []),
    readTile: (place) => Effect.map(read(tilePath(place)), (hashes) => hashes ?? new Uint8Array()),
    rows: (from, limit) => {
      if (from >= size) return Effect.succeed([])
      const number = Math.floor(from / tileHashes)
      const first = number * tileHashes
      const width = Math.min(tileHashes, size - first)
      return Effect.map(
        read(bundlePath(number, width)),
        (bundle) => bundle === null ? [] : rowsOf(bundle, first, width, from).slice(from - first, from - first + limit)
      )
    }
  }
})

/** The rows of a bundle, with one that is no entry behind a bundle that is none or too long. */
const rowsOf = (bundle: Uint8Array, first: number, width: number, from: number): ReadonlyArray<LedgerRow> => {
  const entries = decodeBundle(bundle)
  const bad = (sequence: number): LedgerRow => ({ sequence, body: "" })
  if (entries === null) return Array.from({ length: from - first + 1 }, (_, at) => bad(first + at))
  const rows = entries.slice(0, width).map((entry, at) => ({ sequence: first + at, body: textOf(entry) }))
  // An entry too many is at no place of its own: it stands in that of the last one.
  return entries.length > width ? [...rows.slice(0, -1), bad(first + width - 1)] : rows
}
