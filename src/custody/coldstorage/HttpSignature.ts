/**
 * The header fields of a request to an `http:` or `https:` endpoint: what it carries, when it was
 * sent, and, with a key, who sent it (docs/cold-storage.md shows the receiver's side).
 *
 * The signature is an HMAC-SHA-256 (RFC 2104) over six lines without an end of line after the last:
 * `tracehound/1`, method, path, time, name and the envelope's hash. Nothing of it is secret, and no
 * two envelopes have the same.
 */
import type { Hash } from "../../host/port/Hash.ts"

/** What is signed. */
export interface Signed {
  readonly method: string
  /** Of the URL, as it is sent. */
  readonly path: string
  /** Milliseconds since the epoch. */
  readonly time: number
  /** Of the envelope. */
  readonly name: string
  /** Of the envelope, in lowercase hexadecimal. */
  readonly sha256: string
}

type Hasher = Pick<Hash["Service"], "sha256" | "sha256Hex">

/** Bytes of a block of SHA-256 (FIPS 180-4). */
const blockBytes = 64

/** HMAC-SHA-256 in lowercase hexadecimal. The key's copies are overwritten. */
export const hmacHex = (hash: Hasher, key: Uint8Array, message: Uint8Array): string => {
  const block = new Uint8Array(blockBytes)
  block.set(key.length > blockBytes ? hash.sha256(key) : key)
  const inner = new Uint8Array(blockBytes + message.length)
  inner.set(block.map((byte) => byte ^ 0x36))
  inner.set(message, blockBytes)
  const digest = hash.sha256(inner)
  const outer = new Uint8Array(blockBytes + digest.length)
  outer.set(block.map((byte) => byte ^ 0x5c))
  outer.set(digest, blockBytes)
  const signature = hash.sha256Hex(outer)
  for (const bytes of [block, inner, outer]) bytes.fill(0)
  return signature
}

const utf8 = new TextEncoder()

/** The header fields; without a signature where there is no key. */
export const headersOf = (hash: Hasher, signed: Signed, key: string | undefined): Readonly<Record<string, string>> => {
  const { method, name, path, sha256, time } = signed
  const headers = {
    "if-none-match": "*",
    "tracehound-name": name,
    "tracehound-time": String(time),
    "tracehound-sha256": sha256
  }
  if (key === undefined) return headers
  const text = utf8.encode(["tracehound/1", method, path, time, name, sha256].join("\n"))
  const secret = utf8.encode(key)
  const signature = hmacHex(hash, secret, text)
  secret.fill(0)
  return { ...headers, "tracehound-signature": signature }
}
