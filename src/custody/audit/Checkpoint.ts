/**
 * A checkpoint stands for the records that a chain no longer keeps (spec/ledger.md, "Records").
 *
 * A record's hash covers all records before it, so the hash of the last one that left stands for
 * all that have left. The checkpoint's own hash ties that hash to their number: SHA-256 of `THK1`,
 * the number in 8 bytes, and the hash. It depends on the records alone and not on when they left:
 * two parties with the same records have the same checkpoint.
 */
import { digestBytes, hexOf } from "../../domain/Digest.ts"
import type { Hash } from "../../host/port/Hash.ts"

/** Stands for the first `length` records of a chain. */
export interface Checkpoint {
  readonly length: number
  /** The hash of the last of them; `genesis` where there are none. */
  readonly head: string
  /** SHA-256 over both. */
  readonly hash: string
}

const magic = 0x5448_4b31
const lengthAt = 4
const headAt = 12

/** The checkpoint of `length` records, the last of which has the hash `head`. */
export const makeCheckpoint = (
  length: number,
  head: Uint8Array,
  { sha256Into }: Pick<Hash["Service"], "sha256Into">
): Checkpoint => {
  const bytes = new Uint8Array(headAt + digestBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, magic)
  view.setBigUint64(lengthAt, BigInt(length))
  bytes.set(head, headAt)
  const digest = new Uint8Array(digestBytes)
  sha256Into(bytes, digest)
  return Object.freeze({ length, head: hexOf(head), hash: hexOf(digest) })
}
