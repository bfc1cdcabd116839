/**
 * A quarantine with room for one piece of evidence, and evidence to fill it.
 */
import { Effect } from "effect"
import { type Severity, Tracehound } from "../../src/index.ts"

export const scent = (payload: unknown, severity: Severity = "low", source = "192.0.2.1") => ({
  id: `id of ${String(payload)}`,
  source,
  timestamp: 1,
  payload,
  threat: { category: "injection", severity } as const
})

/** Intercepts two pieces of evidence: the first is evicted. */
export const evictOne = Effect.gen(function*() {
  const { sync } = yield* Tracehound
  sync.intercept(scent("first"))
  sync.intercept(scent("second"))
})

/** Room for one piece of evidence; cold storage makes three attempts. */
export const small = (coldStorage = {}) => ({
  quarantine: { maxCount: 1 },
  audit: {
    coldStorage: { endpoint: "file:memory", retries: 2, retryDelayMs: 100, writeTimeoutMs: 1_000, ...coldStorage }
  }
})
