/**
 * What can go wrong, what is done about it, and what a panic is (RFC, "Fail-Safe Mechanisms";
 * CONFORMANCE F1 to F4).
 */
import * as Schema from "effect/Schema"
import type { Alert } from "./Alert.ts"
import type { PurgeRecord } from "./Records.ts"
import { TracehoundError } from "./TracehoundError.ts"
import type { QuarantineStats } from "./WatcherSnapshot.ts"

/** The RFC's four actions. */
export const failSafeActions = ["Purge", "quarantine", "escalate", "panic"] as const
export type FailSafeAction = (typeof failSafeActions)[number]

/** What a FailSafe is asked about: one for each `on…` of the configuration. */
export const failSafeCauses = ["timeout", "encode_error", "quarantine_full", "hound_error", "system_error"] as const
export type FailSafeCause = (typeof failSafeCauses)[number]

/** What somebody who is asked about a panic may answer. */
export const panicActions = ["panic", "reset", "escalate", "custom"] as const
export type PanicAction = (typeof panicActions)[number]

/**
 * What somebody who is asked about a full quarantine may answer: evict what is held, or turn the
 * newcomer away.
 */
export const evictionStrategies = ["evict", "turn_away"] as const
export type EvictionStrategy = (typeof evictionStrategies)[number]

/** What somebody who is asked about a failed delivery to cold storage may answer. */
export const coldStorageDecisions = ["retry", "ignore", "alert"] as const
export type ColdStorageDecision = (typeof coldStorageDecisions)[number]

/** Why there is, or may be, a panic. */
export const PanicContext = Schema.Struct({
  cause: Schema.Literals([...failSafeCauses, "threshold", "request"]),
  /** The error that was one too many; null where somebody asked for it. */
  error: Schema.NullOr(TracehoundError),
  /** Errors in the window that count. */
  errors: Schema.Natural,
  /** Milliseconds. */
  window: Schema.Finite,
  /** Milliseconds since the epoch. */
  timestamp: Schema.Finite
})
export type PanicContext = typeof PanicContext.Type

/** What a callback may give: an answer, a promise of one, or nothing. */
type Answer<A> = A | void | Promise<A | void>

/**
 * The developer's callbacks (RFC, "Developer Callbacks"). Each is called in the background, never
 * on the turn of an intercept. One that throws, answers garbage, or does not answer in time is
 * taken as one that is not there (CONFORMANCE F4).
 */
export interface FailSafeCallbacks {
  readonly onPurge?: (record: PurgeRecord) => void | Promise<void>
  readonly onEscalate?: (alert: Alert) => void | Promise<void>
  /** Asked when the errors in the window reach the minimum. */
  readonly onPanicThreshold?: (context: PanicContext) => Answer<PanicAction>
  /**
   * Asked once when the quarantine has become full; what it answers holds until there is room
   * again.
   */
  readonly onQuarantineFull?: (stats: QuarantineStats) => Answer<EvictionStrategy>
  /** Asked when a try to write has failed. */
  readonly onColdStorageFailure?: (error: Error) => Answer<ColdStorageDecision>
}
