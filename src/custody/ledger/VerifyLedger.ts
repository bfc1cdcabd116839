/**
 * Verifies a ledger from its stored entries, its checkpoints and its keys alone (spec/ledger.md,
 * "Verifying a ledger"; CONFORMANCE SYS L8).
 *
 * It streams: 256 entries at a time, in memory that does not grow with the ledger, one leaf's hash
 * and one node's for each entry. It stops at the first entry that is bad and says why. Whatever the
 * reader gives, it does not throw; what the reader fails with is the caller's.
 *
 * **Gotchas**
 *
 * - Entries behind the last checkpoint are chained and not signed: `signed` says where that begins.
 * - Without a checkpoint from elsewhere nobody can tell that entries and checkpoints behind the
 *   last one are missing.
 * - Which entry was changed is a conclusion from what fits together. That one was, is certain.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { hexOf } from "../../domain/Digest.ts"
import type { Ed25519, Ed25519Error } from "../../host/port/Ed25519.ts"
import { Hash } from "../../host/port/Hash.ts"
import { parseEntry } from "./Entry.ts"
import { CustodyEntries } from "./EntryLinks.ts"
import { KnownCheckpoints, openCheckpoint, type Opened } from "./KnownCheckpoints.ts"
import { LeafHasher } from "./LeafHash.ts"
import type { LedgerReader, LedgerRow } from "./LedgerReader.ts"
import { hashBytes } from "./Merkle.ts"
import type { VerifierKey } from "./NoteKeys.ts"
import { tileHashes, type TilePlace } from "./Tiles.ts"
import { type OnTile, Tree } from "./Tree.ts"

/**
 * What is wrong with a ledger. `edited`, `deleted`, `inserted`, `reordered`: that was done to an
 * entry. `truncated`: a checkpoint says that there were more entries. `forked`: all hashes fit, and
 * yet the entries are not those that a checkpoint signed. `checkpoint`: one was changed.
 * `wrong_key`: no known key signed one. `tile`: stored hashes are not those of the entries.
 */
export type LedgerFault =
  | "edited"
  | "deleted"
  | "inserted"
  | "reordered"
  | "truncated"
  | "forked"
  | "checkpoint"
  | "wrong_key"
  | "tile"

export interface LedgerFinding {
  readonly fault: LedgerFault
  /**
   * The first bad entry; of a checkpoint its size; where a fork can begin, if that is all known.
   */
  readonly sequence: number
  /** The same in words. Nothing of an entry's text is in it. */
  readonly message: string
}

export interface LedgerReport {
  /** The first thing that is wrong, or null. */
  readonly finding: LedgerFinding | null
  /** Entries before the first that is bad; all where none is. */
  readonly entries: number
  /**
   * The hash of the last entry and the root over all, where nothing is wrong; else they say
   * nothing.
   */
  readonly head: string
  /** 32 bytes. */
  readonly root: Uint8Array
  /** So many entries are under a checkpoint that holds. */
  readonly signed: number
  /** Checkpoints that hold. */
  readonly checkpoints: number
}

export interface LedgerVerification<E, R = never> {
  readonly reader: LedgerReader<E>
  readonly keys: ReadonlyArray<VerifierKey>
  /** Notes of checkpoints that the verifier has from elsewhere. */
  readonly known?: ReadonlyArray<string>
  /**
   * The hashes of a stored tile, to be compared with those of the entries: empty where it is
   * missing, null where tiles of its width are not stored.
   */
  readonly readTile?: (tile: TilePlace) => Effect.Effect<Uint8Array | null, E>
  /** Called after each 256 entries with the number of those that hold so far. */
  readonly progress?: (entries: number) => Effect.Effect<void, never, R>
}

/** Entries that are read at a time. */
const batch = 256

const finding = (fault: LedgerFault, sequence: number, message: string): LedgerFinding => ({ fault, sequence, message })

/** Verifies the ledger from its first entry to its last. O(entries). */
export const verifyLedger = Effect.fnUntraced(function*<E, R = never>(
  { keys, known = [], progress = () => Effect.void, reader, readTile }: LedgerVerification<E, R>
): Effect.fn.Return<LedgerReport, E | Ed25519Error, Ed25519 | Hash | R> {
  const elsewhere: Array<Opened> = []
  for (const note of known) {
    const result = yield* openCheckpoint(note, keys)
    // One that does not open says nothing of the ledger, so it comes before all entries.
    elsewhere.push({ size: Result.isSuccess(result) ? result.success.size : -1, result })
  }
  const run = new Run(yield* Hash, reader, new KnownCheckpoints(reader, keys, elsewhere), readTile)
  let found = yield* run.checkpoints()
  while (found === null) {
    const rows = yield* reader.rows(run.size, batch)
    if (rows.length === 0) {
      found = (yield* run.end()) ?? (yield* run.edge())
      break
    }
    found = (yield* run.entries(rows)) ?? (yield* run.tiles())
    yield* progress(run.size)
  }
  return run.report(found)
})

/** A verification on its way. */
class Run<E> {
  private readonly reader: LedgerReader<E>
  private readonly known: KnownCheckpoints<E>
  private readonly leaves: LeafHasher
  private readonly hash: Hash["Service"]
  private readonly tree: Tree
  private readonly custody: CustodyEntries
  private readonly leaf = new Uint8Array(hashBytes)
  private next: Opened | null | undefined
  private readonly headBytes = new Uint8Array(hashBytes)
  /** The hash before that one. */
  private readonly beforeBytes = new Uint8Array(hashBytes)
  private signed = 0
  private count = 0
  private readonly readTile: LedgerVerification<E>["readTile"]
  /** Tiles that are full, and not compared yet. */
  private full: Array<readonly [TilePlace, Uint8Array]> = []
  private readonly onTile: OnTile | undefined

  constructor(
    hash: Hash["Service"],
    reader: LedgerReader<E>,
    known: KnownCheckpoints<E>,
    readTile: LedgerVerification<E>["readTile"]
  ) {
    this.readTile = readTile
    this.onTile = readTile && ((place, hashes) => this.full.push([place, hashes]))
    this.hash = hash
    this.reader = reader
    this.known = known
    this.leaves = new LeafHasher(hash)
    this.custody = new CustodyEntries(this.leaves.bytes)
    this.tree = new Tree(hash)
  }

  /** Entries that hold. */
  get size(): number {
    return this.tree.size
  }

  /** The hash of the last of them, and of the one before it. */
  private get head(): string {
    return hexOf(this.headBytes)
  }

  private get before(): string {
    return hexOf(this.beforeBytes)
  }

  report(found: LedgerFinding | null): LedgerReport {
    const { count, head, signed, tree } = this
    const entries = Math.min(tree.size, found?.sequence ?? tree.size)
    return { finding: found, entries, head, root: tree.root(), signed, checkpoints: count }
  }

  /** Takes entries, and the checkpoints among them. */
  entries(rows: ReadonlyArray<LedgerRow>): Effect.Effect<LedgerFinding | null, E | Ed25519Error, Ed25519> {
    return Effect.gen({ self: this }, function*() {
      for (const [at, row] of rows.entries()) {
        const wrong = this.take(row)
        if (wrong !== null) return yield* this.explain(wrong, row, rows.slice(at + 1))
        if (this.next?.size !== this.size) continue
        const found = yield* this.checkpoints(rows[at + 1])
        if (found !== null) return found
      }
      return null
    })
  }

  /**
   * Compares with the checkpoints that stand at this size. `after` is the next row, where known.
   */
  checkpoints(after?: LedgerRow): Effect.Effect<LedgerFinding | null, E | Ed25519Error, Ed25519> {
    return Effect.gen({ self: this }, function*() {
      if (this.next === undefined) this.next = yield* this.known.next()
      while (this.next !== null && this.next.size <= this.size) {
        const { result, size } = this.next
        if (Result.isFailure(result)) return finding(result.failure.fault, Math.max(size, 0), result.failure.message)
        if (size < this.size) return finding("checkpoint", size, `the checkpoint at ${size} is out of order`)
        if (!this.hash.timingSafeEqual(result.success.root, this.tree.root())) return yield* this.fork(size, after)
        this.signed = size
        this.count += 1
        this.next = yield* this.known.next()
      }
      return null
    })
  }

  /** Compares the tiles that were filled. */
  tiles(): Effect.Effect<LedgerFinding | null, E> {
    const { full } = this
    this.full = []
    return full.length === 0 ? Effect.succeed(null) : this.compare(full)
  }

  /** Compares the tiles at the right edge. */
  edge(): Effect.Effect<LedgerFinding | null, E> {
    return this.compare(this.readTile === undefined ? [] : this.tree.unfinished())
  }

  private compare(tiles: ReadonlyArray<readonly [TilePlace, Uint8Array]>): Effect.Effect<LedgerFinding | null, E> {
    return Effect.gen({ self: this }, function*() {
      for (const [place, hashes] of tiles) {
        const stored = this.readTile === undefined ? null : yield* this.readTile(place)
        if (stored === null || this.hash.timingSafeEqual(stored, hashes)) continue
        const { level, number } = place
        const from = number * tileHashes ** (level + 1)
        return finding("tile", from, `tile ${number} of level ${level} has not the hashes of the entries from ${from}`)
      }
      return null
    })
  }

  /** There are no more entries: whether there had to be. */
  end(): Effect.Effect<LedgerFinding | null, E | Ed25519Error, Ed25519> {
    return Effect.sync(() => {
      const { next, size } = this
      if (next === null || next === undefined) return null
      const { result } = next
      if (Result.isFailure(result)) return finding(result.failure.fault, next.size, result.failure.message)
      return finding("truncated", size, `entry ${size} is missing: a checkpoint signs ${next.size} entries`)
    })
  }

  /** Takes one entry; null where it follows, or the way in which it does not. */
  private take({ body, sequence }: LedgerRow): "sequence" | "text" | "place" | "link" | null {
    if (sequence !== this.size) return "sequence"
    const { headBytes, leaf } = this
    const length = this.leaves.ofText(body, leaf)
    if (length < 0) return "text"
    if (!this.custody.has(1, 1 + length, sequence, headBytes)) {
      const links = parseEntry(body)
      if (Result.isFailure(links)) return "text"
      if (links.success.sequence !== sequence) return "place"
      if (links.success.previous !== this.head) return "link"
    }
    this.tree.append(leaf, this.onTile)
    this.beforeBytes.set(headBytes)
    headBytes.set(leaf)
    return null
  }

  /** What was done to the ledger, as far as its next entries tell. */
  private explain(
    wrong: "sequence" | "text" | "place" | "link",
    row: LedgerRow,
    rest: ReadonlyArray<LedgerRow>
  ): Effect.Effect<LedgerFinding, E> {
    const { size } = this
    if (wrong === "text") return Effect.succeed(finding("edited", size, `entry ${size} is no entry`))
    if (wrong === "link") return this.explainLink(row, rest)
    const claimed = wrong === "sequence" ? row.sequence : Result.getOrElse(parseEntry(row.body), () => row).sequence
    const isMissing = `entry ${size} is missing: entry ${claimed} is in its place`
    if (!(claimed > size))
      return Effect.succeed(finding("inserted", size, `entry ${claimed} is at place ${size} once more`))
    if (rest.some((other) => other.sequence === size)) return Effect.succeed(finding("reordered", size, isMissing))
    return Effect.map(this.reader.rows(claimed, 1), ([other]) => {
      const theirs = other === undefined ? null : Result.getOrElse(parseEntry(other.body), () => null)
      return finding(theirs?.sequence === size ? "reordered" : "deleted", size, isMissing)
    })
  }

  /** The entry at the end of those that hold does not have the hash that this row names. */
  private explainLink(row: LedgerRow, rest: ReadonlyArray<LedgerRow>): Effect.Effect<LedgerFinding, E> {
    const { before, signed, size } = this
    const mine = Result.getOrElse(parseEntry(row.body), () => null)
    const here = finding("edited", size, `entry ${size} does not name the entry before it`)
    if (size === 0 || signed === size) return Effect.succeed(here)
    const last = size - 1
    if (mine?.previous === before) {
      const message = `entry ${size} names the entry before entry ${last}, which does not belong there`
      return Effect.succeed(finding("inserted", last, message))
    }
    const follower = rest[0] === undefined ? this.reader.rows(size + 1, 1) : Effect.succeed([rest[0]])
    return Effect.map(follower, ([next]) => {
      const links = next === undefined ? null : Result.getOrElse(parseEntry(next.body), () => null)
      this.leaves.ofText(row.body, this.leaf)
      // Where this entry is the one that the next names, it is the one before that was changed.
      return links !== null && links.previous !== hexOf(this.leaf)
        ? here
        : finding("edited", last, `entry ${last} is not the one that entry ${size} names`)
    })
  }

  /** The root is not the one that was signed. */
  private fork(size: number, after?: LedgerRow): Effect.Effect<LedgerFinding, E> {
    const { head, signed } = this
    const follower = after === undefined ? this.reader.rows(size, 1) : Effect.succeed([after])
    return Effect.map(follower, ([next]) => {
      const links = next === undefined ? null : Result.getOrElse(parseEntry(next.body), () => null)
      if (links?.sequence === size - 1)
        return finding("inserted", size - 1, `entry ${size - 1} is there twice: nobody signed the first of them`)
      if (links?.sequence === size && links.previous !== head)
        return finding("edited", size - 1, `entry ${size - 1} is not the one that entry ${size} names`)
      if (size - signed === 1) return finding("edited", signed, `entry ${signed} is not the one that was signed`)
      const message = `the entries from ${signed} up to ${size} are not those that a checkpoint signs`
      return finding("forked", signed, message)
    })
  }
}
