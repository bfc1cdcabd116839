/**
 * Threats: scents that a detector called hostile, named by a signature of their content (RFC,
 * "Threat" and "Intent").
 */
import * as Schema from "effect/Schema"
import { Scent, threatCategories, ThreatCategory } from "./Scent.ts"
import { Severity } from "./Severity.ts"

/** A SHA-256 in lowercase hexadecimal: 64 characters. */
export const Sha256Hex = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{64}$/, { expected: "a SHA-256 in lowercase hexadecimal" })
)

/**
 * `category:sha256hex`: the SHA-256 of the payload's canonical bytes or, with `signature.key`,
 * their HMAC (CONFORMANCE D3, D8).
 */
export const Signature = Schema.String.check(
  Schema.isPattern(new RegExp(`^(?:${threatCategories.join("|")}):[0-9a-f]{64}$`), {
    expected: "a signature: a category, a colon and a SHA-256 in lowercase hexadecimal"
  })
)
export type Signature = typeof Signature.Type

/** A detected threat with its signature. */
export const Threat = Schema.Struct({
  signature: Signature,
  category: ThreatCategory,
  severity: Severity,
  scent: Scent
})
export type Threat = typeof Threat.Type
