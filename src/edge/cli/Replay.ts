/**
 * Replays recorded traffic through the whole runtime, on recorded time.
 *
 * Promises flat memory for input of any length; that a malformed line costs nothing but itself; and
 * that evidence is not dropped because cold storage is slow: the replay waits for it.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import type { TracehoundConfig } from "../../config/TracehoundConfig.ts"
import type { InterceptResult } from "../../domain/InterceptResult.ts"
import * as NodePorts from "../../host/node/NodePorts.ts"
import { type Format, type ScentEvent, scents } from "../../intake/signal/index.ts"
import { Tracehound } from "../../runtime/Tracehound.ts"
import { wipeOnSignals } from "../../runtime/WipeAtEnd.ts"
import * as RecordedClock from "./RecordedClock.ts"
import * as ReplayRandomness from "./ReplayRandomness.ts"
import { makeTally, type ReplaySummary, type Tally } from "./ReplaySummary.ts"

/** Is told what happens during a replay. */
export interface ReplayObserver<E> {
  /** A line that is no scent, and why. */
  readonly invalid: (line: number, message: string) => Effect.Effect<void>
  /** A line and the status of its answer; `signature` is empty where the answer has none. */
  readonly answered: (line: number, status: string, signature: string) => void
  /**
   * Evidence that cold storage did not take, once, before the answer; the last reason, if known.
   */
  readonly lost: (count: number, reason: string | undefined) => Effect.Effect<void>
  /** After each piece of input, some hundred lines. */
  readonly progress: (tally: Tally, tracehound: Tracehound["Service"]) => Effect.Effect<void, E>
}

/**
 * The most that may wait for cold storage, in envelopes and in bytes of evidence, before the replay
 * waits: half of what its mailbox takes, since one arrival may evict several, and little enough to
 * keep memory small.
 */
const maxBehind = (coldStorage: TracehoundConfig["audit"]["coldStorage"]) => ({
  count: Math.min(512, Math.floor((coldStorage?.maxPendingCount ?? 0) / 2)),
  bytes: Math.min(33_554_432, Math.floor((coldStorage?.maxPendingBytes ?? 0) / 2))
})

const signatureOf = (result: InterceptResult): string => {
  switch (result.status) {
    case "ignored":
      return result.signature
    case "quarantined":
    case "escalated":
      return result.handle.signature
    default:
      return ""
  }
}

/** What became of the last evidence that was lost on its way to cold storage. */
const lastLoss = ({ watcher }: Tracehound["Service"]["sync"]): string | undefined =>
  watcher.snapshot().errors.findLast(({ code }) => code === "coldstorage_failure" || code === "encode_error")?.message

/**
 * The ports of Node, with randomness that is the same in every run, so that the head of the chain
 * can be part of the answer.
 */
const replayPorts = Layer.mergeAll(NodePorts.layer, ReplayRandomness.layer.pipe(Layer.provide(NodePorts.layer)))

/**
 * Replays a byte stream. The Tracehound lives as long as the replay; evidence that it holds at the
 * end is wiped.
 */
export const replay = Effect.fn("replay")(function*<E, R, E2>(
  input: Stream.Stream<Uint8Array, E, R>,
  options: { readonly format: Format; readonly config: TracehoundConfig; readonly observer: ReplayObserver<E2> }
) {
  const { config, format, observer } = options
  const clock = RecordedClock.make(yield* Clock.Clock)
  // Whether a hound is free depends on this machine's time, not the recording's: with hounds the
  // same file would not give the same answer.
  const withoutHounds = { ...config, hound: { ...config.hound, enabled: false } }
  // With cold storage ids must differ from run to run: it never overwrites an envelope.
  const randomIds = config.audit.coldStorage !== undefined
  const onRecordedTime = Tracehound.layerNoDeps(withoutHounds).pipe(
    Layer.provide(randomIds ? NodePorts.layer : replayPorts),
    Layer.provide(Layer.succeed(Clock.Clock, clock)),
    // No log: the summary counts the same events.
    Layer.provide(Logger.layer([]))
  )
  const run = Effect.gen(function*() {
    const tracehound = yield* Tracehound
    const { coldStorage, intercept } = tracehound.sync
    yield* wipeOnSignals(tracehound.sync)
    const tally = makeTally(randomIds)
    const behind = maxBehind(config.audit.coldStorage)

    const keepUp = Effect.suspend(() => {
      const { pending, pendingBytes } = coldStorage.stats()
      return pending > behind.count || pendingBytes > behind.bytes ? tracehound.settled : Effect.void
    })
    const one = (event: ScentEvent) => {
      if (event._tag === "Invalid") {
        tally.addInvalid(event.isCutOff === true)
        observer.answered(event.line, "invalid", "")
        return observer.invalid(event.line, event.message)
      }
      if (event.isRaw === true) tally.addRaw()
      if (!clock.setUnsafe(event.scent.timestamp)) tally.addSkewed()
      const result = intercept(event.scent)
      tally.add(event.scent, result)
      observer.answered(event.line, result.status, signatureOf(result))
      return keepUp
    }
    yield* scents(input, { format }).pipe(
      Stream.runForEachArray((events) =>
        Effect.forEach(events, one, { discard: true }).pipe(
          Effect.andThen(observer.progress(tally, tracehound))
        )
      )
    )
    yield* tracehound.settled
    const summary: ReplaySummary = tally.summary(tracehound.sync)
    if (summary.deadLetters > 0) yield* observer.lost(summary.deadLetters, lastLoss(tracehound.sync))
    return summary
  })
  return yield* Effect.provide(Effect.scoped(run), onRecordedTime)
})
