/**
 * Shared by the tests of the envelope: ports, records that fit their content, an envelope built by
 * hand from the table, and the vectors.
 */
import { assert } from "@effect/vitest"
import { Arbitrary, Context, Effect, Layer, Scope } from "effect"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as zlib from "node:zlib"
import { EnvelopeError, type EnvelopePorts } from "../../../src/custody/evidence/Envelope.ts"
import { type Codec, codecs } from "../../../src/domain/Codec.ts"
import { EvidenceRecord } from "../../../src/domain/Evidence.ts"
import * as NodeCompression from "../../../src/host/node/NodeCompression.ts"
import { Compression } from "../../../src/host/port/Compression.ts"
import { Hash } from "../../../src/host/port/Hash.ts"
import * as PortableCompression from "../../../src/host/port/PortableCompression.ts"
import { evidence } from "../../domain/samples.ts"
import { content } from "../../host/port/contract.ts"
import { ports } from "../../support/ports.ts"

export const hash = Effect.runSync(Effect.provide(Hash, ports))

/**
 * The part of a host's compression that works on the caller's turn; its scope is never closed, as
 * nothing is started.
 */
const compressionOf = (layer: Layer.Layer<Compression>) =>
  Effect.runSync(
    Effect.flatMap(Scope.make(), (scope) => Layer.buildWithScope(layer, scope)).pipe(
      Effect.map(Context.get(Compression))
    )
  )

/** The same envelope must open on any host that has its codec. */
export const hosts: ReadonlyArray<readonly [name: string, ports: EnvelopePorts]> = [
  ["Node", { hash, compression: compressionOf(NodeCompression.layer) }],
  ["the portable ports", { hash, compression: compressionOf(PortableCompression.layer) }]
]

export const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest()
export const gzip = (bytes: Uint8Array): Uint8Array => new Uint8Array(zlib.gzipSync(bytes))

/** Every codec, without the code that is tested. */
export const compress: Readonly<Record<Codec, (bytes: Uint8Array) => Uint8Array>> = {
  stored: (bytes) => bytes,
  gzip,
  zstd: (bytes) => new Uint8Array(zlib.zstdCompressSync(bytes)),
  brotli: (bytes) => new Uint8Array(zlib.brotliCompressSync(bytes))
}

/** The record with the hash and the size of this content. */
export const fitted = (record: EvidenceRecord, bytes: Uint8Array): EvidenceRecord => ({
  ...record,
  hash: sha256(bytes).toString("hex"),
  size: bytes.length
})

/**
 * Any record whose parts agree, with any content that it fits. JSON knows no -0, so neither do
 * these.
 */
export const anyEvidence = Arbitrary.map(
  Arbitrary.all({ record: Arbitrary.schema(EvidenceRecord), bytes: content }),
  ({ bytes, record }) => ({
    bytes,
    record: fitted({
      ...record,
      signature: record.category + record.signature.slice(record.signature.indexOf(":")),
      captured: record.captured + 0,
      scent: { ...record.scent, timestamp: record.scent.timestamp + 0 }
    }, bytes)
  })
)

/**
 * The fields of the table in Envelope.ts; whatever is left out is what a sound envelope has there.
 */
export interface Fields {
  readonly magic?: string
  readonly version?: number
  readonly codec?: number
  readonly content?: Uint8Array
  readonly metadata?: Uint8Array
  readonly metadataLength?: number
  readonly size?: number
  readonly body?: Uint8Array
  readonly bodyLength?: number
  readonly digest?: Uint8Array
  readonly seal?: Uint8Array
}

/**
 * An envelope as the table says, written without the code that is tested: gzip where no codec is
 * named.
 */
export const byHand = (fields: Fields = {}): Uint8Array<ArrayBuffer> => {
  const codec = fields.codec ?? 1
  const bytes = fields.content ?? new TextEncoder().encode("evidence evidence evidence")
  const body = fields.body ?? compress[codecs[codec] ?? "stored"](bytes)
  const metadata = fields.metadata ?? new TextEncoder().encode(JSON.stringify(fitted(evidence, bytes)))
  const header = Buffer.alloc(48)
  header.write(fields.magic ?? "THEV", 0, "latin1")
  header.writeUInt8(fields.version ?? 1, 4)
  header.writeUInt8(codec, 5)
  header.writeUInt16BE(fields.metadataLength ?? metadata.length, 6)
  header.writeUInt32BE(fields.size ?? bytes.length, 8)
  header.writeUInt32BE(fields.bodyLength ?? body.length, 12)
  header.set(fields.digest ?? sha256(bytes), 16)
  const sealed = Buffer.concat([header, metadata, body])
  return Uint8Array.from(Buffer.concat([sealed, fields.seal ?? sha256(sealed)]))
}

/** Why it was refused, or "opened"; anything thrown but an EnvelopeError fails the test. */
export const outcome = (open: () => unknown): EnvelopeError["reason"] | "opened" => {
  try {
    open()
    return "opened"
  } catch (error) {
    assert.instanceOf(error, EnvelopeError)
    return error.reason
  }
}

/** An envelope that a reader must open. */
export interface GoodVector {
  readonly name: string
  readonly codec: Codec
  readonly needs?: Codec
  readonly limit?: number
  readonly envelope: string
  readonly evidence: string
  readonly record: string
}

/** An envelope that a reader must refuse. */
export interface BadVector {
  readonly name: string
  readonly reason: EnvelopeError["reason"]
  readonly needs?: Codec
  readonly limit?: number
  readonly envelope: string
}

export const root = join(import.meta.dirname, "../../..")

/** spec/vectors/envelope.json. */
export const vectors = JSON.parse(readFileSync(join(root, "spec/vectors/envelope.json"), "utf8")) as {
  readonly good: ReadonlyArray<GoodVector>
  readonly bad: ReadonlyArray<BadVector>
}

export const unbase64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"))
