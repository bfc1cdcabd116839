/**
 * What the Watcher shows (RFC, "Watcher"; CONFORMANCE W1): the RFC's shape, and the sandbox that
 * hounds are in.
 */
import * as Schema from "effect/Schema"
import { SandboxLevel } from "./Hound.ts"
import { BySeverity } from "./Severity.ts"
import { TracehoundError } from "./TracehoundError.ts"

/** What is in custody now. */
export const QuarantineStats = Schema.Struct({
  count: Schema.Natural,
  /** Bytes of evidence held. */
  bytes: Schema.Natural,
  bySeverity: BySeverity
})
export type QuarantineStats = typeof QuarantineStats.Type

/** One look at everything. */
export const WatcherSnapshot = Schema.Struct({
  quarantine: QuarantineStats,
  hound: Schema.Struct({
    dormant: Schema.Natural,
    active: Schema.Natural,
    /** How many were killed by force so far. */
    terminated: Schema.Natural,
    /** Ours: what is in effect; `none` while there are no hounds. */
    sandbox: SandboxLevel
  }),
  rateLimit: Schema.Struct({
    /** Sources that are blocked now. */
    blocked: Schema.Natural,
    /** Sources in the table. */
    sources: Schema.Natural
  }),
  /** Scents a second, over the last ten whole seconds. */
  throughput: Schema.Finite,
  /** When the last scent came, in ms since the epoch; 0 before the first. */
  lastActivity: Schema.Finite,
  /** The latest errors, oldest first, at most 32. */
  errors: Schema.Array(TracehoundError)
})
export type WatcherSnapshot = typeof WatcherSnapshot.Type
