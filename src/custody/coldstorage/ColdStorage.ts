/**
 * Cold storage: the two actors that compress evidence and write it away (RFC, "Cold Storage";
 * CONFORMANCE C1, E7, S1, S2).
 *
 * Promises, towards the caller, one synchronous bounded `tellUnsafe`; inside, FIFO order, as many
 * retries as configured, and for each delivery exactly one end: written, or a dead letter that is
 * counted and alerted. What it refuses it has not compressed; what it takes is being compressed when
 * `tellUnsafe` returns, and the evidence is the teller's again. Nothing is sealed or written on the
 * teller's turn. An endpoint that does not answer costs the time of its tries and no more.
 *
 * Cost: what `compressUnsafe` costs the caller's turn, about a microsecond for small evidence.
 * Sealing, one SHA-256 of the envelope, and writing are the fiber's.
 *
 * **Gotchas**
 *
 * - It reads nothing back. That a write succeeded is the endpoint's word.
 * - What waits is bounded in bytes of evidence, besides the quarantine's own bound. What it keeps
 *   of each is a copy until it is compressed, and the compressed form from then on.
 * - The compressed form and the envelope are not overwritten: under `stored` that is the evidence
 *   itself, until memory is used again.
 * - A compressing that fails is an encode error (CONFORMANCE F1), and a dead letter at once: the
 *   evidence is gone by then.
 * - A write that was given up may still be done: see Deadline.ts.
 * - Where `onColdStorageFailure` is given, each try that fails is put to it, and what it says is
 *   done: one that always says `retry` holds up all that waits behind.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Request from "effect/Request"
import { ActorSystem } from "../../actor/ActorSystem.ts"
import type { DeadLetterReason } from "../../actor/DeadLetters.ts"
import { define } from "../../actor/Definition.ts"
import { fifo } from "../../actor/Mailbox.ts"
import { Alerts } from "../../safety/alert/Alerts.ts"
import type { Codec } from "../../domain/Codec.ts"
import type { EvidenceRecord } from "../../domain/Evidence.ts"
import { Settings } from "../../config/Settings.ts"
import type { TracehoundError } from "../../domain/TracehoundError.ts"
import type { ColdStorageConfig } from "../../config/TracehoundConfig.ts"
import { seal } from "../evidence/Envelope.ts"
import { FailSafe } from "../../safety/failsafe/FailSafe.ts"
import { Compression, type CompressionError } from "../../host/port/Compression.ts"
import { Hash } from "../../host/port/Hash.ts"
import { withDeadline } from "./Deadline.ts"
import { ColdStorageEndpoint, ColdStorageError } from "./Endpoint.ts"

/** One piece of evidence on its way out. */
export interface Delivery {
  /** The custody record's id: the envelope's name, never used twice. */
  readonly id: string
  readonly record: EvidenceRecord
  /**
   * The evidence. Read during the call alone: where it returns true it has been copied; it stays
   * the teller's.
   */
  readonly content: Uint8Array
  /**
   * The evidence under `codec`, where its sender compressed it already: the receiver's, if it takes
   * the delivery.
   */
  readonly compressed: Uint8Array | null
  /** Cold storage's own when left out. */
  readonly codec?: Codec
  /** Whether it left by being purged, which its sender tells: false when left out. */
  readonly isPurged?: boolean
}

/** What waits to be compressed: no longer the evidence, but its compressed form to come. */
class Compress extends Request.TaggedClass("Compress")<
  {
    readonly id: string
    readonly codec: Codec
    readonly record: EvidenceRecord
    readonly body: Effect.Effect<Uint8Array, CompressionError>
    readonly isPurged: boolean
  },
  void,
  CompressionError
> {}

/** What waits to be written. */
class Write extends Request.TaggedClass("Write")<
  {
    readonly id: string
    /** Bytes of evidence. */
    readonly size: number
    readonly envelope: Uint8Array
  },
  void,
  ColdStorageError
> {}

/** What became of the deliveries so far. */
export interface ColdStorageStats {
  readonly pending: number
  /** Bytes of evidence in what is pending. */
  readonly pendingBytes: number
  readonly written: number
  /** Written by the word of an endpoint that is not trusted (CONFORMANCE R3). */
  readonly unconfirmed: number
  readonly deadLetters: number
}

/** Where evidence goes when it leaves and must not be lost. */
export class ColdStorage extends Context.Service<ColdStorage, {
  /** The endpoint as records call it, or null where none is configured. */
  readonly destination: string | null
  /** How evidence is compressed: what a sender that compresses must use. */
  readonly codec: Codec
  /** Why evidence of this size would be refused now, or null. O(1). */
  readonly refusalUnsafe: (size: number) => string | null
  /**
   * Whether the evidence was taken. Where not, nothing was done with it, and a dead letter says so.
   * Never throws.
   */
  readonly tellUnsafe: (delivery: Delivery) => boolean
  readonly stats: () => ColdStorageStats
  /** Of its dead letters, those that were refused before any actor knew of them. */
  readonly refusals: () => number
  /** Opens the endpoint and begins to write. */
  readonly start: Effect.Effect<void, ColdStorageError>
  /** Waits until nothing is pending. */
  readonly settled: Effect.Effect<void>
}>()("tracehound/custody/coldstorage/ColdStorage") {
  /** For a configuration without cold storage: it takes nothing. */
  static readonly layerNone = Layer.succeed(ColdStorage, {
    destination: null,
    codec: "gzip",
    refusalUnsafe: () => "no cold storage is configured",
    refusals: () => 0,
    tellUnsafe: () => false,
    stats: () => ({ pending: 0, pendingBytes: 0, written: 0, unconfirmed: 0, deadLetters: 0 }),
    start: Effect.void,
    settled: Effect.void
  })

  /** Writes to the endpoint, within the bounds of its configuration. */
  static readonly layerEndpoint = (config: ColdStorageConfig) =>
    Layer.effect(
      ColdStorage,
      Effect.gen(function*() {
        const { codec, maxPendingBytes, maxPendingCount } = config
        const { root } = yield* ActorSystem
        const clock = yield* Clock.Clock
        const { trustBoundary } = yield* Settings
        const endpoint = yield* ColdStorageEndpoint
        const compression = yield* Compression
        const hash = yield* Hash
        const alerts = yield* Alerts
        const failSafe = yield* FailSafe
        if (!compression.codecs.includes(codec)) return yield* unavailable(codec, compression.codecs)
        const { endpoint: trusted = endpoint.destination, trustLevel } = trustBoundary.coldStorage
        const isTrusted = trustLevel === "write-only" && trusted === endpoint.destination
        let writes = 0
        let deadLetters = 0
        let refusals = 0

        const failure = (why: string) =>
          new ColdStorageError({ reason: "write", message: `cold storage ${endpoint.destination}: ${why}` })
        const failed = (message: string, isAlert = true): void => {
          deadLetters += 1
          alerts.errorUnsafe({ state: "quarantine", code: "coldstorage_failure", message, recoverable: true })
          if (isAlert)
            alerts.alertUnsafe({
              type: "coldstorage.failure",
              severity: "critical",
              message: "evidence was not written"
            })
        }
        /** What the handlers gave up themselves they have told. */
        const leftBehind = (_: unknown, reason: DeadLetterReason): void => {
          if (reason !== "failed") failed(`cold storage ${endpoint.destination}: a write was ${reason}`)
        }
        const refused = (why: string): void => {
          deadLetters += 1
          refusals += 1
          alerts.alertUnsafe({ type: "coldstorage.refused", severity: "critical", message: why })
        }

        /**
         * It left custody before it could not be compressed: what is left is to tell whoever wants to
         * know.
         */
        const purged = (id: string, { hash, scent, size }: EvidenceRecord): void =>
          failSafe.purgedUnsafe({
            id,
            reason: "error",
            scent: { ...scent, payloadHash: hash, payloadSize: size },
            PurgeTimestamp: clock.currentTimeMillisUnsafe()
          })
        const attempt = ({ envelope, id }: Write) =>
          withDeadline(
            endpoint.write(id, envelope),
            config.writeTimeoutMs,
            () => failure(`no answer within ${config.writeTimeoutMs} ms`)
          ).pipe(Effect.catchDefect(() => Effect.fail(failure("the endpoint broke"))))
        /** Tries until it is written, or until whoever decides says that it is enough. */
        const write = (delivery: Write, tries = 0): Effect.Effect<void, ColdStorageError> =>
          Effect.matchEffect(attempt(delivery), {
            onSuccess: () =>
              Effect.sync(() => {
                writes += 1
              }),
            onFailure: (error) =>
              Effect.flatMap(failSafe.coldStorageFailed(error), (decision) => {
                const isAgain = decision === null ? tries < config.retries : decision === "retry"
                if (isAgain) return Effect.andThen(Effect.sleep(config.retryDelayMs), write(delivery, tries + 1))
                failed(error.message, decision !== "ignore")
                return Effect.fail(error)
              })
          })
        const spread = { capacity: maxPendingCount, maxWeight: Number.POSITIVE_INFINITY }
        const writer = yield* Effect.orDie(root.spawn(
          define<Write>()("coldstorage", {
            mailbox: fifo(spread),
            weigh: ({ size }) => size,
            drain,
            onDeadLetter: leftBehind,
            behaviour: () => Effect.succeed({ Write: (delivery: Write) => write(delivery) })
          })
        ))
        const compressor = yield* Effect.orDie(root.spawn(
          define<Compress>()("compressor", {
            mailbox: fifo(spread),
            weigh: ({ record }) => record.size,
            drain,
            suspended: true,
            // Refusals are found before anything is compressed, so what dies here was taken.
            onDeadLetter: leftBehind,
            behaviour: () =>
              Effect.succeed({
                Compress: ({ body, codec, id, isPurged, record }: Compress) =>
                  body.pipe(
                    Effect.map((bytes) => seal(record, codec, bytes, hash)),
                    Effect.map((envelope) => void writer.tellUnsafe(new Write({ id, size: record.size, envelope }))),
                    Effect.tapError(({ message }) =>
                      Effect.sync(() => {
                        failed(message)
                        const action = failSafe.reportUnsafe("encode_error", encodeError)
                        if (action === "Purge" && !isPurged) purged(id, record)
                      })
                    )
                  )
              })
          })
        ))
        const pending = () => compressor.pendingUnsafe() + writer.pendingUnsafe()
        const pendingBytes = () => compressor.weightUnsafe() + writer.weightUnsafe()
        const refusal = (size: number): string | null =>
          compressor.refusalUnsafe() === "closed"
            ? "closed"
            : pending() >= maxPendingCount || pendingBytes() + size > maxPendingBytes
            ? "full"
            : null
        const settled: Effect.Effect<void> = Effect.suspend(() =>
          pending() === 0 ? Effect.void : Effect.andThen(Effect.andThen(compressor.settled, writer.settled), settled)
        )

        /** The compressed form to come, or why there will be none. */
        const compress = ({ content, compressed, record }: Delivery): Compress["body"] | string => {
          const reason = refusal(record.size)
          if (reason !== null) return `the mailbox is ${reason}`
          if (compressed !== null) return Effect.succeed(compressed)
          // What somebody detached, or what is of another record: its envelope could not be opened.
          if (content.length !== record.size) return "the evidence is not as long as its record says"
          try {
            return compression.compressUnsafe(codec, content)
          } catch {
            return "the host could not take a copy of the evidence"
          }
        }
        const tellUnsafe = (delivery: Delivery): boolean => {
          const { id, isPurged = false, record } = delivery
          const body = compress(delivery)
          if (typeof body !== "string")
            return compressor.tellUnsafe(new Compress({ id, codec: delivery.codec ?? codec, record, body, isPurged }))
          refused(body)
          return false
        }
        return {
          destination: endpoint.destination,
          codec,
          refusalUnsafe: refusal,
          refusals: () => refusals,
          tellUnsafe,
          stats: () => ({
            pending: pending(),
            pendingBytes: pendingBytes(),
            written: isTrusted ? writes : 0,
            unconfirmed: isTrusted ? 0 : writes,
            deadLetters
          }),
          start: Effect.andThen(endpoint.open, compressor.resume),
          settled
        }
      })
    )

  /**
   * What the configuration asks for; an endpoint is made by `endpointFor` where one is configured.
   */
  static readonly layer = <E, R>(endpointFor: (config: ColdStorageConfig) => Layer.Layer<ColdStorageEndpoint, E, R>) =>
    Layer.unwrap(Effect.map(Settings, ({ audit: { coldStorage } }) =>
      coldStorage === undefined
        ? ColdStorage.layerNone
        : ColdStorage.layerEndpoint(coldStorage).pipe(Layer.provide(endpointFor(coldStorage)))))
}

/** How long each of the two may take to finish when it closes. */
const drain = "10 seconds"

const encodeError: TracehoundError = Object.freeze({
  state: "quarantine",
  code: "encode_error",
  message: "evidence could not be compressed on its way to cold storage: its hash and its record are what is left",
  recoverable: true
})

const unavailable = (codec: Codec, known: ReadonlyArray<Codec>): ColdStorageError =>
  new ColdStorageError({
    reason: "open",
    message: `this host cannot compress with ${codec}: set audit.coldStorage.codec to one of ${known.join(", ")}`
  })
