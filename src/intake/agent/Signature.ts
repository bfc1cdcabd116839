/**
 * Makes the digest in a signature, the name that content gives itself (RFC, "Intent"; CONFORMANCE
 * D3, D8).
 *
 * A signature is the category and a digest of the payload's canonical bytes, which
 * spec/canonical.md specifies: different content has a different signature, the same content always
 * the same one. Without a key the digest is the SHA-256 of the bytes, which anybody can recompute.
 * With a key it is their HMAC-SHA-256 (RFC 2104), which needs the key: an attacker cannot find out
 * whether content is held by looking for its signature in a log or a page.
 *
 * The HMAC is two hashes: the first over the inner block and the content, which the canonical
 * writer lays one behind the other in its buffer, the second over 96 bytes. It costs as much as the
 * SHA-256 where content is long, and twice as much at 64 bytes. New evidence is hashed once more
 * without the key, as its record carries the plain SHA-256 of its bytes.
 */
import { type Digest, digestBytes } from "../../domain/Digest.ts"
import type { Hash } from "../../host/port/Hash.ts"

/** RFC 2104: bytes of a block of SHA-256, and the pads that the key is mixed with. */
const blockBytes = 64
const innerPad = 0x36
const outerPad = 0x5c

/** The canonical writer's view of the payload that it wrote. */
interface Written {
  readonly content: Uint8Array
  /** The content behind the signer's prefix. */
  readonly prefixed: Uint8Array
}

export interface Signer {
  /** The bytes that the writer must put before the content in its buffer. Empty without a key. */
  readonly prefix: Uint8Array
  /** The digest for the signature. */
  readonly sign: (written: Written) => Digest
  /** The SHA-256 of the payload, whose signature's digest is `signed`. */
  readonly hash: (written: Written, signed: Digest) => Digest
  /** Overwrites what it has of the key: it signs nothing any more. */
  readonly wipe: () => void
}

/** What a signer needs of the host's Hash. */
type Hasher = Pick<Hash["Service"], "sha256Into" | "sha256Text">

/** SHA-256 without a key: the signature's digest is the hash. */
const plainSigner = ({ sha256Text }: Hasher): Signer => ({
  prefix: new Uint8Array(0),
  sign: ({ content }) => sha256Text(content),
  hash: (_, signed) => signed,
  wipe: () => undefined
})

/**
 * Memory that stays where it is: V8 keeps a short array among its objects, whose memory it copies
 * and leaves behind as it likes.
 */
const offHeap = (length: number): Uint8Array => new Uint8Array(new ArrayBuffer(length))

/** HMAC-SHA-256 with a key of any length. */
const keyedSigner = ({ sha256Into, sha256Text }: Hasher, key: Uint8Array): Signer => {
  const block = offHeap(blockBytes)
  if (key.length > blockBytes) sha256Into(key, block)
  else block.set(key)
  const outer = new Uint8Array(blockBytes + digestBytes)
  for (let i = 0; i < blockBytes; i++) outer[i] = (block[i] ?? 0) ^ outerPad
  const inner = outer.subarray(blockBytes)
  const prefix = offHeap(blockBytes)
  for (let i = 0; i < blockBytes; i++) prefix[i] = (block[i] ?? 0) ^ innerPad
  block.fill(0)
  return {
    prefix,
    sign: ({ prefixed }) => {
      sha256Into(prefixed, inner)
      return sha256Text(outer)
    },
    hash: ({ content }) => sha256Text(content),
    wipe: () => {
      prefix.fill(0)
      outer.fill(0)
    }
  }
}

/** A signer, with a key or without one. It keeps nothing of the array that the key comes in. */
export const makeSigner = (hash: Hasher, key: Uint8Array | undefined): Signer =>
  key === undefined ? plainSigner(hash) : keyedSigner(hash, key)
