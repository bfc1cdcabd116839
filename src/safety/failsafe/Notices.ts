/**
 * The fail-safe's notices and errors: fixed objects, so that reporting allocates nothing and no
 * attacker's text is in them.
 */
import type { EffectCallbacks, FailSafeCause } from "../../domain/FailSafe.ts"
import type { PurgeReason } from "../../domain/Records.ts"
import { type ErrorState, problem, type TracehoundError } from "../../domain/TracehoundError.ts"
import { type Notice, notice } from "../alert/Notice.ts"

/** The setting under `failSafe` that decides about each cause. */
export const settingOf = {
  timeout: "onTimeout",
  encode_error: "onEncodeError",
  quarantine_full: "onQuarantineFull",
  hound_error: "onHoundError",
  system_error: "onSystemError"
} as const satisfies Record<FailSafeCause, string>

const escalation = (reason: FailSafeCause, message: string): Notice =>
  notice({ type: "failsafe.escalated", severity: "warning", message, reason })

/** Raised where the setting of a cause says `escalate`. */
export const escalations: Record<FailSafeCause, Notice> = {
  timeout: escalation("timeout", "a hound did not answer in time"),
  encode_error: escalation("encode_error", "evidence could not be encoded"),
  quarantine_full: escalation("quarantine_full", "the quarantine is full"),
  hound_error: escalation("hound_error", "a hound failed"),
  system_error: escalation("system_error", "a part of Tracehound failed more often than it may")
}

/** Raised where `onPanicThreshold` answers `escalate`. */
export const thresholdNotice = notice({
  type: "failsafe.escalated",
  severity: "critical",
  message: "errors have reached the threshold at which a panic may follow",
  reason: "threshold"
})

/**
 * Passes the limiter always: it comes at most once, and whoever provoked the panic may have filled
 * the window before.
 */
export const panicNotice = notice({
  type: "failsafe.panic",
  severity: "critical",
  message: "Tracehound shuts down: evidence goes to cold storage, and requests are no longer looked at",
  alwaysPasses: true
})

const purged = (reason: PurgeReason, why: string): Notice =>
  notice({ type: "evidence.purged", severity: "warning", message: `evidence was purged: ${why}`, reason })

/** The alert for a purge, by its reason. */
export const purgedNotices: Record<PurgeReason, Notice> = {
  timeout: purged("timeout", "a hound did not answer in time"),
  error: purged("error", "a hound failed, or it could not be compressed"),
  abort: purged("abort", "its examination was broken off"),
  panic: purged("panic", "Tracehound panicked")
}

export const panicError = problem({
  state: "agent",
  code: "panicked",
  message: "Tracehound has panicked and looks at nothing any more: find the cause in its errors, and make another one",
  recoverable: false
})

export const fullError = problem({
  state: "quarantine",
  code: "quarantine_full",
  message: "the quarantine is full: raise quarantine.maxCount or quarantine.maxBytes, or evacuate sooner"
})

const stateOf: Record<keyof EffectCallbacks, ErrorState> = {
  onPurge: "hound",
  onEscalate: "agent",
  onPanicThreshold: "agent",
  onQuarantineFull: "quarantine",
  onColdStorageFailure: "quarantine"
}

/** The error of a callback that threw, was overdue, or gave an answer that it may not give. */
export const callbackError = (
  name: keyof EffectCallbacks,
  trouble: "threw" | "overdue" | "garbage"
): TracehoundError =>
  problem({
    state: stateOf[name],
    code: `callback_${trouble}`,
    message: trouble === "threw"
      ? `${name} threw: its answer is taken as none`
      : trouble === "overdue"
      ? `${name} did not answer in time: its answer is taken as none`
      : `${name} answered what it may not: its answer is taken as none`
  })
