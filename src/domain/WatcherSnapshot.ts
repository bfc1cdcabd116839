/**
 * The snapshot of the Watcher (RFC, "Watcher"; CONFORMANCE W1): the RFC's shape, plus the sandbox
 * level of the hounds.
 */
import * as Schema from "effect/Schema"
import { SandboxLevel } from "./Hound.ts"
import { BySeverity } from "./Severity.ts"
import { TracehoundError } from "./TracehoundError.ts"

/** The evidence in custody now. */
export const QuarantineStats = Schema.Struct({
  count: Schema.Natural,
  /** Bytes of evidence held. */
  bytes: Schema.Natural,
  bySeverity: BySeverity
})
export type QuarantineStats = typeof QuarantineStats.Type

/** The state of the whole runtime at one moment. */
export const WatcherSnapshot = Schema.Struct({
  quarantine: QuarantineStats,
  hound: Schema.Struct({
    dormant: Schema.Natural,
    active: Schema.Natural,
    /** How many were killed by force so far. */
    terminated: Schema.Natural,
    /** Ours: the level in effect; `none` while there are no hounds. */
    sandbox: SandboxLevel
  }),
  /** Ours: evidence in custody, and how much of it survives this process (CONFORMANCE E9). */
  custody: Schema.Struct({
    held: Schema.Natural,
    /** Of those held, pieces that are on disk: 0 where custody is in memory alone. */
    durable: Schema.Natural,
    /** Pieces so far that came faster than the disk took them, and are held in memory alone. */
    notDurable: Schema.Natural
  }),
  /** Ours: records of custody ever made, and how many of them are on disk. */
  ledger: Schema.Struct({ size: Schema.Natural, durable: Schema.Natural }),
  rateLimit: Schema.Struct({
    /** Sources that are blocked now. */
    blocked: Schema.Natural,
    /** Sources in the table. */
    sources: Schema.Natural
  }),
  /** Scents a second, over the last ten whole seconds. */
  throughput: Schema.Finite,
  /** The time of the last scent, in ms since the epoch; 0 before the first. */
  lastActivity: Schema.Finite,
  /** The latest errors, oldest first, at most 32. */
  errors: Schema.Array(TracehoundError)
})
export type WatcherSnapshot = typeof WatcherSnapshot.Type
