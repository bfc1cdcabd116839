/**
 * A runtime with small bounds, and ways to pass it any payload or scent.
 */
import { assert } from "@effect/vitest"
import { createTracehound, type InterceptResult, type Scent, type TracehoundInstance } from "tracehound"

/** Bounds that a test can reach. */
export const bounds = { maxPayloadSize: 4096, maxDepth: 64, maxKeys: 64, maxCount: 4, maxBytes: 6000 } as const

/** A Tracehound with these bounds. */
export const smallTracehound = (): TracehoundInstance =>
  createTracehound({
    maxPayloadSize: bounds.maxPayloadSize,
    maxDepth: bounds.maxDepth,
    maxKeys: bounds.maxKeys,
    rateLimit: { maxRequests: 1_000_000_000 },
    quarantine: { maxCount: bounds.maxCount, maxBytes: bounds.maxBytes }
  })

const statuses: ReadonlySet<string> = new Set([
  "clean",
  "rate_limited",
  "payload_too_large",
  "ignored",
  "quarantined",
  "escalated",
  "error"
])

/** Intercepts a scent with this payload, and asserts what must hold for every payload. */
export const intercept = (tracehound: TracehoundInstance, payload: unknown): InterceptResult =>
  interceptScent(tracehound, {
    id: "1",
    source: "192.0.2.1",
    timestamp: 1,
    payload,
    threat: { category: "malware", severity: "low" }
  })

/** The same for any value in place of a scent. */
export const interceptScent = (tracehound: TracehoundInstance, scent: unknown): InterceptResult => {
  const result = tracehound.intercept(scent as Scent)
  assert.isTrue(statuses.has(result.status), result.status)
  const { bytes, count } = tracehound.quarantine
  assert.isAtMost(count, bounds.maxCount)
  assert.isAtMost(bytes, bounds.maxBytes)
  if (result.status === "quarantined") assert.isAtMost(result.handle.size, bounds.maxPayloadSize)
  return result
}

/**
 * The signature that a payload was given, or the status where it was given none. Leaves nothing
 * held.
 */
export const signatureOf = (tracehound: TracehoundInstance, payload: unknown): string => {
  const result = intercept(tracehound, payload)
  if (result.status === "ignored") return result.signature
  if (result.status !== "quarantined") return result.status
  result.handle.neutralize()
  return result.handle.signature
}
