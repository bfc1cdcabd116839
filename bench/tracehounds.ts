/**
 * The Tracehounds that are measured, through the public API and from source.
 *
 * **Gotchas**
 *
 * - A benchmark's own source must never be rate limited: unless a line says otherwise, a source may
 *   come a billion times.
 * - Nothing starts the background here. Evidence is of low severity and no cold storage is
 *   configured, so an eviction has nothing to tell but its log line, which a full mailbox counts
 *   and drops. The mix and the memory lines start it.
 */
import { createTracehound, type TracehoundConfigInput, type TracehoundInstance } from "../src/index.ts"

/** More than any run holds. */
const roomy = {
  maxPayloadSize: 2_097_152,
  rateLimit: { maxRequests: 1_000_000_000 },
  quarantine: { maxCount: 16_777_216, maxBytes: 1e15 }
} as const satisfies TracehoundConfigInput

/** A Tracehound with room for everything, but for what the configuration says. */
export const roomyTracehound = (config: TracehoundConfigInput = {}): TracehoundInstance =>
  createTracehound({
    ...roomy,
    ...config,
    rateLimit: { ...roomy.rateLimit, ...config.rateLimit },
    quarantine: { ...roomy.quarantine, ...config.quarantine }
  })

/** Fails loudly where a line does not measure what it says: any other status than this one. */
export const mustBe = (status: string, result: { readonly status: string }): void => {
  if (result.status !== status) throw new Error(`expected ${status}, got ${JSON.stringify(result)}`)
}
