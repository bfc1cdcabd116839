/**
 * Causes of failures, the actions against them, panics, and the developer's callbacks (RFC,
 * "Fail-Safe Mechanisms"; CONFORMANCE F1 to F4).
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Alert } from "./Alert.ts"
import type { PurgeRecord } from "./Records.ts"
import { TracehoundError } from "./TracehoundError.ts"
import type { QuarantineStats } from "./WatcherSnapshot.ts"

/** The RFC's four actions. */
export const failSafeActions = ["Purge", "quarantine", "escalate", "panic"] as const
export type FailSafeAction = (typeof failSafeActions)[number]

/** The causes of failures, one for each `on…` setting of `failSafe`. */
export const failSafeCauses = ["timeout", "encode_error", "quarantine_full", "hound_error", "system_error"] as const
export type FailSafeCause = (typeof failSafeCauses)[number]

/** The answers of `onPanicThreshold`. */
export const panicActions = ["panic", "reset", "escalate", "custom"] as const
export type PanicAction = (typeof panicActions)[number]

/** The answers of `onQuarantineFull`: evict evidence that is held, or refuse the new evidence. */
export const evictionStrategies = ["evict", "turn_away"] as const
export type EvictionStrategy = (typeof evictionStrategies)[number]

/** The answers of `onColdStorageFailure`. */
export const coldStorageDecisions = ["retry", "ignore", "alert"] as const
export type ColdStorageDecision = (typeof coldStorageDecisions)[number]

/** The reason for a panic that has begun, or that `onPanicThreshold` is asked about. */
export const PanicContext = Schema.Struct({
  cause: Schema.Literals([...failSafeCauses, "threshold", "request"]),
  /** The error that reached the threshold; null if the panic was requested. */
  error: Schema.NullOr(TracehoundError),
  /** How many errors count in the window. */
  errors: Schema.Natural,
  /** Milliseconds. */
  window: Schema.Finite,
  /** Milliseconds since the epoch. */
  timestamp: Schema.Finite
})
export type PanicContext = typeof PanicContext.Type

/** The result of a callback: an answer, a promise of one, or nothing. */
type Answer<A> = A | void | Promise<A | void>

/**
 * The developer's callbacks (RFC, "Developer Callbacks"). They are called in the background, never
 * on the turn of an intercept. If a callback throws, returns an invalid answer or does not answer
 * in time (`failSafe.callbackTimeoutMs`), Tracehound goes on as if there were no callback
 * (CONFORMANCE F4).
 */
export interface FailSafeCallbacks {
  readonly onPurge?: (record: PurgeRecord) => void | Promise<void>
  readonly onEscalate?: (alert: Alert) => void | Promise<void>
  /** Called when the errors in the window reach `failSafe.panic.threshold.min`. */
  readonly onPanicThreshold?: (context: PanicContext) => Answer<PanicAction>
  /** Called once when the quarantine becomes full. The answer holds until there is room again. */
  readonly onQuarantineFull?: (stats: QuarantineStats) => Answer<EvictionStrategy>
  /** Called when an attempt to write has failed. */
  readonly onColdStorageFailure?: (error: Error) => Answer<ColdStorageDecision>
}

/** The result of a callback of the Effect door. */
type EffectAnswer<A, R> = Answer<A> | Effect.Effect<A | void, unknown, R>

/**
 * The same callbacks for Effect programs: each may return an Effect, which runs in the context of
 * the layer (`R`) and is interrupted where it is not done in time. One that fails or dies has given
 * no answer (CONFORMANCE R8).
 */
export interface EffectCallbacks<out R = never> {
  readonly onPurge?: (record: PurgeRecord) => EffectAnswer<void, R>
  readonly onEscalate?: (alert: Alert) => EffectAnswer<void, R>
  readonly onPanicThreshold?: (context: PanicContext) => EffectAnswer<PanicAction, R>
  readonly onQuarantineFull?: (stats: QuarantineStats) => EffectAnswer<EvictionStrategy, R>
  readonly onColdStorageFailure?: (error: Error) => EffectAnswer<ColdStorageDecision, R>
}
