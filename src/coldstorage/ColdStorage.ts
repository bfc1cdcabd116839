/**
 * Cold storage: the actor that writes evidence away (RFC, "Cold Storage"; CONFORMANCE C1, E7, S2).
 *
 * Promises, towards the caller, one synchronous bounded `tellUnsafe`; inside, FIFO order, as many retries as configured, and
 * for each delivery exactly one end: written, or a dead letter that is counted and alerted. What it refuses it has not
 * pressed; what it takes is being pressed when `tellUnsafe` returns, and the evidence is the teller's again.
 * Nothing is sealed or written on the teller's turn. An endpoint that
 * does not answer costs the time of its tries and no more.
 *
 * Cost: what `pressUnsafe` costs the caller's turn, about a microsecond for small evidence. Sealing, one SHA-256 of the envelope, and
 * writing are the fiber's.
 *
 * **Gotchas**
 *
 * - It reads nothing back. That a write succeeded is the endpoint's word.
 * - What waits is bounded in bytes of evidence, besides the quarantine's own bound. What it keeps of each is a copy until it
 *   is pressed, and the pressed form from then on.
 * - The pressed form and the envelope are not overwritten: under `stored` that is the evidence itself, until memory is used again.
 * - A pressing that fails is a dead letter at once: the evidence is gone by then.
 * - A write that was given up may still be done: see Deadline.ts.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as FifoActor from "../actor/FifoActor.ts"
import { Alerts } from "../alert/Alerts.ts"
import type { Codec } from "../domain/Codec.ts"
import type { EvidenceRecord } from "../domain/Evidence.ts"
import { Settings } from "../domain/Settings.ts"
import type { ColdStorageConfig } from "../domain/TracehoundConfig.ts"
import { seal } from "../evidence/Envelope.ts"
import { Compression, type CompressionError } from "../port/Compression.ts"
import { Hash } from "../port/Hash.ts"
import { withDeadline } from "./Deadline.ts"
import { ColdStorageEndpoint, ColdStorageError } from "./Endpoint.ts"

/** One piece of evidence on its way out. */
export interface Delivery {
  /** The custody record's id: the envelope's name, never used twice. */
  readonly id: string
  readonly record: EvidenceRecord
  /** The evidence. Read during the call alone: where it returns true it has been copied; it stays the teller's. */
  readonly content: Uint8Array
  /** The evidence under `codec`, where its sender pressed it already: the receiver's, if it takes the delivery. */
  readonly pressed: Uint8Array | null
}

/** What waits: no longer the evidence, but its pressed form to come. */
interface Message {
  readonly id: string
  readonly record: EvidenceRecord
  readonly body: Effect.Effect<Uint8Array, CompressionError>
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
  /** How evidence is pressed: what a sender that presses must use. */
  readonly codec: Codec
  /** Whether the evidence was taken. Where not, nothing was done with it, and a dead letter says so. Never throws. */
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
    codec: "gzip",
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
        const { codec } = config
        const endpoint = yield* ColdStorageEndpoint
        const compression = yield* Compression
        const hash = yield* Hash
        const alerts = yield* Alerts
        if (!compression.codecs.includes(codec)) return yield* unavailable(codec, compression.codecs)
        let written = 0
        let deadLetters = 0

        const overdue = () =>
          new ColdStorageError({
            reason: "write",
            message: `cold storage ${endpoint.destination}: no answer within ${config.writeTimeoutMs} ms`
          })
        const retry = Schedule.spaced(Duration.millis(config.retryDelayMs)).pipe(
          Schedule.upTo({ times: config.retries })
        )
        const write = (id: string, envelope: Uint8Array) =>
          Effect.retry(withDeadline(endpoint.write(id, envelope), config.writeTimeoutMs, overdue), retry)
        const failed = (message: string): void => {
          deadLetters += 1
          alerts.errorUnsafe({ state: "quarantine", code: "coldstorage_failure", message, recoverable: true })
          alerts.alertUnsafe({ type: "coldstorage.failure", severity: "critical", message: "evidence was not written" })
        }
        const refused = (why: string): void => {
          deadLetters += 1
          alerts.alertUnsafe({ type: "coldstorage.refused", severity: "critical", message: why })
        }
        const actor = yield* FifoActor.make<Message, never>({
          capacity: config.maxPendingCount,
          weigh: (message) => message.record.size,
          maxWeight: config.maxPendingBytes,
          drain: "10 seconds",
          handle: ({ body, id, record }) =>
            // A fiber that waits for mail runs on the turn of whoever sends some: not that turn shall seal and write.
            Effect.andThen(Effect.yieldNow, body).pipe(
              Effect.flatMap((bytes) => write(id, seal(record, codec, bytes, hash))),
              Effect.match({
                onSuccess: () => {
                  written += 1
                },
                onFailure: (error) => failed(error.message)
              })
            ),
          // Refusals are found before anything is pressed, so what is buried here was taken.
          bury: (_, reason) => failed(`cold storage ${endpoint.destination}: a write was ${reason}`)
        })

        /** The pressed form to come, or why there will be none. */
        const press = ({ content, pressed, record }: Delivery): Message["body"] | string => {
          const refusal = actor.refusalUnsafe(record.size)
          if (refusal !== null) return `the mailbox is ${refusal}`
          if (pressed !== null) return Effect.succeed(pressed)
          // What somebody detached, or what is of another record: its envelope could not be opened.
          if (content.length !== record.size) return "the evidence is not as long as its record says"
          try {
            return compression.pressUnsafe(codec, content)
          } catch {
            return "the host could not take a copy of the evidence"
          }
        }
        const tellUnsafe = (delivery: Delivery): boolean => {
          const body = press(delivery)
          if (typeof body !== "string") return actor.tellUnsafe({ id: delivery.id, record: delivery.record, body })
          refused(body)
          return false
        }
        return {
          destination: endpoint.destination,
          codec,
          tellUnsafe,
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

const unavailable = (codec: Codec, known: ReadonlyArray<Codec>): ColdStorageError =>
  new ColdStorageError({
    reason: "open",
    message: `this host cannot press with ${codec}: set audit.coldStorage.codec to one of ${known.join(", ")}`
  })
