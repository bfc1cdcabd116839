/**
 * Opens an evidence envelope on Node: a file that cold storage wrote. spec/envelope.md says what is
 * checked, and in which order.
 *
 * It starts nothing: the worker that compresses is started by the first evidence that is
 * compressed.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import type { EncryptionError } from "../custody/encryption/EncryptionError.ts"
import type { EvidenceCipher } from "../custody/encryption/EvidenceCipher.ts"
import { isSealed } from "../custody/encryption/Sealed.ts"
import {
  EnvelopeError,
  type EnvelopePorts,
  open,
  type Opened,
  opening,
  type OpeningSteps
} from "../custody/evidence/Envelope.ts"
import { openBodyLater } from "../custody/evidence/EnvelopeBody.ts"
import * as LargeBytes from "../host/node/LargeBytes.ts"
import * as NodeCompression from "../host/node/NodeCompression.ts"
import * as NodeHash from "../host/node/NodeHash.ts"
import { Compression } from "../host/port/Compression.ts"
import { Hash } from "../host/port/Hash.ts"

/** The largest `maxPayloadSize` that the configuration allows, in bytes. */
const defaultLimit = 268_435_456

const buildPorts: Effect.Effect<EnvelopePorts> = Effect.gen(function*() {
  const scope = yield* Scope.make()
  const context = yield* Layer.buildWithScope(Layer.mergeAll(NodeCompression.layer, NodeHash.layer), scope)
  return { compression: Context.get(context, Compression), hash: Context.get(context, Hash) }
})

let built: EnvelopePorts | undefined

/**
 * Built by the first envelope, in a scope that is never closed: with nothing started, there is
 * nothing to close.
 */
const ports = (): EnvelopePorts => built ??= Effect.runSync(buildPorts)

/**
 * The evidence and its record, checked against every hash in the envelope. Inflates at most `limit`
 * bytes, 256 MiB unless given; a limit that is no number refuses everything. Throws
 * `EnvelopeError`, whose `reason` says why the file was refused, and nothing else. It inflates and
 * hashes on the caller's turn: about a second for 200 MB.
 */
export const openEnvelope = (envelope: Uint8Array, limit: number = defaultLimit): Opened =>
  open(envelope, limit, ports())

/**
 * The same as `openEnvelope` for an envelope of any size, without holding the event loop up: it
 * hashes and copies 2 MiB a turn, and inflates on another thread. Fails with what that throws. The
 * envelope must stay as it is until this has ended.
 */
export const openEnvelopeEffect = (
  envelope: Uint8Array,
  limit: number = defaultLimit
): Effect.Effect<Opened, EnvelopeError> => Effect.suspend(() => opening(envelope, limit, steps(ports())))

/**
 * The same for an envelope that may be sealed at rest (spec/encryption.md): a sealed one is opened
 * by the cipher first. Fails with an `EncryptionError` where its key is missing, destroyed or
 * another, or a byte of it was changed.
 */
export const openSealedEnvelope = (
  bytes: Uint8Array,
  cipher: Pick<EvidenceCipher["Service"], "open">,
  limit: number = defaultLimit
): Effect.Effect<Opened, EnvelopeError | EncryptionError> =>
  Effect.suspend(() =>
    !isSealed(bytes)
      ? openEnvelopeEffect(bytes, limit)
      : Effect.flatMap(cipher.open(bytes), ({ header, plaintext }) =>
        openEnvelopeEffect(plaintext, limit).pipe(
          Effect.filterOrFail(({ record }) => record.signature === header.signature, () => otherEvidence),
          Effect.ensuring(Effect.sync(() => plaintext.fill(0)))
        ))
  )

const otherEvidence = new EnvelopeError({
  reason: "inconsistent",
  message: "this evidence envelope was not opened: it was sealed as other evidence"
})

const steps = ({ compression: { codecs }, hash: { timingSafeEqual } }: EnvelopePorts): OpeningSteps => ({
  codecs,
  timingSafeEqual,
  sha256: LargeBytes.sha256,
  openBody: (codec, body, size) => openBodyLater(codec, body, size, { codecs, open: LargeBytes.open })
})
