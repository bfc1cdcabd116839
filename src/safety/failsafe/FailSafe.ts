/**
 * The fail-safe: a table from causes to actions, and a panic that others listen to (RFC, "Fail-Safe
 * Mechanisms"; CONFORMANCE F1 to F5).
 *
 * Whoever meets a failure reports it and does what it is told: a report is synchronous, never
 * throws and never waits. What is done beside that (an alert, a callback, a panic) begins here and
 * goes on elsewhere.
 *
 * **Details**
 *
 * - `Purge` and `quarantine` are ends: the caller destroys the evidence with a record, or leaves it
 *   where it is. `escalate` goes on in spite of the failure: it is an alert, and it counts. So many
 *   of those within the window, and there is a panic. What came to its end counts for nothing: an
 *   attacker who provokes timeouts must not be able to switch Tracehound off.
 * - A panic happens once, and is not taken back.
 *
 * **Gotchas**
 *
 * - A full quarantine is reported once for each time that it becomes full, not once for each
 *   arrival.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Scope } from "effect/Scope"
import { ActorSystem } from "../../actor/ActorSystem.ts"
import { Alerts, type Notice } from "../alert/Alerts.ts"
import {
  type ColdStorageDecision,
  coldStorageDecisions,
  type EvictionStrategy,
  evictionStrategies,
  type FailSafeAction,
  type FailSafeCallbacks,
  type FailSafeCause,
  panicActions,
  type PanicContext
} from "../../domain/FailSafe.ts"
import type { PurgeRecord } from "../../domain/Records.ts"
import { Settings } from "../../config/Settings.ts"
import type { TracehoundError } from "../../domain/TracehoundError.ts"
import type { QuarantineStats } from "../../domain/WatcherSnapshot.ts"
import { MonotonicTime } from "../../host/port/MonotonicTime.ts"
import { type Callback, makeCallback } from "./Callback.ts"
import {
  callbackError,
  escalations,
  fullError,
  panicError,
  panicNotice,
  purgedNotice,
  settingOf,
  thresholdNotice
} from "./Notices.ts"
import { makePanicWindow } from "./PanicWindow.ts"

/** The callbacks that a host gives: none, unless it provides some. */
export const Callbacks: Context.Reference<FailSafeCallbacks> = Context.Reference<FailSafeCallbacks>(
  "tracehound/safety/failsafe/Callbacks",
  { defaultValue: () => ({}) }
)

/**
 * Asked by all who can fail. All but `coldStorageFailed` and `panicked` is synchronous, never
 * throws and never waits.
 */
export class FailSafe extends Context.Service<FailSafe, {
  /**
   * Writes the error down, and says what the caller has to do about it. `counts`: whether an
   * escalation is one more towards a panic, as it is where it is left out; what anybody can provoke
   * at will is not.
   */
  readonly reportUnsafe: (cause: FailSafeCause, error: TracehoundError, counts?: boolean) => FailSafeAction
  /** An arrival finds no room: what is to be done, now and until there is room again. */
  readonly fullUnsafe: (stats: () => QuarantineStats) => EvictionStrategy
  /** There is room again. */
  readonly roomUnsafe: () => void
  /** Evidence was purged: tells whoever wants to know. */
  readonly purgedUnsafe: (record: PurgeRecord) => void
  /** What is to be done about a try to write that failed; null where nobody says. */
  readonly coldStorageFailed: (error: Error) => Effect.Effect<ColdStorageDecision | null>
  /** Panics, because somebody asks for it. */
  readonly panicUnsafe: () => void
  readonly isPanicked: () => boolean
  /** Calls back on the turn of the panic; what the callback throws is ignored. */
  readonly onPanic: (listener: (context: PanicContext) => void) => void
  /** Waits for a panic. */
  readonly panicked: Effect.Effect<PanicContext>
}>()("tracehound/safety/failsafe/FailSafe") {
  /** As configured under `failSafe`, with the host's callbacks. */
  static readonly layer = Layer.effect(
    FailSafe,
    Effect.gen(function*() {
      const { failSafe } = yield* Settings
      const { root } = yield* ActorSystem
      const alerts = yield* Alerts
      const clock = yield* Clock.Clock
      const { nowMs } = yield* MonotonicTime
      const callbacks = yield* Callbacks
      const { threshold } = failSafe.panic
      const errors = makePanicWindow(threshold)
      const listeners: Array<(context: PanicContext) => void> = []
      const panicked = yield* Deferred.make<PanicContext>()
      let isPanicked = false
      /** What is done about a full quarantine, while it is full. */
      let full: EvictionStrategy | null = null

      const callback = <In, Out extends string = never>(
        name: keyof FailSafeCallbacks,
        call: ((input: In) => unknown) | undefined,
        answers: ReadonlyArray<Out> = []
      ): Effect.Effect<Callback<In, Out> | null, never, Scope> =>
        typeof call !== "function" ? Effect.succeed(null) : makeCallback<In, Out>(root, {
          name,
          // A method of the host's own object finds that object.
          call: (input) => Reflect.apply(call, callbacks, [input]),
          answers,
          timeout: failSafe.callbackTimeoutMs,
          onTrouble: (trouble) => alerts.errorUnsafe(callbackError(name, trouble))
        })
      const onPurge = yield* callback("onPurge", callbacks.onPurge)
      const onEscalate = yield* callback("onEscalate", callbacks.onEscalate)
      const onPanicThreshold = yield* callback("onPanicThreshold", callbacks.onPanicThreshold, panicActions)
      const onFull = yield* callback("onQuarantineFull", callbacks.onQuarantineFull, evictionStrategies)
      const onFailure = yield* callback("onColdStorageFailure", callbacks.onColdStorageFailure, coldStorageDecisions)

      const contextOf = (cause: PanicContext["cause"], error: TracehoundError | null): PanicContext => ({
        cause,
        error,
        errors: errors.errors(nowMs()),
        window: threshold.window,
        timestamp: clock.currentTimeMillisUnsafe()
      })
      const panic = (context: PanicContext): void => {
        if (isPanicked) return
        isPanicked = true
        alerts.errorUnsafe(panicError)
        alerts.alertUnsafe(panicNotice)
        for (const listener of listeners) {
          try {
            listener(context)
          } catch {
            // The listener's mistake; the panic goes on.
          }
        }
        Deferred.doneUnsafe(panicked, Effect.succeed(context))
      }
      const raise = (notice: Notice): void => {
        alerts.alertUnsafe(notice)
        onEscalate?.callUnsafe({ ...notice, timestamp: clock.currentTimeMillisUnsafe() })
      }
      const askAboutPanic = (error: TracehoundError): void =>
        onPanicThreshold?.callUnsafe(contextOf("threshold", error), (answer) => {
          if (answer === "reset") errors.reset()
          else if (answer === "panic") panic(contextOf("threshold", error))
          else if (answer === "escalate") raise(thresholdNotice)
        })
      const escalate = (cause: FailSafeCause, error: TracehoundError, counts: boolean): void => {
        raise(escalations[cause])
        if (!counts) return
        const verdict = errors.count(nowMs())
        if (verdict === "ask") askAboutPanic(error)
        if (verdict === "panic") panic(contextOf("threshold", error))
      }
      const reportUnsafe = (cause: FailSafeCause, error: TracehoundError, counts = true): FailSafeAction => {
        const action = failSafe[settingOf[cause]]
        alerts.errorUnsafe(error)
        if (action === "escalate") escalate(cause, error, counts)
        if (action === "panic") panic(contextOf(cause, error))
        return action
      }

      return {
        reportUnsafe,
        fullUnsafe: (stats) => {
          if (full !== null) return full
          const action = reportUnsafe("quarantine_full", fullError)
          full = action === "Purge" || action === "escalate" ? "evict" : "turn_away"
          onFull?.callUnsafe(stats(), (answer) => {
            // An answer that comes when there is room again is about nothing.
            if (answer !== null && full !== null) full = answer
          })
          return full
        },
        roomUnsafe: () => {
          full = null
        },
        purgedUnsafe: (record) => {
          alerts.alertUnsafe(purgedNotice)
          onPurge?.callUnsafe(record)
        },
        coldStorageFailed: (error) =>
          onFailure === null
            ? Effect.succeed(null)
            : onFailure.call(error),
        panicUnsafe: () => panic(contextOf("request", null)),
        isPanicked: () => isPanicked,
        onPanic: (listener) => {
          listeners.push(listener)
        },
        panicked: Deferred.await(panicked)
      }
    })
  )
}
