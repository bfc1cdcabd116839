/**
 * What `intercept` answers (RFC, "API"; CONFORMANCE D6). Seven statuses, a closed union: the caller
 * acts on the status alone.
 *
 * **Gotchas**
 *
 * - `ignored` means "evidence of this is already held", not "harmless": block it like a quarantined
 *   one.
 * - `quarantined` with `evicted` means that there was no room: the evidence was recorded, sent to
 *   cold storage where one is configured, and is no longer held. Its handle is disposed. It is not
 *   an error, which callers may let pass.
 */
import * as Schema from "effect/Schema"
import { EvidenceHandle } from "./Evidence.ts"
import { Hound } from "./Hound.ts"
import { EvictionRecord } from "./Records.ts"
import { Signature } from "./Threat.ts"
import { TracehoundError } from "./TracehoundError.ts"

/** The bound of the payload that was passed, where it was not its size in bytes. */
export const PayloadBound = Schema.Literals(["maxDepth", "maxKeys"])

/** The seven answers. */
export const InterceptResult = Schema.Union([
  Schema.Struct({ status: Schema.Literal("clean") }),
  Schema.Struct({
    status: Schema.Literal("rate_limited"),
    /** Milliseconds until the source may come again. */
    retryAfter: Schema.Finite
  }),
  Schema.Struct({
    status: Schema.Literal("payload_too_large"),
    /** The value of the bound that was passed: canonical bytes, unless `bound` names another. */
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
