/**
 * The answers of `intercept` (RFC, "API"; CONFORMANCE D6): a closed union of seven statuses. The
 * status alone tells the caller what to do.
 *
 * **Gotchas**
 *
 * - `ignored` means that evidence of this threat is already held, not that the scent is harmless:
 *   block it like a quarantined one.
 * - `quarantined` with `evicted` means that there was no room: the evidence was recorded, sent to
 *   cold storage if one is configured, and is no longer held. Its handle is disposed. This is not
 *   an `error`, because a caller may let scents with errors pass.
 */
import * as Schema from "effect/Schema"
import { EvidenceHandle } from "./Evidence.ts"
import { Hound } from "./Hound.ts"
import { EvictionRecord } from "./Records.ts"
import { Signature } from "./Threat.ts"
import { TracehoundError } from "./TracehoundError.ts"

/** The bound that a payload exceeded, if it was not the size in bytes. */
export const PayloadBound = Schema.Literals(["maxDepth", "maxKeys"])

export const InterceptResult = Schema.Union([
  Schema.Struct({ status: Schema.Literal("clean") }),
  Schema.Struct({
    status: Schema.Literal("rate_limited"),
    /** Milliseconds until the source is allowed again. */
    retryAfter: Schema.Finite
  }),
  Schema.Struct({
    status: Schema.Literal("payload_too_large"),
    /** The bound that was exceeded: canonical bytes, unless `bound` names another one. */
    limit: Schema.Natural,
    bound: Schema.optionalKey(PayloadBound)
  }),
  Schema.Struct({ status: Schema.Literal("ignored"), signature: Signature }),
  Schema.Struct({
    status: Schema.Literal("quarantined"),
    handle: EvidenceHandle,
    evicted: Schema.optionalKey(EvictionRecord)
  }),
  Schema.Struct({ status: Schema.Literal("escalated"), hound: Hound, handle: EvidenceHandle }),
  Schema.Struct({ status: Schema.Literal("error"), error: TracehoundError })
])
export type InterceptResult = typeof InterceptResult.Type

/** The seven statuses: from what costs nothing to what is worst. */
export const interceptStatuses = [
  "clean",
  "rate_limited",
  "payload_too_large",
  "ignored",
  "quarantined",
  "escalated",
  "error"
] as const satisfies ReadonlyArray<InterceptResult["status"]>

/** How many scents got each answer, with a key for each status even where the count is 0. */
export type InterceptTotals = { readonly [status in InterceptResult["status"]]: number }
