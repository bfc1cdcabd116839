/**
 * The compressor: the actor that waits for the compressed form of each delivery, seals it in an
 * envelope and gives it to the writer, in the order in which deliveries were told.
 *
 * **Gotchas**
 *
 * - Evidence that cannot be compressed, or not sealed where it should be, is an encode error
 *   (CONFORMANCE F1) and a dead letter at once: nobody has the evidence any more.
 */
import * as Effect from "effect/Effect"
import * as Request from "effect/Request"
import { define } from "../../actor/Definition.ts"
import type { Supervisor } from "../../actor/Supervisor.ts"
import type { Codec } from "../../domain/Codec.ts"
import type { EvidenceRecord } from "../../domain/Evidence.ts"
import type { Compression, CompressionError } from "../../host/port/Compression.ts"
import type { Hash } from "../../host/port/Hash.ts"
import type { FailSafe } from "../../safety/failsafe/FailSafe.ts"
import { type Caller, inTrace } from "../../telemetry/Caller.ts"
import type { EncryptionError } from "../encryption/EncryptionError.ts"
import type { EvidenceCipher } from "../encryption/EvidenceCipher.ts"
import { seal } from "../evidence/Envelope.ts"
import { type AccountLimits, actorBounds } from "./Account.ts"
import type { Ages } from "./Ages.ts"
import type { Delivery, Passage } from "./Delivery.ts"
import { encodeError, type RefusalReason } from "./Notices.ts"
import type { Tally } from "./Tally.ts"
import { Write, type Writer } from "./Writer.ts"

/** Seals a delivery, which holds no evidence any more, but its compressed form to come. */
export class Compress extends Request.TaggedClass("Compress")<
  {
    readonly id: string
    readonly codec: Codec
    readonly record: EvidenceRecord
    readonly body: Effect.Effect<Uint8Array, CompressionError>
    readonly isPurged: boolean
    readonly passage: Passage
  },
  void,
  CompressionError | EncryptionError
> {}

/**
 * Begins to compress the evidence under `codec`, on the caller's turn: the compressed form to come,
 * or why there will be none. Never throws.
 */
export const begin = (
  compression: Pick<Compression["Service"], "compressUnsafe">,
  codec: Codec,
  { compressed, content, record }: Pick<Delivery, "compressed" | "content" | "record">
): Compress["body"] | Extract<RefusalReason, "memory" | "mismatch"> => {
  if (compressed !== null) return Effect.succeed(compressed)
  if (content.length !== record.size) return "mismatch"
  try {
    return compression.compressUnsafe(codec, content)
  } catch {
    return "memory"
  }
}

/** The parts that the compressor uses. */
export interface CompressorParts {
  readonly caller: Pick<Caller, "within">
  readonly config: Pick<AccountLimits, "maxPendingCount">
  readonly hash: Pick<Hash["Service"], "sha256Into">
  /** Seals envelopes at rest; null where they are written as they are. */
  readonly cipher: Pick<EvidenceCipher["Service"], "seal"> | null
  readonly writer: Writer
  readonly failSafe: Pick<FailSafe["Service"], "purgedUnsafe" | "reportUnsafe">
  readonly tally: Pick<Tally, "reportDeadLetter" | "reportLoss">
  readonly ages: Pick<Ages, "end">
  /** The time of a purge record, in milliseconds since the epoch. */
  readonly nowMs: () => number
}

/** The actor, suspended until it is resumed. It lives as long as the scope. */
export const spawnCompressor = (supervisor: Supervisor, parts: CompressorParts) =>
  Effect.orDie(supervisor.spawn(
    define<Compress>()("compressor", {
      ...actorBounds(parts.config),
      weigh: ({ record }) => record.size,
      suspended: true,
      // Refusals are found before anything is compressed, so every dead letter was a taken
      // delivery.
      onDeadLetter: ({ id, passage }, reason) => {
        parts.ages.end(id)
        parts.tally.reportDeadLetter(reason, passage)
      },
      behaviour: () =>
        Effect.succeed({ Compress: (message: Compress) => inTrace(sealAndPass(parts, message), message.passage.span) })
    })
  ))

/**
 * Gives the envelope to the writer, or fails as the compression or the cipher did, with the failure
 * reported: what cannot be sealed is not written.
 */
export const sealAndPass = (
  parts: CompressorParts,
  { body, codec, id, isPurged, passage, record }: Compress
): Effect.Effect<void, CompressionError | EncryptionError> =>
  body.pipe(
    Effect.map((bytes) => seal(record, codec, bytes, parts.hash)),
    Effect.flatMap((envelope) => atRest(parts.cipher, record, envelope)),
    Effect.map((envelope) => void parts.writer.tellUnsafe(new Write({ id, passage, size: record.size, envelope }))),
    Effect.tapError((thrown) =>
      Effect.sync(() =>
        parts.caller.within(passage.span, () => {
          const { message } = thrown
          const why = `it could not be ${thrown._tag === "EncryptionError" ? "sealed" : "compressed"}`
          parts.tally.reportLoss({ passage, why, message, thrown })
          const details = () => ({ signature: record.signature, id: record.scent.id })
          const action = parts.failSafe.reportUnsafe("encode_error", encodeError, { details })
          if (action === "Purge" && !isPurged) purge(parts, id, record)
        })
      )
    )
  )

/** The envelope as it is written. What is sealed is not needed in the clear any more. */
const atRest = (
  cipher: CompressorParts["cipher"],
  { signature }: EvidenceRecord,
  envelope: Uint8Array
): Effect.Effect<Uint8Array, EncryptionError> =>
  cipher === null ? Effect.succeed(envelope) : cipher.seal({ tenant: "", signature, plaintext: envelope }).pipe(
    Effect.map(({ sealed }) => sealed),
    Effect.ensuring(Effect.sync(() => envelope.fill(0)))
  )

/**
 * The evidence left custody before it failed to be compressed: all that is left is to report it.
 */
const purge = (
  { failSafe, nowMs }: Pick<CompressorParts, "failSafe" | "nowMs">,
  id: string,
  { hash, scent, signature, size }: EvidenceRecord
): void =>
  failSafe.purgedUnsafe({
    id,
    reason: "error",
    scent: { ...scent, payloadHash: hash, payloadSize: size },
    PurgeTimestamp: nowMs()
  }, signature)
