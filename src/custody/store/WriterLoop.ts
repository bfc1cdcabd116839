/**
 * The life of the writer's thread: sleep until there is something, commit it, and where the disk
 * refuses, say so and try again.
 *
 * Promises that a full disk, a failed sync and a database that another program holds locked cost
 * time and no entry: the frames wait in the ring, and each failure is reported. A database that is
 * damaged, or that another writer has changed, ends the thread: nothing is written over it.
 */
import type { StatementSync } from "node:sqlite"
import { replaceFile, type Reserve } from "./DurableFile.ts"
import { type CheckpointMade, type GroupWriter, OutOfStep } from "./GroupWriter.ts"
import { DamagedStore } from "./LedgerTree.ts"
import type { RingConsumer } from "./Ring.ts"
import type { DatabaseSync } from "./Sqlite.ts"
import { refusalOf, wordsOf } from "./StoreErrors.ts"
import type { WriterKeys } from "./WriterKeys.ts"
import type { WriterReport } from "./WriterMessages.ts"

/** The pause after a failure: doubled with each one in a row, up to the longest. */
const shortestPauseMs = 50
const longestPauseMs = 5_000

/** How often the reserve that was used is looked for room again. */
const refillMs = 60_000

export interface WriterLoopParts {
  readonly ring: RingConsumer
  readonly writer: GroupWriter
  readonly keys: WriterKeys | null
  readonly db: DatabaseSync
  readonly reserve: Reserve
  /** Where the newest checkpoint's note is kept. */
  readonly checkpointPath: string
  readonly report: (report: WriterReport) => void
  readonly nowMs: () => number
}

export class WriterLoop {
  readonly #parts: WriterLoopParts
  readonly #shrink: StatementSync
  #failures = 0
  /** When the reserve is looked at again; never while it is there. */
  #refillAt = Infinity

  constructor(parts: WriterLoopParts) {
    this.#parts = parts
    this.#shrink = parts.db.prepare("PRAGMA wal_checkpoint(TRUNCATE)")
    if (!parts.reserve.isThere) this.#refillAt = parts.nowMs() + refillMs
  }

  /** Runs until the ring is stopped and empty, or nothing can be written any more. */
  run(): void {
    const { ring, writer } = this.#parts
    for (;;) {
      const hasFrames = ring.park(this.#restMs)
      if (hasFrames || writer.restMs === 0) {
        if (!this.#tryGroup(false)) return
      } else if (ring.isStopped) {
        this.#tryGroup(true)
        return
      }
      this.#rotate()
      this.#refill()
    }
  }

  get #restMs(): number {
    const { keys, nowMs, writer } = this.#parts
    if (keys?.isRotating === true) return 0
    return Math.min(writer.restMs, Math.max(0, this.#refillAt - nowMs()))
  }

  /**
   * Commits a group, or says why not and waits a little; false where there is no use in going on.
   */
  #tryGroup(isLast: boolean): boolean {
    const { report, ring } = this.#parts
    let made: CheckpointMade | null
    try {
      made = this.#commit(isLast)
    } catch (cause) {
      const reason = isDamage(cause) ? "damaged" : refusalOf(cause)
      report({ kind: "failed", reason: reason === "busy" ? "io" : reason, message: wordsOf(cause) })
      if (reason === "damaged" || ring.isStopped) return false
      ring.pause(Math.min(shortestPauseMs * 2 ** this.#failures, longestPauseMs))
      this.#failures += 1
      return true
    }
    if (this.#failures > 0) report({ kind: "recovered" })
    this.#failures = 0
    if (made !== null) this.#publish(made)
    return true
  }

  /** A full disk has the reserve, once: its room lets SQLite shorten its log, and the group in. */
  #commit(isLast: boolean): CheckpointMade | null {
    const { nowMs, report, reserve, writer } = this.#parts
    try {
      return writer.commit(isLast)
    } catch (cause) {
      if (refusalOf(cause) !== "full" || !reserve.release()) throw cause
      this.#refillAt = nowMs() + refillMs
      report({ kind: "reserveUsed" })
      this.#shrink.all()
      return writer.commit(isLast)
    }
  }

  #publish({ note, requests, size }: CheckpointMade): void {
    const { checkpointPath, report } = this.#parts
    try {
      replaceFile(checkpointPath, note)
      report({ kind: "checkpoint", size, note, requests })
    } catch (cause) {
      report({ kind: "checkpointFile", message: wordsOf(cause), requests })
    }
  }

  /** A step of a rotation, between two groups. */
  #rotate(): void {
    const said = this.#parts.keys?.step() ?? null
    if (said !== null) this.#parts.report({ kind: "keys", ...said })
  }

  #refill(): void {
    const { nowMs, reserve } = this.#parts
    if (nowMs() < this.#refillAt) return
    this.#refillAt = reserve.fill() ? Infinity : nowMs() + refillMs
  }
}

const isDamage = (cause: unknown): boolean => cause instanceof DamagedStore || cause instanceof OutOfStep
