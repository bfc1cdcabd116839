/**
 * What the quarantine tells people: fixed objects, so that telling allocates nothing but the
 * signature, and that only where somebody listens.
 */
import type { Notice } from "../../safety/alert/Alerts.ts"
import type { Severity } from "../../domain/Severity.ts"
import type { TracehoundError } from "../../domain/TracehoundError.ts"

/** Evidence left for lack of room. */
export const eviction = { type: "quarantine.eviction", reason: "capacity" } as const

/** Evidence was sent to cold storage because somebody asked. */
export const evacuation = { type: "quarantine.evacuation", reason: "request" } as const

const highEviction = (severity: "high" | "critical"): Notice =>
  Object.freeze({
    type: "high_severity_eviction",
    severity: "warning",
    message: `evidence of ${severity} severity was evicted: the quarantine is full`
  })

/** The alert for an eviction, where its severity asks for one (CONFORMANCE Q2). */
export const highEvictions: Record<Severity, Notice | null> = {
  low: null,
  medium: null,
  high: highEviction("high"),
  critical: highEviction("critical")
}

/** Somebody wrote to evidence. */
export const tampered: Notice = Object.freeze({
  type: "evidence.tampered",
  severity: "critical",
  message: "the bytes of this evidence were changed through its handle"
})

export const tamperedError: TracehoundError = Object.freeze({
  state: "quarantine",
  code: "evidence_tampered",
  message: "evidence was changed through the buffer of its handle: treat `bytes` as read-only, or copy it",
  recoverable: true
})

/** Nowhere to evacuate to. */
export const notConfigured: TracehoundError = Object.freeze({
  state: "quarantine",
  code: "coldstorage_not_configured",
  message: "evacuate needs a cold storage: set audit.coldStorage.endpoint",
  recoverable: true
})

/** Evidence could not be compressed. */
export const encodeError: TracehoundError = Object.freeze({
  state: "quarantine",
  code: "encode_error",
  message: "evidence could not be compressed: what failSafe.onEncodeError says was done with it",
  recoverable: true
})
