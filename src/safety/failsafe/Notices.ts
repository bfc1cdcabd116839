/**
 * What the fail-safe tells people: fixed objects, so that telling allocates nothing and no
 * attacker's text is in them.
 */
import type { Notice } from "../alert/Alerts.ts"
import type { FailSafeCallbacks, FailSafeCause } from "../../domain/FailSafe.ts"
import type { ErrorState, TracehoundError } from "../../domain/TracehoundError.ts"

/** The setting that says what is done about a cause. */
export const settingOf = {
  timeout: "onTimeout",
  encode_error: "onEncodeError",
  quarantine_full: "onQuarantineFull",
  hound_error: "onHoundError",
  system_error: "onSystemError"
} as const satisfies Record<FailSafeCause, string>

const escalation = (message: string): Notice =>
  Object.freeze({ type: "failsafe.escalated", severity: "warning", message })

/** The alert for each cause that escalates. */
export const escalations: Record<FailSafeCause, Notice> = {
  timeout: escalation("a hound did not answer in time"),
  encode_error: escalation("evidence could not be encoded"),
  quarantine_full: escalation("the quarantine is full"),
  hound_error: escalation("a hound failed"),
  system_error: escalation("a part of Tracehound failed more often than it may")
}

/** Somebody who was asked about a panic wants people to know. */
export const thresholdNotice: Notice = Object.freeze({
  type: "failsafe.escalated",
  severity: "critical",
  message: "errors have reached the threshold at which a panic may follow"
})

export const panicNotice: Notice = Object.freeze({
  type: "failsafe.panic",
  severity: "critical",
  message: "Tracehound shuts down: evidence goes to cold storage, and requests are no longer looked at"
})

export const purgedNotice: Notice = Object.freeze({
  type: "evidence.purged",
  severity: "warning",
  message: "evidence was purged"
})

export const panicError: TracehoundError = Object.freeze({
  state: "agent",
  code: "panicked",
  message: "Tracehound has panicked and looks at nothing any more: find the cause in its errors, and make another one",
  recoverable: false
})

export const fullError: TracehoundError = Object.freeze({
  state: "quarantine",
  code: "quarantine_full",
  message: "the quarantine is full: raise quarantine.maxCount or quarantine.maxBytes, or evacuate sooner",
  recoverable: true
})

const stateOf: Record<keyof FailSafeCallbacks, ErrorState> = {
  onPurge: "hound",
  onEscalate: "agent",
  onPanicThreshold: "agent",
  onQuarantineFull: "quarantine",
  onColdStorageFailure: "quarantine"
}

/** A callback did what it must not. */
export const callbackError = (
  name: keyof FailSafeCallbacks,
  trouble: "threw" | "overdue" | "garbage"
): TracehoundError => ({
  state: stateOf[name],
  code: `callback_${trouble}`,
  message: trouble === "threw"
    ? `${name} threw: its answer is taken as none`
    : trouble === "overdue"
    ? `${name} did not answer in time: its answer is taken as none`
    : `${name} answered what it may not: its answer is taken as none`,
  recoverable: true
})
