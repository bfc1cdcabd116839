/**
 * A sealed piece: bytes under AES-256-GCM, and in front of them, readable and authenticated, what
 * they are (spec/encryption.md). All numbers are big-endian:
 *
 * | at | bytes | field |
 * | --- | --- | --- |
 * | 0 | 4 | magic, `THSE` |
 * | 4 | 1 | version, 1 |
 * | 5 | 1 | purpose: 1 envelope, 2 journal |
 * | 6 | 1 | T: bytes of the tenant |
 * | 7 | 1 | S: bytes of the signature |
 * | 8 | 8 | slot of the key |
 * | 16 | 4 | use of the slot |
 * | 20 | 4 | N: bytes of the plaintext |
 * | 24 | 12 | nonce |
 * | 36 | T | tenant, in UTF-8 |
 * | 36 + T | S | signature, in ASCII |
 * | 36 + T + S | N | ciphertext |
 * | 36 + T + S + N | 16 | tag |
 *
 * Promises that every byte is authenticated: all in front of the ciphertext are GCM's additional
 * data. The key is named and looked up, never tried.
 */
import * as Result from "effect/Result"
import { type Aead, nonceBytes, tagBytes } from "../../host/port/Aead.ts"
import type { Randomness } from "../../host/port/Randomness.ts"
import { EncryptionError } from "./EncryptionError.ts"

const magic = 0x5448_5345
const version = 1
const nonceAt = 24
const fixedBytes = 36
const maxTextBytes = 255

/** What a piece may be sealed for; a piece for one use never passes as one for another. */
export const purposes = ["envelope", "journal"] as const
export type Purpose = typeof purposes[number]

/** Which key: the place in the file of slots, and how often it had been given out by then. */
export interface KeyName {
  /** From 0. */
  readonly slot: number
  /** From 1. */
  readonly use: number
}

/** What can be read of a sealed piece without its key. Nothing of it is proven before it opens. */
export interface SealedHeader {
  readonly purpose: Purpose
  readonly tenant: string
  readonly signature: string
  readonly key: KeyName
  /** Bytes of the plaintext. */
  readonly size: number
}

const utf8 = new TextEncoder()
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/**
 * Seals the plaintext under a key that seals nothing else for this purpose. O(n). A RangeError
 * where the tenant or the signature has more than 255 bytes in UTF-8, or a number does not fit its
 * field.
 */
export const seal = (
  header: Omit<SealedHeader, "size">,
  key: Uint8Array,
  plaintext: Uint8Array,
  { aead, randomness }: { readonly aead: Aead["Service"]; readonly randomness: Randomness["Service"] }
): Uint8Array => {
  const data = spell(header, plaintext.length)
  const nonce = data.subarray(nonceAt, nonceAt + nonceBytes)
  randomness.fill(nonce)
  const sealed = aead.seal(key, nonce, data, plaintext)
  const piece = new Uint8Array(data.length + sealed.length)
  piece.set(data)
  piece.set(sealed, data.length)
  return piece
}

const spell = (header: Omit<SealedHeader, "size">, size: number): Uint8Array<ArrayBuffer> => {
  const tenant = utf8.encode(header.tenant)
  const signature = utf8.encode(header.signature)
  const { slot, use } = header.key
  if (
    tenant.length > maxTextBytes || signature.length > maxTextBytes || size > 0xffff_ffff ||
    !Number.isSafeInteger(slot) || slot < 0 || !Number.isInteger(use) || use < 1 || use > 0xffff_ffff
  ) throw new RangeError("a field of a sealed piece does not fit its place")
  const data = new Uint8Array(fixedBytes + tenant.length + signature.length)
  const view = new DataView(data.buffer)
  view.setUint32(0, magic)
  view.setUint8(4, version)
  view.setUint8(5, purposes.indexOf(header.purpose) + 1)
  view.setUint8(6, tenant.length)
  view.setUint8(7, signature.length)
  view.setBigUint64(8, BigInt(slot))
  view.setUint32(16, use)
  view.setUint32(20, size)
  data.set(tenant, fixedBytes)
  data.set(signature, fixedBytes + tenant.length)
  return data
}

/** Whether bytes begin as a sealed piece of any version does. */
export const isSealed = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) === magic

/** So many bytes of a sealed piece, or all where it has fewer, are enough for its header. */
export const maxHeaderBytes = fixedBytes + 2 * maxTextBytes

/**
 * Reads what stands in front of the ciphertext, of a piece of `length` bytes of which only the
 * beginning may be given. O(1), whatever the bytes: no length that they state is trusted before all
 * of them add up to the piece's own.
 */
export const readHeader = (
  piece: Uint8Array,
  length: number = piece.length
): Result.Result<SealedHeader, EncryptionError> => {
  if (!isSealed(piece)) return refuse("not_sealed", "it does not begin with the magic THSE")
  const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength)
  if (piece.length < 5) return refuse("damaged", "it ends within its header")
  if (view.getUint8(4) !== version)
    return refuse("unknown_version", `version ${view.getUint8(4)}: this reader knows version ${version}`)
  if (piece.length < fixedBytes) return refuse("damaged", "it ends within its header")
  const size = view.getUint32(20)
  const tenantEnd = fixedBytes + view.getUint8(6)
  const dataEnd = tenantEnd + view.getUint8(7)
  if (dataEnd + size + tagBytes !== length) return refuse("damaged", "its lengths do not add up to its own")
  const purpose = purposes[view.getUint8(5) - 1]
  const slot = Number(view.getBigUint64(8))
  const use = view.getUint32(16)
  if (purpose === undefined) return refuse("damaged", "it names no purpose")
  if (!Number.isSafeInteger(slot) || use === 0) return refuse("damaged", "it names no slot")
  try {
    const tenant = strict.decode(piece.subarray(fixedBytes, tenantEnd))
    const signature = strict.decode(piece.subarray(tenantEnd, dataEnd))
    return Result.succeed({ purpose, tenant, signature, key: { slot, use }, size })
  } catch {
    return refuse("damaged", "its texts are not UTF-8")
  }
}

/** Gives the key of a name, in memory that the caller wipes; or why there is none. */
export type FindKey = (name: KeyName) => Result.Result<Uint8Array, EncryptionError>

/** A piece that was opened: all of its header is proven. */
export interface OpenedPiece {
  readonly header: SealedHeader
  /** In memory of its own. */
  readonly plaintext: Uint8Array
}

/**
 * Opens a piece that was sealed for `purpose`. Nothing is given out, and nothing of the header is
 * to be relied on, before the tag holds. The key that was found is wiped. O(n).
 */
export const open = (
  piece: Uint8Array,
  purpose: Purpose,
  findKey: FindKey,
  aead: Aead["Service"]
): Result.Result<OpenedPiece, EncryptionError> => {
  const read = readHeader(piece)
  if (Result.isFailure(read)) return Result.fail(read.failure)
  const header = read.success
  if (header.purpose !== purpose) return refuse("wrong_purpose", `it was sealed as ${header.purpose}, not ${purpose}`)
  const found = findKey(header.key)
  if (Result.isFailure(found)) return Result.fail(found.failure)
  const dataEnd = piece.length - header.size - tagBytes
  const nonce = piece.subarray(nonceAt, nonceAt + nonceBytes)
  const plaintext = aead.open(found.success, nonce, piece.subarray(0, dataEnd), piece.subarray(dataEnd))
  found.success.fill(0)
  return plaintext === null
    ? refuse("damaged", "its tag does not hold: a byte was changed, or the key is another")
    : Result.succeed({ header, plaintext })
}

const refuse = <A>(reason: EncryptionError["reason"], detail: string): Result.Result<A, EncryptionError> =>
  Result.fail(new EncryptionError({ reason, message: `this sealed piece was not opened: ${detail}` }))
