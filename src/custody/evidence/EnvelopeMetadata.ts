/**
 * An envelope's metadata: an EvidenceRecord as JSON in one spelling (spec/envelope.md, "Metadata").
 *
 * Promises that two readers never read two records out of the same bytes: `parse` refuses bytes
 * that `spell` would not have written. So no key comes twice, none is unknown, and there is no
 * white space, no other order and no other form of a number.
 *
 * **Gotchas**
 *
 * - A time of -0 is spelled 0, as JSON.stringify has it.
 */
import * as Schema from "effect/Schema"
import { EvidenceRecord } from "../../domain/Evidence.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true })
const decodeRecord = Schema.decodeUnknownSync(EvidenceRecord)

/**
 * The record in its one spelling: at most 3,402 bytes, by the bounds of its fields. O(its length).
 */
export const spell = ({ captured, category, hash, scent, severity, signature, size }: EvidenceRecord): Uint8Array => {
  const { id, source, timestamp } = scent
  return encoder.encode(
    JSON.stringify({ signature, hash, category, severity, size, captured, scent: { id, source, timestamp } })
  )
}

/** The record that these bytes spell, or null. Never throws. O(their length). */
export const parse = (bytes: Uint8Array): EvidenceRecord | null => {
  try {
    const record = decodeRecord(JSON.parse(decoder.decode(bytes)))
    // Bytes, not text: a decoder drops a byte order mark without a trace.
    return isSame(spell(record), bytes) ? record : null
  } catch {
    return null
  }
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])
