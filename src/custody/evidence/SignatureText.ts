/**
 * A signature as text: `category:sha256hex` (CONFORMANCE D3), and how to take it apart.
 */
import { type DigestBuffer, digestBytes } from "../../domain/Digest.ts"
import { type CategoryRank, threatCategories, type ThreatCategory } from "../../domain/Scent.ts"

/** The signature of content of this category; `hex` is the digest in it, in hexadecimal. */
export const signatureOf = (category: ThreatCategory, hex: string): string => `${category}:${hex}`

/** No signature is longer. */
const maxLength = Math.max(...threatCategories.map(({ length }) => length)) + 1 + 2 * digestBytes

/**
 * Reads the digest into `digest` and gives the rank of the category; null where the value is no
 * signature. Never throws. O(1): a longer text is refused unread.
 */
export const parseSignature = (signature: unknown, digest: DigestBuffer): CategoryRank | null => {
  if (typeof signature !== "string" || signature.length > maxLength) return null
  const colon = signature.indexOf(":")
  const rank = threatCategories.findIndex((name) => name.length === colon && signature.startsWith(name))
  return rank >= 0 && digest.read(signature, colon + 1) ? rank as CategoryRank : null
}
