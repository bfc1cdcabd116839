/**
 * Cold storage: the actor that writes evidence away (RFC, "Cold Storage"; CONFORMANCE C1, S2).
 *
 * Promises, towards the caller, one synchronous bounded `tellUnsafe`; inside, FIFO order, as many retries as configured, and
 * for each delivery exactly one end: written, or a dead letter that is counted and alerted. The content of a delivery it
 * took is overwritten when it is done with it, however that ends.
 *
 * **Gotchas**
 *
 * - It reads nothing back. That a write succeeded is the endpoint's word.
 * - What waits is bounded in bytes of evidence, besides the quarantine's own bound. On top comes its pressed form: of those
 *   that a sender pressed, and of the one being written. That form is not overwritten.
 * - An endpoint that never answers holds up what waits behind it until the mailbox is full, and closing for the 10 seconds
 *   of the drain: it must bound its own writes.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as FifoActor from "../actor/FifoActor.ts"
import { Alerts } from "../alert/Alerts.ts"
import type { EvidenceRecord } from "../domain/Evidence.ts"
import { Settings } from "../domain/Settings.ts"
import type { ColdStorageConfig } from "../domain/TracehoundConfig.ts"
import { seal } from "../evidence/Envelope.ts"
import { wipe } from "../evidence/Evidence.ts"
import { Compression, type CompressionError } from "../port/Compression.ts"
import { Hash } from "../port/Hash.ts"
import { ColdStorageEndpoint, type ColdStorageError } from "./Endpoint.ts"

/** One piece of evidence on its way out. */
export interface Delivery {
  /** The custody record's id: the envelope's name, never used twice. */
  readonly id: string
  readonly record: EvidenceRecord
  /** The evidence: the receiver's, if it takes the delivery. */
  readonly content: ArrayBuffer
  /** The evidence as gzip, where its sender pressed it already. */
  readonly pressed: Uint8Array | null
}

/** What became of the deliveries so far. */
export interface ColdStorageStats {
  readonly pending: number
  /** Bytes of evidence in what is pending. */
  readonly pendingBytes: number
  readonly written: number
  readonly deadLetters: number
}

/** Where evidence goes when it leaves and must not be lost. */
export class ColdStorage extends Context.Service<ColdStorage, {
  /** The endpoint as records call it, or null where none is configured. */
  readonly destination: string | null
  /** Whether the evidence was taken over. Where not, its bytes are still the teller's, and a dead letter says so. */
  readonly tellUnsafe: (delivery: Delivery) => boolean
  readonly stats: () => ColdStorageStats
  /** Opens the endpoint and begins to write. */
  readonly start: Effect.Effect<void, ColdStorageError>
  /** Waits until nothing is pending. */
  readonly settled: Effect.Effect<void>
}>()("tracehound/coldstorage/ColdStorage") {
  /** For a configuration without cold storage: it takes nothing. */
  static readonly layerNone = Layer.succeed(ColdStorage, {
    destination: null,
    tellUnsafe: () => false,
    stats: () => ({ pending: 0, pendingBytes: 0, written: 0, deadLetters: 0 }),
    start: Effect.void,
    settled: Effect.void
  })

  /** Writes to the endpoint, within the bounds of its configuration. */
  static readonly layerEndpoint = (config: ColdStorageConfig) =>
    Layer.effect(
      ColdStorage,
      Effect.gen(function*() {
        const endpoint = yield* ColdStorageEndpoint
        const compression = yield* Compression
        const hash = yield* Hash
        const alerts = yield* Alerts
        let written = 0
        let deadLetters = 0

        const envelope = ({ content, pressed, record }: Delivery): Effect.Effect<Uint8Array, CompressionError> => {
          const gzip = pressed === null ? compression.gzip(new Uint8Array(content)) : Effect.succeed(pressed)
          return Effect.map(gzip, (body) => seal(record, "gzip", body, hash))
        }
        const retry = Schedule.spaced(Duration.millis(config.retryDelayMs)).pipe(
          Schedule.upTo({ times: config.retries })
        )
        const failed = (message: string): void => {
          deadLetters += 1
          alerts.errorUnsafe({ state: "quarantine", code: "coldstorage_failure", message, recoverable: true })
          alerts.alertUnsafe({ type: "coldstorage.failure", severity: "critical", message: "evidence was not written" })
        }
        const refused = (reason: "full" | "closed"): void => {
          deadLetters += 1
          alerts.alertUnsafe({ type: "coldstorage.refused", severity: "critical", message: `the mailbox is ${reason}` })
        }
        const actor = yield* FifoActor.make<Delivery, never>({
          capacity: config.maxPendingCount,
          weigh: (delivery) => delivery.record.size,
          maxWeight: config.maxPendingBytes,
          drain: "10 seconds",
          handle: (delivery) =>
            envelope(delivery).pipe(
              Effect.flatMap((bytes) => endpoint.write(delivery.id, bytes).pipe(Effect.retry(retry))),
              Effect.match({
                onSuccess: () => {
                  written += 1
                },
                onFailure: (error) => failed(error.message)
              }),
              Effect.ensuring(Effect.sync(() => wipe(delivery.content)))
            ),
          bury: (delivery, reason) => {
            if (reason === "full" || reason === "closed") return refused(reason)
            wipe(delivery.content)
            failed(`cold storage ${endpoint.destination}: a write was ${reason}`)
          }
        })
        return {
          destination: endpoint.destination,
          tellUnsafe: actor.tellUnsafe,
          stats: () => ({
            pending: actor.pendingUnsafe(),
            pendingBytes: actor.weightUnsafe(),
            written,
            deadLetters
          }),
          start: Effect.andThen(endpoint.open, actor.start),
          settled: actor.settled
        }
      })
    )

  /** What the configuration asks for; an endpoint is made by `endpointFor` where one is configured. */
  static readonly layer = <E, R>(endpointFor: (config: ColdStorageConfig) => Layer.Layer<ColdStorageEndpoint, E, R>) =>
    Layer.unwrap(Effect.map(Settings, ({ audit: { coldStorage } }) =>
      coldStorage === undefined
        ? ColdStorage.layerNone
        : ColdStorage.layerEndpoint(coldStorage).pipe(Layer.provide(endpointFor(coldStorage)))))
}
