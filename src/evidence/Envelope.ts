/**
 * The envelope: evidence as a file (RFC, "gzip + binary encoded evidence"; CONFORMANCE E6). The format, version 1, all
 * numbers big-endian:
 *
 * | at | bytes | field |
 * | --- | --- | --- |
 * | 0 | 4 | magic, `THEV` |
 * | 4 | 1 | version, 1 |
 * | 5 | 1 | codec of the body: 0 stored, 1 gzip (RFC 1952) |
 * | 6 | 2 | M: bytes of metadata |
 * | 8 | 4 | N: bytes of the evidence |
 * | 12 | 4 | B: bytes of the body |
 * | 16 | 32 | SHA-256 of the evidence |
 * | 48 | M | metadata: an EvidenceRecord as JSON in UTF-8 |
 * | 48 + M | B | body: the evidence under the codec |
 * | 48 + M + B | 32 | seal: SHA-256 of everything before it |
 *
 * Promises that what `open` gives is what `seal` took: any flipped, missing or added bit is refused, and a body that would
 * inflate past the N it declares, or past the reader's own bound, is stopped there.
 *
 * **Gotchas**
 *
 * - The seal finds damage, not forgery: whoever can write the file can seal it again. Against forgery stands the audit
 *   chain, which holds the evidence's hash.
 * - The metadata is JSON: a time of -0 comes back as 0.
 */
import * as Schema from "effect/Schema"
import { EvidenceRecord } from "../domain/Evidence.ts"
import type { Compression } from "../port/Compression.ts"
import type { Hash } from "../port/Hash.ts"

/** How a body is pressed. */
export type Codec = "stored" | "gzip"

const codecs: ReadonlyArray<Codec> = ["stored", "gzip"]
const magic = 0x5448_4556
const version = 1
const headerBytes = 48
const digestBytes = 32

/** What must be done to read or write an envelope. */
export interface EnvelopePorts {
  readonly hash: Hash["Service"]
  readonly compression: Pick<Compression["Service"], "gunzipSync">
}

/** An opened envelope. */
export interface Opened {
  readonly record: EvidenceRecord
  readonly content: Uint8Array
}

/** Why an envelope was not opened. */
export class EnvelopeError extends Schema.TaggedError<EnvelopeError>()("EnvelopeError", {
  reason: Schema.Literals(["not_an_envelope", "unknown_version", "unknown_codec", "damaged", "too_large"]),
  message: Schema.String
}) {}

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true })
const decodeRecord = Schema.decodeUnknownSync(Schema.fromJsonString(EvidenceRecord))

/**
 * Seals evidence in an envelope. `body` is the evidence as `codec` gives it. O(n): one copy of the body and one SHA-256 of
 * the whole; the evidence's own hash is taken from its record.
 */
export const seal = (record: EvidenceRecord, codec: Codec, body: Uint8Array, hash: Hash["Service"]): Uint8Array => {
  const metadata = encoder.encode(JSON.stringify(record))
  const envelope = new Uint8Array(headerBytes + metadata.length + body.length + digestBytes)
  const view = new DataView(envelope.buffer)
  view.setUint32(0, magic)
  view.setUint8(4, version)
  view.setUint8(5, codecs.indexOf(codec))
  view.setUint16(6, metadata.length)
  view.setUint32(8, record.size)
  view.setUint32(12, body.length)
  envelope.set(Uint8Array.from(record.hash.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)), 16)
  envelope.set(metadata, headerBytes)
  envelope.set(body, headerBytes + metadata.length)
  const sealed = envelope.length - digestBytes
  envelope.set(hash.sha256(envelope.subarray(0, sealed)), sealed)
  return envelope
}

/**
 * Opens an envelope, to at most `limit` bytes of evidence; throws `EnvelopeError`. O(n): it looks at nothing that the
 * lengths in the header do not cover, and inflates nothing before the seal holds.
 */
export const open = (envelope: Uint8Array, limit: number, { compression, hash }: EnvelopePorts): Opened => {
  if (envelope.length < headerBytes + digestBytes) {
    throw refuse("not_an_envelope", "it is shorter than a header and a seal")
  }
  const view = new DataView(envelope.buffer, envelope.byteOffset, envelope.byteLength)
  if (view.getUint32(0) !== magic) throw refuse("not_an_envelope", "it does not begin with the magic THEV")
  if (view.getUint8(4) !== version) {
    throw refuse("unknown_version", `version ${view.getUint8(4)}: this reader knows version ${version}`)
  }
  const codec = codecs[view.getUint8(5)]
  if (codec === undefined) throw refuse("unknown_codec", `codec ${view.getUint8(5)}`)
  const metadataEnd = headerBytes + view.getUint16(6)
  const size = view.getUint32(8)
  const bodyEnd = metadataEnd + view.getUint32(12)
  if (bodyEnd + digestBytes !== envelope.length) throw refuse("damaged", "its lengths do not add up to its own")
  if (!hash.timingSafeEqual(hash.sha256(envelope.subarray(0, bodyEnd)), envelope.subarray(bodyEnd))) {
    throw refuse("damaged", "its seal is broken")
  }
  if (size > limit) throw refuse("too_large", `it declares ${size} bytes of evidence, more than ${limit}`)
  const content = openBody(codec, envelope.subarray(metadataEnd, bodyEnd), size, compression)
  const digest = envelope.subarray(16, headerBytes)
  if (content.length !== size || !hash.timingSafeEqual(hash.sha256(content), digest)) {
    throw refuse("damaged", "its evidence is not what its header says")
  }
  const record = openMetadata(envelope.subarray(headerBytes, metadataEnd))
  if (record.size !== size || record.hash !== hash.sha256Hex(content)) {
    throw refuse("damaged", "its metadata is of other evidence")
  }
  return { record, content }
}

const refuse = (reason: EnvelopeError["reason"], detail: string): EnvelopeError =>
  new EnvelopeError({ reason, message: `not a whole evidence envelope: ${detail}` })

const openBody = (
  codec: Codec,
  body: Uint8Array,
  size: number,
  compression: EnvelopePorts["compression"]
): Uint8Array => {
  // A copy whatever the class: `slice` of Node's Buffer would be a view of the envelope.
  if (codec === "stored") return new Uint8Array(body)
  try {
    return compression.gunzipSync(body, size)
  } catch {
    throw refuse("damaged", `its body does not inflate to the ${size} bytes it declares`)
  }
}

const openMetadata = (bytes: Uint8Array): EvidenceRecord => {
  try {
    return decodeRecord(decoder.decode(bytes))
  } catch {
    throw refuse("damaged", "its metadata is not an evidence record")
  }
}
