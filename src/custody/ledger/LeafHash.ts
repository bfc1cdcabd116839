/**
 * The hash of an entry: its leaf hash in RFC 6962's tree, SHA-256 of a zero byte and the text
 * (section 2.1). So the chain of entries and the tree over them share one hash.
 */
import type { Hash } from "../../host/port/Hash.ts"
import { maxEntryBytes } from "./Entry.ts"

/** RFC 6962 2.1: what is hashed in front of a leaf, so that no leaf is a node. */
const leafPrefix = 0x00

const utf8 = new TextEncoder()

/** Hashes entries. One buffer of 64 KiB serves all calls, which are synchronous. */
export class LeafHasher {
  /** A zero byte, and the text that was hashed last. */
  readonly bytes: Uint8Array = new Uint8Array(1 + maxEntryBytes + 1).fill(leafPrefix, 0, 1)
  private readonly text = this.bytes.subarray(1, 1 + maxEntryBytes)
  private readonly hash: Pick<Hash["Service"], "sha256Into">

  constructor(hash: Pick<Hash["Service"], "sha256Into">) {
    this.hash = hash
  }

  /**
   * Writes the hash of the text in the first `length` bytes of `text` into the first 32 bytes of
   * the target. The text has at most 65,535 bytes.
   */
  ofBytes(text: Uint8Array, length: number, target: Uint8Array): void {
    this.text.set(length === text.length ? text : text.subarray(0, length))
    this.hash.sha256Into(this.bytes.subarray(0, 1 + length), target)
  }

  /**
   * The same for a text, which has at most 65,535 bytes in UTF-8. Gives their number, or -1 where
   * the text has more, and then writes nothing.
   */
  ofText(text: string, target: Uint8Array): number {
    const { read, written } = utf8.encodeInto(text, this.text)
    if (read < text.length) return -1
    this.hash.sha256Into(this.bytes.subarray(0, 1 + written), target)
    return written
  }
}
