/**
 * The signature: the name that content gives itself (RFC, "Intent"; CONFORMANCE D3).
 *
 * Different content has a different signature, the same content always the same one: it is the category and the SHA-256 of
 * the payload's canonical bytes, which CANONICAL.md specifies and anybody can recompute.
 */
import type { ThreatCategory } from "../domain/Scent.ts"

/** The signature of content whose canonical bytes have this SHA-256, in lowercase hexadecimal. */
export const signatureOf = (category: ThreatCategory, hash: string): string => `${category}:${hash}`
