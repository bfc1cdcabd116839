/**
 * The alerts, log events and errors of the quarantine: fixed objects, so that reporting allocates
 * nothing but the signature, and that only where somebody listens.
 */
import type { Severity } from "../../domain/Severity.ts"
import { problem } from "../../domain/TracehoundError.ts"
import { type Notice, notice } from "../../safety/alert/Notice.ts"

/** Evidence left for lack of room. */
export const eviction = { type: "quarantine.eviction", reason: "capacity" } as const

/** Evidence was sent to cold storage because a caller asked. */
export const evacuation = { type: "quarantine.evacuation", reason: "request" } as const

const highEviction = (severity: "high" | "critical"): Notice =>
  notice({
    type: "high_severity_eviction",
    severity: "warning",
    message: `evidence of ${severity} severity was evicted: the quarantine is full`,
    reason: "capacity"
  })

/** The alert for an eviction; null where the severity needs none (CONFORMANCE Q2). */
export const highEvictions: Record<Severity, Notice | null> = {
  low: null,
  medium: null,
  high: highEviction("high"),
  critical: highEviction("critical")
}

/** More evidence came than the disk took. */
export const notDurable = notice({
  type: "custody.notDurable",
  severity: "warning",
  message: "more evidence came than the data directory's disk took: what came since is held in memory alone",
  reason: "window"
})

/** Pieces of the journal that were not what they say. */
export const unreadable = problem({
  state: "quarantine",
  code: "journal_unreadable",
  message: "evidence in the data directory is not what was written there: it stays there, and is not in custody"
})

/** The bytes of evidence were changed through its handle. */
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

/** There is no cold storage to evacuate to. */
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
