/**
 * An inclusion proof as a file (C2SP tlog-proof): the place of an entry, the hashes that lead from
 * it to the root, and a signed checkpoint with that root (spec/ledger.md, "Proofs").
 */
import { base64, fromBase64 } from "./Base64.ts"
import { hashBytes } from "./Merkle.ts"

const firstLine = "c2sp.org/tlog-proof@v1"

/** RFC 6962's tree over 2^53 leaves is no higher. */
const maxHashes = 53

/** A proof that an entry is in a ledger. Its note is to be opened, and its hashes to be checked. */
export interface TlogProof {
  /** The entry's sequence. */
  readonly index: number
  /** From the leaf up. */
  readonly proof: ReadonlyArray<Uint8Array>
  /** A signed checkpoint. */
  readonly note: string
}

export const tlogProofText = ({ index, note, proof }: TlogProof): string =>
  [firstLine, `index ${index}`, ...proof.map(base64), "", note].join("\n")

/**
 * Reads a proof; null where it is none. Its line `extra`, which is about nothing here, is passed
 * over. Nothing is proven by reading it. Never throws.
 */
export const parseTlogProof = (text: string): TlogProof | null => {
  const split = text.indexOf("\n\n")
  if (split < 0) return null
  const [first, ...lines] = text.slice(0, split).split("\n")
  const [place = "", ...hashes] = lines[0]?.startsWith("extra ") === true ? lines.slice(1) : lines
  const [, digits = ""] = /^index (0|[1-9][0-9]*)$/.exec(place) ?? []
  const index = Number(digits)
  if (first !== firstLine || digits === "" || !Number.isSafeInteger(index) || hashes.length > maxHashes) return null
  const proof = hashes.map(fromBase64)
  return proof.every((hash) => hash?.length === hashBytes)
    ? { index, proof: proof as ReadonlyArray<Uint8Array>, note: text.slice(split + 2) }
    : null
}
