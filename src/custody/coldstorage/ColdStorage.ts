/**
 * Cold storage: compresses evidence that leaves custody and writes it away (RFC, "Cold Storage";
 * CONFORMANCE C1, E7, S1, S2).
 *
 * Two actors do it: the compressor (`Compressor.ts`) and the writer (`Writer.ts`), within one
 * account of what waits (`Account.ts`).
 *
 * Promises the caller one synchronous bounded `tellUnsafe`. Deliveries are written in FIFO order
 * with as many retries as configured, and each ends exactly once: written, or a dead letter that is
 * counted, alerted and kept (`DeadLetterBox.ts`). A delivery that is refused was not compressed. A
 * delivery that is taken is being compressed when `tellUnsafe` returns, and the evidence is the
 * caller's again. Nothing is sealed or written on the caller's turn. An endpoint that does not
 * answer costs the time of its tries and no more, and one that has failed three deliveries in a row
 * is tried once in a while (`Breaker.ts`).
 *
 * Where there is an `EvidenceCipher` around, envelopes are sealed by it before they are written,
 * and kept as they are written; what cannot be sealed is written nowhere.
 *
 * Cost: what `compressUnsafe` costs the caller's turn, about a microsecond for small evidence. The
 * actors' fibers seal, which is one SHA-256 of the envelope, and write.
 *
 * **Gotchas**
 *
 * - It reads nothing back: the endpoint alone says that a write succeeded.
 * - What waits is bounded in bytes of evidence, besides the quarantine's own bound. Until it is
 *   compressed each piece is kept as a copy, from then on in its compressed form.
 * - The compressed form and the envelope are not overwritten: under `stored` they hold the evidence
 *   itself, until the memory is used again.
 * - Evidence that cannot be compressed is an encode error (CONFORMANCE F1), and a dead letter at
 *   once: nobody has the evidence any more.
 * - A write that was given up may still be done: see actor/Deadline.ts.
 * - Where the host gives `onColdStorageFailure`, it decides about each failed try. If it always
 *   answers `retry`, it holds up everything that waits behind.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { ActorSystem } from "../../actor/ActorSystem.ts"
import { withDeadline } from "../../actor/Deadline.ts"
import { Settings } from "../../config/Settings.ts"
import type { ColdStorageConfig, TracehoundConfig } from "../../config/TracehoundConfig.ts"
import type { Codec } from "../../domain/Codec.ts"
import { Compression } from "../../host/port/Compression.ts"
import { Hash } from "../../host/port/Hash.ts"
import { MonotonicTime } from "../../host/port/MonotonicTime.ts"
import { Alerts } from "../../safety/alert/Alerts.ts"
import { FailSafe } from "../../safety/failsafe/FailSafe.ts"
import { Caller } from "../../telemetry/Caller.ts"
import * as RootSpans from "../../telemetry/RootSpans.ts"
import { EvidenceCipher } from "../encryption/EvidenceCipher.ts"
import { type DeadLetter, LedgerStore, type LedgerStoreError } from "../ledger/LedgerStore.ts"
import { Account } from "./Account.ts"
import { Ages } from "./Ages.ts"
import { Breaker } from "./Breaker.ts"
import { begin, Compress, spawnCompressor } from "./Compressor.ts"
import { DeadLetterBox, type KeptStats, memoryLetters } from "./DeadLetterBox.ts"
import { type Delivery, passageOf } from "./Delivery.ts"
import { ColdStorageEndpoint, ColdStorageError } from "./Endpoint.ts"
import { guardEndpoint } from "./GuardedEndpoint.ts"
import { makeResend, type ResendOptions, type Resent } from "./Resend.ts"
import { Tally } from "./Tally.ts"
import { spawnWriter, type WriterParts } from "./Writer.ts"

export type { Delivery, KeptStats, Resent, ResendOptions }

/** How the deliveries so far ended. */
export interface ColdStorageStats {
  readonly pending: number
  /** Bytes of evidence in what is pending. */
  readonly pendingBytes: number
  readonly written: number
  /**
   * Written, as an endpoint says that is not trusted (CONFORMANCE R3), or that would overwrite a
   * name that is taken.
   */
  readonly unconfirmed: number
  readonly deadLetters: number
}

/** Takes the evidence that leaves custody and must not be lost. */
export class ColdStorage extends Context.Service<ColdStorage, {
  /** The endpoint as records call it, or null where none is configured. */
  readonly destination: string | null
  /** The codec of deliveries that name none. A sender may compress under it, or under its own. */
  readonly codec: Codec
  /** Why evidence of this size would be refused now, or null. O(1). */
  readonly refusalUnsafe: (size: number) => string | null
  /**
   * Takes a delivery, or answers false: then nothing was done with the evidence, and a dead letter
   * is counted and alerted. Never throws.
   */
  readonly tellUnsafe: (delivery: Delivery) => boolean
  readonly stats: () => ColdStorageStats
  /** The dead letters whose envelopes are kept, and what became of others. */
  readonly kept: () => KeptStats
  /**
   * Sends what is kept again, one try each, and takes out what the endpoint has then. Gives how it
   * went.
   */
  readonly retry: (options?: ResendOptions) => Effect.Effect<Resent, LedgerStoreError>
  /** Those of the dead letters that were refused before any actor had them. */
  readonly refusals: () => number
  /** Milliseconds since the oldest delivery that is pending was taken; 0 where none is. */
  readonly oldestMs: () => number
  /** Whether the endpoint is spared, as its latest writes all failed (`Breaker.ts`). */
  readonly isSpared: () => boolean
  /** Opens the endpoint, within the time that a write may take, and begins to write. */
  readonly start: Effect.Effect<void, ColdStorageError>
  /** Waits until nothing is pending. */
  readonly settled: Effect.Effect<void>
}>()("tracehound/custody/coldstorage/ColdStorage") {
  /** For a configuration without cold storage: it refuses every delivery. */
  static readonly layerNone = Layer.succeed(ColdStorage, {
    destination: null,
    codec: "gzip",
    refusalUnsafe: () => "no cold storage is configured",
    refusals: () => 0,
    oldestMs: () => 0,
    isSpared: () => false,
    tellUnsafe: () => false,
    stats: () => ({ pending: 0, pendingBytes: 0, written: 0, unconfirmed: 0, deadLetters: 0 }),
    kept: () => ({ kept: 0, keptBytes: 0, unkept: 0, resent: 0 }),
    retry: () => Effect.succeed({ sent: 0, unconfirmed: 0, failed: 0, taken: 0, elsewhere: 0, kept: 0 }),
    start: Effect.void,
    settled: Effect.void
  })

  /** Writes to the endpoint, within the bounds of its configuration. */
  static readonly layerEndpoint = (config: ColdStorageConfig) => Layer.effect(ColdStorage, make(config))

  /** As configured; `endpointFor` makes the endpoint where one is configured. */
  static readonly layer = <E, R>(endpointFor: (config: ColdStorageConfig) => Layer.Layer<ColdStorageEndpoint, E, R>) =>
    Layer.unwrap(Effect.map(Settings, ({ audit: { coldStorage } }) =>
      coldStorage === undefined
        ? ColdStorage.layerNone
        : ColdStorage.layerEndpoint(coldStorage).pipe(Layer.provide(endpointFor(coldStorage)))))
}

const make = Effect.fnUntraced(function*(config: ColdStorageConfig) {
  const { codec } = config
  const { root } = yield* ActorSystem
  const clock = yield* Clock.Clock
  const { trustBoundary } = yield* Settings
  const endpoint = yield* guardEndpoint(yield* ColdStorageEndpoint)
  const compression = yield* Compression
  const hash = yield* Hash
  const alerts = yield* Alerts
  const failSafe = yield* FailSafe
  if (!compression.codecs.includes(codec)) return yield* unavailable(codec, compression.codecs)
  const isTrusted = isTrustedEndpoint(trustBoundary, endpoint.destination)
  const caller = yield* Caller
  const tally = new Tally(endpoint.destination, alerts, caller)
  const time = yield* MonotonicTime
  const breaker = new Breaker(time.nowMs)
  const ages = new Ages(time.nowMs)
  const spans = yield* RootSpans.fromContext
  const nowMs = () => clock.currentTimeMillisUnsafe()
  const box = yield* makeBox(config)
  const leaveBehind = yield* keepAtEnd(box, endpoint.destination, nowMs)
  const loss = { box, breaker, failSafe, leaveBehind, nowMs }
  const writer = yield* spawnWriter(root, { caller, config, endpoint, spans, tally, ages, ...loss })
  const cipher = Option.getOrNull(yield* Effect.serviceOption(EvidenceCipher))
  const compressor = yield* spawnCompressor(
    root,
    { caller, cipher, config, hash, writer, failSafe, tally, ages, nowMs }
  )
  const account = new Account(compressor, writer, config)
  return ColdStorage.of({
    destination: endpoint.destination,
    codec,
    refusalUnsafe: account.refusalUnsafe,
    refusals: () => tally.refused,
    oldestMs: () => ages.oldestMs(),
    isSpared: () => breaker.isOpen,
    tellUnsafe: (delivery) => {
      const body = account.refusalUnsafe(delivery.record.size) ?? begin(compression, codec, delivery)
      if (typeof body === "string") {
        tally.reportRefusal(body, delivery.record)
        return false
      }
      const { id, isPurged = false, record } = delivery
      ages.begin(id)
      const passage = passageOf(delivery, caller.current())
      return compressor.tellUnsafe(
        new Compress({ id, codec: delivery.codec ?? codec, record, body, isPurged, passage })
      )
    },
    stats: () => ({
      pending: account.pending(),
      pendingBytes: account.pendingBytes(),
      written: isTrusted ? tally.written - tally.unconfirmed : 0,
      unconfirmed: isTrusted ? tally.unconfirmed : tally.written,
      deadLetters: tally.deadLetters
    }),
    kept: () => box.stats(),
    retry: makeResend({ box, breaker, config, endpoint }),
    start: openInTime(endpoint, config).pipe(
      Effect.andThen(Effect.mapError(box.open, unreadable(endpoint))),
      Effect.andThen(compressor.resume)
    ),
    settled: account.settled
  })
})

/** Dead letters lie in the ledger's database where there is one around. */
const makeBox = (config: ColdStorageConfig): Effect.Effect<DeadLetterBox> =>
  Effect.map(Effect.serviceOption(LedgerStore), (store) => {
    const letters = Option.match(store, { onNone: memoryLetters, onSome: ({ deadLetters }) => deadLetters })
    return new DeadLetterBox(letters, config)
  })

/**
 * What the writer has not come to when it is closed is kept once it has ended: this is registered
 * before the writer is there. What it leaves behind is bounded as its mailbox is.
 */
const keepAtEnd = (
  box: DeadLetterBox,
  endpoint: string,
  nowMs: () => number
): Effect.Effect<WriterParts["leaveBehind"], never, Scope.Scope> => {
  const left: Array<DeadLetter> = []
  const keepAll = Effect.suspend(() => Effect.forEach(left, (letter) => box.keep(letter), { discard: true }))
  return Effect.as(
    Effect.addFinalizer(() => keepAll),
    ({ envelope, id }, reason) => void left.push({ name: id, endpoint, reason, time: nowMs(), envelope })
  )
}

const unreadable = ({ destination }: ColdStorageEndpoint["Service"]) => ({ message }: LedgerStoreError) =>
  new ColdStorageError({ reason: "open", message: `cold storage ${destination}: its dead letters: ${message}` })

/** An endpoint that never answers must not keep Tracehound from starting or failing to start. */
const openInTime = (
  { destination, open }: ColdStorageEndpoint["Service"],
  { writeTimeoutMs }: ColdStorageConfig
): Effect.Effect<void, ColdStorageError> =>
  withDeadline(open, writeTimeoutMs, () =>
    new ColdStorageError({
      reason: "open",
      message: `cold storage ${destination} cannot be opened: no answer within ${writeTimeoutMs} ms`
    }))

/**
 * Whether the configured trust boundary takes this endpoint's word for a write (CONFORMANCE R3).
 */
const isTrustedEndpoint = (
  { coldStorage: { endpoint, trustLevel } }: TracehoundConfig["trustBoundary"],
  destination: string
): boolean => trustLevel === "write-only" && (endpoint ?? destination) === destination

const unavailable = (codec: Codec, known: ReadonlyArray<Codec>): ColdStorageError =>
  new ColdStorageError({
    reason: "open",
    message: `this host cannot compress with ${codec}: set audit.coldStorage.codec to one of ${known.join(", ")}`
  })
