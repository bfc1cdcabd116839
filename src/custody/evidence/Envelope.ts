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
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
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

/** Used again by every call of `seal`. */
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
 * Opens an envelope, to at most `limit` bytes of evidence, on the caller's turn; throws
 * `EnvelopeError`. O(n): it reads no byte that the lengths in the header do not cover, and inflates
 * nothing before all other checks hold.
 */
export const open = (envelope: Uint8Array, limit: number, { compression, hash }: EnvelopePorts): Opened => {
  const opened = Effect.runSyncExit(opening(envelope, limit, {
    codecs: compression.codecs,
    timingSafeEqual: hash.timingSafeEqual,
    sha256: (bytes) =>
      Effect.sync(() => {
        const digest = new Uint8Array(digestBytes)
        hash.sha256Into(bytes, digest)
        return digest
      }),
    openBody: (codec, body, size) => Effect.sync(() => openBody(codec, body, size, compression))
  }))
  if (Exit.isFailure(opened)) throw Cause.squash(opened.cause)
  return opened.value
}

/** The steps of opening that take long where much is in the envelope: at once, or in slices. */
export interface OpeningSteps {
  readonly codecs: Opener["codecs"]
  readonly timingSafeEqual: Hash["Service"]["timingSafeEqual"]
  readonly sha256: (bytes: Uint8Array) => Effect.Effect<Uint8Array>
  readonly openBody: (codec: Codec, body: Uint8Array, size: number) => Effect.Effect<Uint8Array | BodyRefusal>
}

/**
 * The same as `open`, by these steps. The checks and their order are those of spec/envelope.md. The
 * envelope must stay as it is until this has ended.
 */
export const opening = Effect.fnUntraced(function*(
  envelope: Uint8Array,
  limit: number,
  steps: OpeningSteps
): Effect.fn.Return<Opened, EnvelopeError> {
  const header = readHeader(envelope)
  if (header instanceof EnvelopeError) return yield* header
  const { bodyEnd, codec, metadataEnd, size } = header
  const digest = yield* steps.sha256(envelope.subarray(0, bodyEnd))
  if (!steps.timingSafeEqual(digest, envelope.subarray(bodyEnd))) return yield* refuse("damaged", "its seal is broken")
  if (!isWithin(size, limit)) {
    const most = typeof limit === "number" ? limit : "a limit that is no number"
    return yield* refuse("too_large", `it declares ${size} bytes of evidence, more than ${most}`)
  }
  const record = parse(envelope.subarray(headerBytes, metadataEnd))
  if (record === null)
    return yield* refuse("inconsistent", "its metadata is not an evidence record in its one spelling")
  if (record.size !== size || record.hash !== hexOf(envelope, digestAt))
    return yield* refuse("inconsistent", "its metadata is of other evidence")
  if (!record.signature.startsWith(`${record.category}:`))
    return yield* refuse("inconsistent", "its category is not the one in its signature")
  const content = yield* steps.openBody(codec, envelope.subarray(metadataEnd, bodyEnd), size)
  if (typeof content === "string") return yield* refuse(content, unopened[content](codec, size, steps))
  const found = yield* steps.sha256(content)
  if (content.length !== size || !steps.timingSafeEqual(found, envelope.subarray(digestAt, headerBytes)))
    return yield* refuse("inconsistent", "its evidence is not what its header says")
  return { record, content }
})

/** What can be read of an envelope without its body. Nothing of it is proven before it opens. */
export interface EnvelopeSummary {
  readonly record: EvidenceRecord
  readonly codec: Codec
}

/** So many bytes of an envelope, or all where it has fewer, are enough for its summary. */
export const summaryBytes = 4_096

/**
 * Reads the record from the beginning of an envelope of `length` bytes. O(1), and no hash: whoever
 * can write the file can make it say anything.
 */
export const readSummary = (beginning: Uint8Array, length: number): EnvelopeSummary | EnvelopeError => {
  const header = readHeader(beginning, length)
  if (header instanceof EnvelopeError) return header
  const { codec, metadataEnd, size } = header
  const record = parse(beginning.subarray(headerBytes, metadataEnd))
  return record === null || record.size !== size
    ? refuse("inconsistent", "its metadata is not the record of its evidence in its one spelling")
    : { record, codec }
}

interface Header {
  readonly codec: Codec
  /** Bytes of the evidence. */
  readonly size: number
  readonly metadataEnd: number
  readonly bodyEnd: number
}

/** `length`: of the whole envelope, of which only the beginning may be given. */
const readHeader = (envelope: Uint8Array, length?: number): Header | EnvelopeError => {
  if (!isBytes(envelope)) return refuse("not_an_envelope", "it is no Uint8Array")
  if (envelope.length < headerBytes + digestBytes)
    return refuse("not_an_envelope", "it is shorter than a header and a seal")
  const view = new DataView(envelope.buffer, envelope.byteOffset, envelope.byteLength)
  if (view.getUint32(0) !== magic) return refuse("not_an_envelope", "it does not begin with the magic THEV")
  if (view.getUint8(4) !== version)
    return refuse("unknown_version", `version ${view.getUint8(4)}: this reader knows version ${version}`)
  const codec = codecs[view.getUint8(5)]
  if (codec === undefined) return refuse("unknown_codec", `codec ${view.getUint8(5)}`)
  const metadataEnd = headerBytes + view.getUint16(6)
  const bodyEnd = metadataEnd + view.getUint32(12)
  if (bodyEnd + digestBytes !== (length ?? envelope.length))
    return refuse("damaged", "its lengths do not add up to its own")
  return { codec, size: view.getUint32(8), metadataEnd, bodyEnd }
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

const unopened: Readonly<Record<BodyRefusal, (codec: Codec, size: number, opener: Pick<Opener, "codecs">) => string>> =
  {
    inconsistent: (codec, size) => `its body is not one ${codec} stream of the ${size} bytes it declares`,
    codec_unavailable: (codec, _size, { codecs }) =>
      `its body is ${codec} and this host opens ${codecs.join(", ")}: open it on Node 22.15 or newer`,
    host: (codec) => `this host failed to open its ${codec} body: try again, or on a host with more memory`
  }

const refuse = (reason: EnvelopeError["reason"], detail: string): EnvelopeError =>
  new EnvelopeError({ reason, message: `this evidence envelope was not opened: ${detail}` })
