/**
 * An audit record as bytes: what its hash covers (CONFORMANCE A2). Version 1, all numbers big-endian:
 *
 * | bytes | field |
 * | --- | --- |
 * | 4 | `THA1` |
 * | 32 | previous hash |
 * | 8 | sequence |
 * | 1 | status: 1 neutralized, 2 evacuated, 3 transferred, 4 evicted |
 * | 1 | severity: 0 not in this record, 1 low, 2 medium, 3 high, 4 critical |
 * | 8 | timestamp, binary64 |
 * | 8 | size |
 * | 8 | compressed size, all ones where there is none |
 * | 32 | SHA-256 of the evidence |
 * | 4 + n | id |
 * | 4 + n | signature |
 * | 4 + n | destination; length all ones where there is none |
 *
 * Texts are UTF-8. Every field has a fixed length or says its own, so two records with the same bytes are the same record.
 *
 * **Gotchas**
 *
 * - `reason` is not written: `capacity` is the only one, and status 4 implies it.
 * - That holds of records that fit their schema (digests of 64 hexadecimal characters, sizes that are natural numbers, texts
 *   without lone surrogates, no field besides): the chain checks that of records it did not make.
 */
import type { CustodyRecord } from "../domain/Records.ts"
import { severities } from "../domain/Severity.ts"

const magic = 0x5448_4131
const statuses: ReadonlyArray<CustodyRecord["status"]> = ["neutralized", "evacuated", "transferred", "evicted"]
const absent = 0xffff_ffff

const utf8 = new TextEncoder()

/** The value of a lowercase hexadecimal digit. */
const nibble = (code: number): number => code < 0x3a ? code - 0x30 : code - 0x57

/** Encodes records, one at a time, into a buffer it uses again. */
export interface AuditEncoder {
  /** The bytes stay valid until the next call. O(length of the record's texts). */
  readonly encode: (sequence: number, entry: CustodyRecord) => Uint8Array
}

/** A new encoder with a buffer of its own. */
export const makeAuditEncoder = (): AuditEncoder => {
  let buffer = new Uint8Array(1024)
  let view = new DataView(buffer.buffer)
  let at = 0

  const reserve = (bytes: number): void => {
    if (at + bytes <= buffer.length) return
    const grown = new Uint8Array(Math.max(buffer.length * 2, at + bytes))
    grown.set(buffer)
    buffer = grown
    view = new DataView(buffer.buffer)
  }
  const byte = (value: number): void => {
    view.setUint8(at, value)
    at += 1
  }
  const u64 = (value: number): void => {
    view.setUint32(at, Math.floor(value / 0x1_0000_0000))
    view.setUint32(at + 4, value >>> 0)
    at += 8
  }
  const text = (value: string | null): void => {
    if (value === null) {
      view.setUint32(at, absent)
      at += 4
      return
    }
    reserve(4 + value.length * 3 + 64)
    const { written } = utf8.encodeInto(value, buffer.subarray(at + 4))
    view.setUint32(at, written)
    at += 4 + written
  }
  const digest = (hex: string): void => {
    for (let i = 0; i < 64; i += 2) byte((nibble(hex.charCodeAt(i)) << 4) | nibble(hex.charCodeAt(i + 1)))
  }

  return {
    encode: (sequence, entry) => {
      at = 0
      view.setUint32(0, magic)
      at = 4
      digest(entry.previousHash)
      reserve(256)
      u64(sequence)
      byte(statuses.indexOf(entry.status) + 1)
      byte(entry.status === "evicted" ? severities.indexOf(entry.severity) + 1 : 0)
      view.setFloat64(at, entry.timestamp)
      at += 8
      u64(entry.size)
      if (entry.status === "evacuated") u64(entry.compressedSize)
      else {
        view.setUint32(at, absent)
        view.setUint32(at + 4, absent)
        at += 8
      }
      digest(entry.hash)
      text(entry.id)
      text(entry.signature)
      text("destination" in entry ? entry.destination : null)
      return buffer.subarray(0, at)
    }
  }
}
