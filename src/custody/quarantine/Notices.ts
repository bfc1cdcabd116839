/**
 * What the quarantine tells people: fixed objects, so that telling allocates nothing but the
 * signature, and that only where somebody listens.
 */
import { notice, type Notice } from "../../safety/alert/Notice.ts"
import type { Severity } from "../../domain/Severity.ts"
import { problem } from "../../domain/TracehoundError.ts"

/** Evidence left for lack of room. */
export const eviction = { type: "quarantine.eviction", reason: "capacity" } as const

/** Evidence was sent to cold storage because somebody asked. */
export const evacuation = { type: "quarantine.evacuation", reason: "request" } as const

const highEviction = (severity: "high" | "critical"): Notice =>
  notice({
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
export const tampered = notice({
  type: "evidence.tampered",
  severity: "critical",
  message: "the bytes of this evidence were changed through its handle"
})

export const tamperedError = problem({
  state: "quarantine",
  code: "evidence_tampered",
  message: "evidence was changed through the buffer of its handle: treat `bytes` as read-only, or copy it"
})

/** Nowhere to evacuate to. */
export const notConfigured = problem({
  state: "quarantine",
  code: "coldstorage_not_configured",
  message: "evacuate needs a cold storage: set audit.coldStorage.endpoint"
})

/** Evidence could not be compressed. */
export const encodeError = problem({
  state: "quarantine",
  code: "encode_error",
  message: "evidence could not be compressed: what failSafe.onEncodeError says was done with it"
})
