/**
 * A checkpoint: what is left of records that are no longer kept (AUDIT.md, "Checkpoints").
 *
 * The hash of a record covers all records before it, so the last one's stands for all of them. The checkpoint's own hash ties it
 * to their number: SHA-256 of `THK2`, the number in 8 bytes, and that hash.
 */
import { digestBytes, DigestBuffer, hexOf } from "../evidence/Digest.ts"
import type { Hash } from "../port/Hash.ts"

/** What is known of the first `length` records of a chain. */
export interface Checkpoint {
  readonly length: number
  /** The hash of the last of them; `genesis` where there are none. */
  readonly head: string
  /** SHA-256 over both. */
  readonly hash: string
}

const magic = 0x5448_4b32
const headAt = 12

/** The hash of a checkpoint. */
export const checkpointHash = (length: number, head: Uint8Array, hash: Pick<Hash["Service"], "sha256Into">): string => {
  const bytes = new Uint8Array(headAt + digestBytes)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, magic)
  view.setBigUint64(4, BigInt(length))
  bytes.set(head, headAt)
  const digest = new DigestBuffer()
  hash.sha256Into(bytes, digest.bytes)
  return hexOf(digest.bytes)
}
