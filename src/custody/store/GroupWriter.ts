/**
 * Commits what waits in the ring, a group at a time: rows, full tiles, a checkpoint where one is
 * due, and what happened to the journal, in one transaction each.
 *
 * Promises that nothing is told to be on disk that is not: the ring's tail and its counts move
 * after the commit alone. A group that fails leaves the database, the tree and the ring as they
 * were, and the next try has the same frames. Frames that the database has already, because a
 * writer died between a commit and its release, are passed over: entries by their sequence, all
 * else by the frame's number, which is committed with its effect. The same holds for a key that
 * could not be destroyed after the commit: the group comes again, and is said to be on disk when it
 * could.
 *
 * Cost of an entry in a large group: 4 to 5 µs, a tenth of which is the ring. An entry alone costs
 * one fsync.
 *
 * **Gotchas**
 *
 * - A checkpoint is in the database with the commit, and in the file beside it after that. After a
 *   crash between the two the file is the older one, never the newer one.
 */
import type { StatementSync } from "node:sqlite"
import type { OnTile } from "../ledger/Tree.ts"
import type { SignCheckpoint } from "./CheckpointNote.ts"
import { FrameKind, type LetterTexts, noPiece } from "./Frames.ts"
import type { KeyAnswer, KeyOrder } from "./KeyMessages.ts"
import type { LedgerTree } from "./LedgerTree.ts"
import type { RingConsumer } from "./Ring.ts"
import { arraysOf, type DatabaseSync, numberOf } from "./Sqlite.ts"
import type { WriterKeys } from "./WriterKeys.ts"

/** Entries that one statement inserts. */
const rowsAtOnce = 64

export interface WriterLimits {
  /** Frames of one group, and bytes of it. */
  readonly maxGroup: number
  readonly maxGroupBytes: number
  /** A checkpoint is due so long after the first entry that it would stand for. */
  readonly checkpointMs: number
  /** Or when it would stand for so many entries more. */
  readonly checkpointEntries: number
}

export const writerLimits: WriterLimits = {
  maxGroup: 4_096,
  maxGroupBytes: 8 * 2 ** 20,
  checkpointMs: 1_000,
  checkpointEntries: 65_536
}

/** A checkpoint that a commit made, and the requests that it answers. */
export interface CheckpointMade {
  readonly size: number
  readonly note: string
  readonly requests: ReadonlyArray<number>
}

/** What a group writer works with. */
export interface WriterParts {
  readonly db: DatabaseSync
  readonly ring: RingConsumer
  /** The tree over the entries that the database has: read anew after each failure. */
  readonly readTree: () => LedgerTree
  readonly sign: SignCheckpoint
  /** Monotonic time. */
  readonly nowMs: () => number
  /** Seals evidence; null where it is kept as it is. */
  readonly keys: WriterKeys | null
  /** Called with the answer to an order that came by a frame; the bytes are the callee's. */
  readonly answer: (request: number, answer: KeyAnswer) => void
}

/** An order of the group, which lies in the ring. */
interface OrderFrame {
  readonly request: number
  readonly from: number
  /** Where its JSON ends, and its bytes begin. */
  readonly bytesAt: number
  readonly to: number
}

/** How far a writer is in the ring: the last frame, and the pieces put until then. */
interface Reached {
  frame: number
  pieces: number
}

/** The frames disagree with the database: somebody else wrote, or a frame was lost. */
export class OutOfStep extends Error {}

export class GroupWriter {
  readonly #db: DatabaseSync
  readonly #ring: RingConsumer
  readonly #parts: WriterParts
  readonly #limits: WriterLimits
  readonly #sql: ReturnType<typeof statements>
  #tree: LedgerTree
  /** Whether the tree has entries of a group that failed. */
  #isStale = false
  /** The last frame in the database of those that leave no entry. */
  #applied: number
  /** Whether this group has such a frame. */
  #isTouched = false
  /** The last frame of any kind, and the pieces put: up to this group, and committed. */
  readonly #reached: Reached
  readonly #done: Reached
  /** Sequences and texts of entries that are not inserted yet. */
  readonly #rows: Array<number | string> = []
  readonly #requests: Array<number> = []
  readonly #orders: Array<OrderFrame> = []
  /** Whether the table of doomed keys has some, and whether all of them are destroyed. */
  #doom: "none" | "doomed" | "destroyed"
  /**
   * Entries that the newest checkpoint stands for, and when the first one behind it was written.
   */
  #covered: number
  #uncoveredSince = 0

  constructor(parts: WriterParts, limits: WriterLimits = writerLimits) {
    this.#parts = parts
    this.#db = parts.db
    this.#ring = parts.ring
    this.#limits = limits
    this.#sql = statements(parts.db)
    this.#tree = parts.readTree()
    this.#applied = numberOf(parts.db, "SELECT frame FROM writer")
    this.#covered = numberOf(parts.db, "SELECT coalesce(max(size), 0) FROM checkpoints")
    this.#uncoveredSince = parts.nowMs()
    this.#doom = numberOf(parts.db, "SELECT count(*) FROM doomed") > 0 ? "doomed" : "none"
    this.#destroyDoomed()
    this.#done = parts.ring.committed
    this.#reached = { ...this.#done }
    // What a writer before this one committed and did not say.
    parts.ring.commit(this.#done.frame, this.#tree.size, this.#done.pieces)
  }

  /** Entries in the database. */
  get size(): number {
    return this.#tree.size
  }

  /** The last one's hash. */
  get last(): Uint8Array {
    return this.#tree.last
  }

  /** How long the writer may sleep until a checkpoint is due, in milliseconds. */
  get restMs(): number {
    if (this.#tree.size === this.#covered) return Infinity
    return Math.max(0, this.#uncoveredSince + this.#limits.checkpointMs - this.#parts.nowMs())
  }

  /**
   * Commits one group: what is in the ring now, up to the limits, and a checkpoint where one is due
   * or `isLast`. Gives the checkpoint, or null. Throws what the database throws, and an OutOfStep.
   */
  commit(isLast = false): CheckpointMade | null {
    if (this.#isStale) this.#tree = this.#parts.readTree()
    this.#isStale = false
    if (this.#tree.size === this.#covered) this.#uncoveredSince = this.#parts.nowMs()
    let made: CheckpointMade | null
    this.#sql.begin.run()
    try {
      this.#applyGroup()
      made = this.#checkpointIfDue(isLast)
      if (this.#isTouched) this.#sql.applied.run(this.#reached.frame)
      this.#parts.keys?.syncMade()
      this.#sql.commit.run()
    } catch (cause) {
      this.#parts.keys?.destroyMade()
      this.#undo()
      throw cause
    }
    this.#parts.keys?.keepMade()
    if (this.#isTouched) this.#applied = this.#reached.frame
    if (made !== null) this.#covered = made.size
    this.#finishKeys()
    this.#isTouched = false
    this.#requests.length = 0
    Object.assign(this.#done, this.#reached)
    this.#ring.release()
    this.#ring.commit(this.#done.frame, this.#tree.size, this.#done.pieces)
    return made
  }

  /**
   * What is left to do with keys once the group is committed. Where it fails, the group comes
   * again.
   */
  #finishKeys(): void {
    try {
      if (this.#doom === "destroyed") this.#doom = "none"
      this.#destroyDoomed()
      for (const order of this.#orders) this.#answer(order)
    } catch (cause) {
      this.#undo()
      throw cause
    }
    this.#orders.length = 0
  }

  #destroyDoomed(): void {
    if (this.#doom !== "doomed" || this.#parts.keys === null) return
    const names = this.#sql.doomed.all() as unknown as ReadonlyArray<readonly [number, number]>
    this.#parts.keys.destroy(names.map(([slot, use]) => ({ slot, use })))
    this.#doom = "destroyed"
  }

  #answer({ bytesAt, from, request, to }: OrderFrame): void {
    const { bytes } = this.#ring
    const { answer, keys } = this.#parts
    const order = JSON.parse(bytes.toString("utf8", from, bytesAt)) as KeyOrder
    if (keys !== null) answer(request, keys.answer(request, order, bytes.subarray(bytesAt, to)))
  }

  #applyGroup(): void {
    const { maxGroup, maxGroupBytes } = this.#limits
    const ring = this.#ring
    const { end } = ring
    if (this.#doom === "destroyed") this.#sql.forgetDoomed.run()
    let bytes = 0
    for (let count = 0; count < maxGroup && bytes < maxGroupBytes && ring.next(end); count++) {
      bytes += ring.to - ring.from
      this.#reached.frame = ring.number
      if (ring.kind === FrameKind.entry) this.#append()
      else this.#apply()
    }
    const rows = this.#rows
    for (let i = 0; i < rows.length; i += 2) this.#sql.insertOne.run(rows[i] ?? null, rows[i + 1] ?? null)
    rows.length = 0
  }

  #append(): void {
    const { bytes, first: sequence, from, second: piece, to } = this.#ring
    const tree = this.#tree
    if (sequence < tree.size) return
    if (sequence > tree.size) throw new OutOfStep(`entry ${sequence} came where ${tree.size} is the next one`)
    const text = bytes.toString("utf8", from, to)
    const rows = this.#rows
    rows.push(sequence, text)
    if (rows.length === 2 * rowsAtOnce) {
      this.#sql.insertMany.run(...rows)
      rows.length = 0
    }
    tree.append(text, this.#addTile)
    if (piece !== noPiece) this.#remove(piece)
  }

  #put(key: number, facts: string, content: Uint8Array): void {
    const { keys } = this.#parts
    if (keys === null) {
      this.#sql.putPiece.run(key, facts, content, null, null)
      return
    }
    const sealed = keys.sealPiece(key, content)
    if (sealed !== null) this.#sql.putPiece.run(key, facts, sealed.content, sealed.name.slot, sealed.name.use)
  }

  #remove(piece: number): void {
    if (this.#parts.keys !== null && this.#sql.doom.run(piece).changes !== 0) this.#doom = "doomed"
    this.#sql.removePiece.run(piece)
  }

  readonly #addTile: OnTile = ({ level, number }, hashes) => {
    this.#sql.insertTile.run(level, number, hashes)
  }

  /** Frames that leave no entry. */
  #apply(): void {
    const { bytes, first, from, kind, number, second, to } = this.#ring
    if (kind === FrameKind.put) this.#reached.pieces = second
    if (kind === FrameKind.checkpoint) {
      this.#requests.push(first)
      return
    }
    if (kind === FrameKind.keys) {
      this.#orders.push({ request: first, from, bytesAt: from + second, to })
      return
    }
    if (number <= this.#applied) return
    this.#isTouched = true
    const sql = this.#sql
    switch (kind) {
      case FrameKind.put: {
        const contentAt = from + 4 + bytes.readUInt32LE(from)
        this.#put(first, bytes.toString("utf8", from + 4, contentAt), bytes.subarray(contentAt, to))
        return
      }
      case FrameKind.amend:
        sql.amendPiece.run(bytes.toString("utf8", from, to), first)
        return
      case FrameKind.remove:
        this.#remove(first)
        return
      case FrameKind.letter: {
        const { endpoint, name, reason } = JSON.parse(bytes.toString("utf8", from, from + second)) as LetterTexts
        sql.putLetter.run(name, endpoint, reason, first, bytes.subarray(from + second, to))
        return
      }
      case FrameKind.unletter:
        sql.removeLetter.run(bytes.toString("utf8", from, to))
        return
      default:
        throw new OutOfStep(`frame ${number} is of no kind that is known: ${kind}`)
    }
  }

  #checkpointIfDue(isLast: boolean): CheckpointMade | null {
    const { size } = this.#tree
    const uncovered = size - this.#covered
    const isDue = this.#requests.length > 0 || uncovered >= this.#limits.checkpointEntries ||
      uncovered > 0 && (isLast || this.restMs === 0)
    if (!isDue) return null
    const requests = [...this.#requests]
    const stored = this.#sql.noteOf.get(size) as unknown as readonly [string] | undefined
    if (stored !== undefined) return { size, note: stored[0], requests }
    const note = this.#parts.sign(size, this.#tree.root())
    this.#sql.insertCheckpoint.run(size, note)
    return { size, note, requests }
  }

  /** Goes back to before the group. SQLite has rolled back already where it was the commit. */
  #undo(): void {
    if (this.#db.isTransaction) this.#sql.rollback.run()
    this.#ring.rewind()
    this.#rows.length = 0
    this.#requests.length = 0
    this.#orders.length = 0
    this.#isTouched = false
    this.#isStale = true
    Object.assign(this.#reached, this.#done)
  }
}

const statements = (db: DatabaseSync): Record<StatementName, StatementSync> => ({
  begin: db.prepare("BEGIN IMMEDIATE"),
  commit: db.prepare("COMMIT"),
  rollback: db.prepare("ROLLBACK"),
  applied: db.prepare("UPDATE writer SET frame = ?"),
  insertOne: db.prepare("INSERT INTO entries VALUES (?, ?)"),
  insertMany: db.prepare(`INSERT INTO entries VALUES ${Array.from({ length: rowsAtOnce }, () => "(?, ?)").join(", ")}`),
  insertTile: db.prepare("INSERT INTO tiles VALUES (?, ?, ?)"),
  noteOf: arraysOf(db.prepare("SELECT note FROM checkpoints WHERE size = ?")),
  insertCheckpoint: db.prepare("INSERT INTO checkpoints VALUES (?, ?)"),
  putPiece: db.prepare("INSERT INTO evidence (key, facts, content, slot, use) VALUES (?, ?, ?, ?, ?)"),
  amendPiece: db.prepare("UPDATE evidence SET facts = ? WHERE key = ?"),
  removePiece: db.prepare("DELETE FROM evidence WHERE key = ?"),
  doom: db.prepare("INSERT INTO doomed SELECT slot, use FROM evidence WHERE key = ? AND slot IS NOT NULL"),
  doomed: arraysOf(db.prepare("SELECT slot, use FROM doomed")),
  forgetDoomed: db.prepare("DELETE FROM doomed"),
  putLetter: db.prepare("INSERT OR REPLACE INTO deadletters VALUES (?, ?, ?, ?, ?)"),
  removeLetter: db.prepare("DELETE FROM deadletters WHERE name = ?")
})

type StatementName =
  | "begin"
  | "commit"
  | "rollback"
  | "applied"
  | "insertOne"
  | "insertMany"
  | "insertTile"
  | "noteOf"
  | "insertCheckpoint"
  | "putPiece"
  | "amendPiece"
  | "removePiece"
  | "doom"
  | "doomed"
  | "forgetDoomed"
  | "putLetter"
  | "removeLetter"
