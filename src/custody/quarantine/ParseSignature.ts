/**
 * A signature as text, taken apart: `category:sha256hex` (CONFORMANCE D3).
 */
import type { DigestBuffer } from "../../domain/Digest.ts"
import { threatCategories } from "../../domain/Scent.ts"

/**
 * The place of the category in `threatCategories`, with the digest in `digest`; -1 where it is no
 * signature. Never throws.
 */
export const parseSignature = (signature: unknown, digest: DigestBuffer): number => {
  if (typeof signature !== "string") return -1
  const colon = signature.indexOf(":")
  const category = threatCategories.findIndex((name) => name.length === colon && signature.startsWith(name))
  return category >= 0 && digest.read(signature, colon + 1) ? category : -1
}
