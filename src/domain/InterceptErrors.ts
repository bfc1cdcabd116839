/**
 * The answers of `intercept` as errors, for programs that let a request pass only where its scent
 * is clean (CONFORMANCE D10).
 *
 * **Gotchas**
 *
 * - None of them holds a handle: who logs an error would log evidence. `quarantine.get(signature)`
 *   gives the handle.
 */
import * as Schema from "effect/Schema"
import { PayloadBound } from "./InterceptResult.ts"
import { Signature } from "./Threat.ts"
import { TracehoundError } from "./TracehoundError.ts"

/** The source has sent more than it may: `retryAfter` ms from now it may send again. */
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", { retryAfter: Schema.Finite }) {
  override get message(): string {
    return `the source sends more than it may: again in ${this.retryAfter} ms`
  }
}

/** The payload exceeds a bound: canonical bytes, unless `bound` names another one. */
export class PayloadTooLarge extends Schema.TaggedError<PayloadTooLarge>()("PayloadTooLarge", {
  limit: Schema.Natural,
  bound: Schema.optionalKey(PayloadBound)
}) {
  override get message(): string {
    return `the payload exceeds ${this.bound ?? "maxPayloadSize"}, which is ${this.limit}`
  }
}

/**
 * A threat. Answer all three in the same way: the difference would tell an attacker what is held.
 * `ignored` means "held already", and not "harmless".
 */
export class Hostile extends Schema.TaggedError<Hostile>()("Hostile", {
  status: Schema.Literals(["quarantined", "ignored", "escalated"]),
  signature: Signature
}) {
  override get message(): string {
    return `the scent is a threat: ${this.signature}`
  }
}

/**
 * Tracehound did not judge the scent: it is none, or Tracehound has panicked or is closed. Adapters
 * let such a request pass, unless they would rather block it where `error.recoverable` is false.
 */
export class Unjudged extends Schema.TaggedError<Unjudged>()("Unjudged", { error: TracehoundError }) {
  override get message(): string {
    return this.error.message
  }
}

/** All errors of `interceptOrFail`. */
export type InterceptError = RateLimited | PayloadTooLarge | Hostile | Unjudged
