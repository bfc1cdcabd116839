/**
 * The envelope: evidence as a file (RFC, "gzip + binary encoded evidence"; CONFORMANCE E6).
 * spec/envelope.md is the specification, spec/vectors/envelope.json holds it to account, and this
 * is version 1 of it. All numbers are big-endian:
 *
 * | at | bytes | field |
 * | --- | --- | --- |
 * | 0 | 4 | magic, `THEV` |
 * | 4 | 1 | version, 1 |
 * | 5 | 1 | codec of the body: 0 stored, 1 gzip, 2 zstd, 3 brotli |
 * | 6 | 2 | M: bytes of metadata |
 * | 8 | 4 | N: bytes of the evidence |
 * | 12 | 4 | B: bytes of the body |
 * | 16 | 32 | SHA-256 of the evidence |
 * | 48 | M | metadata: an EvidenceRecord as JSON in UTF-8 |
 * | 48 + M | B | body: the evidence under the codec |
 * | 48 + M + B | 32 | seal: SHA-256 of everything before it |
 *
 * Promises that `open` gives what `seal` took: it refuses any flipped, missing or added bit, and
 * stops a body that would inflate past the N it declares, or past the reader's own bound.
 *
 * **Gotchas**
 *
 * - The seal finds damage, not forgery: an attacker who can write the file can seal it again.
 *   Against forgery stands the audit chain, which holds the evidence's hash.
 * - A host may lack a codec: the portable host has stored and gzip. An envelope under another codec
 *   is sound but cannot be opened there, which is `codec_unavailable` and not damage.
 */
import * as Schema from "effect/Schema"
import { type Codec, codecs } from "../../domain/Codec.ts"
import { DigestBuffer, digestBytes, hexOf } from "../../domain/Digest.ts"
import type { EvidenceRecord } from "../../domain/Evidence.ts"
import type { Hash } from "../../host/port/Hash.ts"
import { type BodyRefusal, openBody, type Opener } from "./EnvelopeBody.ts"
import { parse, spell } from "./EnvelopeMetadata.ts"

const magic = 0x5448_4556
const version = 1
const digestAt = 16
const headerBytes = 48

/** The parts of the host that opening an envelope needs. */
export interface EnvelopePorts {
  readonly hash: Pick<Hash["Service"], "sha256Into" | "timingSafeEqual">
  readonly compression: Opener
}

export interface Opened {
  readonly record: EvidenceRecord
  readonly content: Uint8Array
}

/**
 * Why an envelope was not opened. A `damaged` one differs from what was sealed; an `inconsistent`
 * one was sealed so, and contradicts itself; `codec_unavailable` and `host` say nothing against the
 * envelope: another host may open it.
 */
export class EnvelopeError extends Schema.TaggedError<EnvelopeError>()("EnvelopeError", {
  reason: Schema.Literals([
    "not_an_envelope",
    "unknown_version",
    "unknown_codec",
    "damaged",
    "too_large",
    "inconsistent",
    "codec_unavailable",
    "host"
  ]),
  message: Schema.String
}) {}

/** Used again by every call of `seal` and `open`. */
const digest = new DigestBuffer()

/**
 * Seals evidence in an envelope. `body` is the evidence as `codec` gives it. O(n): one copy of the
 * body and one SHA-256 of the whole; the evidence's own hash is taken from its record.
 */
export const seal = (
  record: EvidenceRecord,
  codec: Codec,
  body: Uint8Array,
  hash: Pick<Hash["Service"], "sha256Into">
): Uint8Array => {
  const metadata = spell(record)
  const envelope = new Uint8Array(headerBytes + metadata.length + body.length + digestBytes)
  const view = new DataView(envelope.buffer)
  view.setUint32(0, magic)
  view.setUint8(4, version)
  view.setUint8(5, codecs.indexOf(codec))
  view.setUint16(6, metadata.length)
  view.setUint32(8, record.size)
  view.setUint32(12, body.length)
  digest.read(record.hash, 0)
  envelope.set(digest.bytes, digestAt)
  envelope.set(metadata, headerBytes)
  envelope.set(body, headerBytes + metadata.length)
  const sealed = envelope.length - digestBytes
  hash.sha256Into(envelope.subarray(0, sealed), envelope.subarray(sealed))
  return envelope
}

/**
 * Opens an envelope, to at most `limit` bytes of evidence; throws `EnvelopeError`. The checks and
 * their order are those of spec/envelope.md. O(n): it reads no byte that the lengths in the header
 * do not cover, and inflates nothing before all other checks hold.
 */
export const open = (envelope: Uint8Array, limit: number, { compression, hash }: EnvelopePorts): Opened => {
  if (!isBytes(envelope)) throw refuse("not_an_envelope", "it is no Uint8Array")
  if (envelope.length < headerBytes + digestBytes)
    throw refuse("not_an_envelope", "it is shorter than a header and a seal")
  const view = new DataView(envelope.buffer, envelope.byteOffset, envelope.byteLength)
  if (view.getUint32(0) !== magic) throw refuse("not_an_envelope", "it does not begin with the magic THEV")
  if (view.getUint8(4) !== version)
    throw refuse("unknown_version", `version ${view.getUint8(4)}: this reader knows version ${version}`)
  const codec = codecs[view.getUint8(5)]
  if (codec === undefined) throw refuse("unknown_codec", `codec ${view.getUint8(5)}`)
  const metadataEnd = headerBytes + view.getUint16(6)
  const size = view.getUint32(8)
  const bodyEnd = metadataEnd + view.getUint32(12)
  if (bodyEnd + digestBytes !== envelope.length) throw refuse("damaged", "its lengths do not add up to its own")
  hash.sha256Into(envelope.subarray(0, bodyEnd), digest.bytes)
  if (!hash.timingSafeEqual(digest.bytes, envelope.subarray(bodyEnd))) throw refuse("damaged", "its seal is broken")
  if (!isWithin(size, limit)) {
    const most = typeof limit === "number" ? limit : "a limit that is no number"
    throw refuse("too_large", `it declares ${size} bytes of evidence, more than ${most}`)
  }
  const record = parse(envelope.subarray(headerBytes, metadataEnd))
  if (record === null) throw refuse("inconsistent", "its metadata is not an evidence record in its one spelling")
  if (record.size !== size || record.hash !== hexOf(envelope, digestAt))
    throw refuse("inconsistent", "its metadata is of other evidence")
  if (!record.signature.startsWith(`${record.category}:`))
    throw refuse("inconsistent", "its category is not the one in its signature")
  const content = openBody(codec, envelope.subarray(metadataEnd, bodyEnd), size, compression)
  if (typeof content === "string") throw refuse(content, unopened[content](codec, size, compression))
  hash.sha256Into(content, digest.bytes)
  if (content.length !== size || !hash.timingSafeEqual(digest.bytes, envelope.subarray(digestAt, headerBytes)))
    throw refuse("inconsistent", "its evidence is not what its header says")
  return { record, content }
}

/**
 * The name of a typed array's class, by its own slots: the same for an array of another realm, and
 * nothing that a Proxy or an object made to look like one can have.
 */
const typedArrayName = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag
)?.get

const isBytes = (value: unknown): boolean =>
  typedArrayName !== undefined && Reflect.apply(typedArrayName, value, []) === "Uint8Array"

/** A limit that is no number, or NaN, is one that nothing is within. */
const isWithin = (size: number, limit: unknown): boolean => typeof limit === "number" && size <= limit

const unopened: Readonly<Record<BodyRefusal, (codec: Codec, size: number, opener: Opener) => string>> = {
  inconsistent: (codec, size) => `its body is not one ${codec} stream of the ${size} bytes it declares`,
  codec_unavailable: (codec, _size, { codecs }) =>
    `its body is ${codec} and this host opens ${codecs.join(", ")}: open it on Node 22.15 or newer`,
  host: (codec) => `this host failed to open its ${codec} body: try again, or on a host with more memory`
}

const refuse = (reason: EnvelopeError["reason"], detail: string): EnvelopeError =>
  new EnvelopeError({ reason, message: `this evidence envelope was not opened: ${detail}` })
