/**
 * The fail-safe: a table from causes to actions, and the panic (RFC, "Fail-Safe Mechanisms";
 * CONFORMANCE F1 to F5).
 *
 * A room that meets a failure reports it and does what the answer says: a report is synchronous,
 * never throws and never waits. The fail-safe itself raises the alert, calls the callback or begins
 * the panic; these go on in the background.
 *
 * **Details**
 *
 * - `Purge` and `quarantine` are final: the caller destroys the evidence with a record, or leaves
 *   it where it is. `escalate` carries on in spite of the failure: it raises an alert, and it
 *   counts. A configured number of escalations within the window is a panic. Final actions do not
 *   count: an attacker who provokes timeouts must not be able to switch Tracehound off.
 * - A panic happens once, and is not taken back.
 *
 * **Gotchas**
 *
 * - A full quarantine is reported once for each time that it becomes full, not once for each
 *   arrival.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ActorSystem } from "../../actor/ActorSystem.ts"
import { Settings } from "../../config/Settings.ts"
import type { TracehoundConfig } from "../../config/TracehoundConfig.ts"
import type {
  ColdStorageDecision,
  EffectCallbacks,
  EvictionStrategy,
  FailSafeAction,
  FailSafeCause,
  PanicContext
} from "../../domain/FailSafe.ts"
import type { PurgeRecord } from "../../domain/Records.ts"
import type { TracehoundError } from "../../domain/TracehoundError.ts"
import type { QuarantineStats } from "../../domain/WatcherSnapshot.ts"
import { MonotonicTime } from "../../host/port/MonotonicTime.ts"
import { Caller } from "../../telemetry/Caller.ts"
import { Alerts } from "../alert/Alerts.ts"
import { type AlertDetails, alertOf, type Notice } from "../alert/Notice.ts"
import { type HostCallbacks, makeHostCallbacks } from "./HostCallbacks.ts"
import { escalations, fullError, purgedNotices, settingOf, thresholdNotice } from "./Notices.ts"
import { Panic } from "./Panic.ts"
import { makePanicWindow, type PanicWindow } from "./PanicWindow.ts"

/** The callbacks that the host gives; none by default. */
export const Callbacks: Context.Reference<EffectCallbacks> = Context.Reference<EffectCallbacks>(
  "tracehound/safety/failsafe/Callbacks",
  { defaultValue: () => ({}) }
)

export interface ReportOptions {
  /** The evidence that it is about, for the alert. Asked for only where there is one. */
  readonly details?: () => AlertDetails
  /**
   * Whether an escalation is one more error towards a panic; true where it is left out. It must be
   * false for failures that anybody can provoke at will.
   */
  readonly countsTowardsPanic?: boolean
}

/**
 * The fail-safe, for all rooms that can fail. All members but `coldStorageFailed` and `panicked`
 * are synchronous, never throw and never wait.
 */
export class FailSafe extends Context.Service<FailSafe, {
  /**
   * Posts the error on the board, and answers what the caller has to do about it. A report
   * allocates nothing by itself.
   */
  readonly reportUnsafe: (cause: FailSafeCause, error: TracehoundError, options?: ReportOptions) => FailSafeAction
  /** An arrival finds no room: answers what to do, now and until there is room again. */
  readonly fullUnsafe: (stats: () => QuarantineStats) => EvictionStrategy
  /** There is room again. */
  readonly roomUnsafe: () => void
  /** Evidence with this signature was purged: raises an alert and calls `onPurge`. */
  readonly purgedUnsafe: (record: PurgeRecord, signature: string) => void
  /** Asks the host about a failed try to write; null where it does not say. */
  readonly coldStorageFailed: (error: Error) => Effect.Effect<ColdStorageDecision | null>
  readonly panicUnsafe: () => void
  readonly isPanicked: () => boolean
  /** Adds a listener, which is called on the turn of the panic. What it throws is ignored. */
  readonly onPanic: (listener: (context: PanicContext) => void) => void
  readonly panicked: Effect.Effect<PanicContext>
}>()("tracehound/safety/failsafe/FailSafe") {
  /** As configured under `failSafe`, with the host's callbacks. */
  static readonly layer = Layer.effect(FailSafe, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const { failSafe: settings } = yield* Settings
  const { root } = yield* ActorSystem
  const alerts = yield* Alerts
  const caller = yield* Caller
  const clock = yield* Clock.Clock
  const { nowMs } = yield* MonotonicTime
  const callbacks = yield* makeHostCallbacks(root, {
    callbacks: yield* Callbacks,
    caller,
    timeout: settings.callbackTimeoutMs,
    onError: alerts.errorUnsafe
  })
  const panic = new Panic(alerts)
  const reports = new Reports({ settings, alerts, callbacks, caller, panic, clock, nowMs })
  const { fullUnsafe, roomUnsafe } = new FullQuarantine(reports, callbacks.onQuarantineFull)
  return FailSafe.of({
    reportUnsafe: reports.reportUnsafe,
    fullUnsafe,
    roomUnsafe,
    purgedUnsafe: (record, signature) => {
      alerts.alertUnsafe(purgedNotices[record.reason], () => ({ signature, id: record.scent.id }))
      callbacks.onPurge?.callUnsafe(record)
    },
    coldStorageFailed: (error) => callbacks.onColdStorageFailure?.call(error) ?? Effect.succeed(null),
    panicUnsafe: () => panic.beginUnsafe(reports.contextOf("request", null)),
    isPanicked: () => panic.hasHappened,
    onPanic: (listener) => panic.onPanic(listener),
    panicked: panic.happened
  })
})

/** The parts that `Reports` uses. */
export interface ReportsParts {
  readonly settings: TracehoundConfig["failSafe"]
  readonly alerts: Pick<Alerts["Service"], "alertUnsafe" | "errorUnsafe">
  readonly callbacks: Pick<HostCallbacks, "onEscalate" | "onPanicThreshold">
  readonly caller: Pick<Caller, "current">
  readonly panic: Pick<Panic, "beginUnsafe">
  /** Gives the time of day of what leaves. */
  readonly clock: Pick<Clock.Clock, "currentTimeMillisUnsafe">
  /** Measures the window of errors, in ms of monotonic time. */
  readonly nowMs: () => number
}

/** Decides about each failure by the table of settings, and adds escalations up to a panic. */
export class Reports {
  readonly #parts: ReportsParts
  readonly #errors: PanicWindow

  constructor(parts: ReportsParts) {
    this.#parts = parts
    this.#errors = makePanicWindow(parts.settings.panic.threshold)
  }

  readonly reportUnsafe = (cause: FailSafeCause, error: TracehoundError, options?: ReportOptions): FailSafeAction => {
    const { alerts, panic, settings } = this.#parts
    const action = settings[settingOf[cause]]
    alerts.errorUnsafe(error)
    if (action === "escalate") this.#escalate(cause, error, options)
    if (action === "panic") panic.beginUnsafe(this.contextOf(cause, error))
    return action
  }

  /** A panic's cause, as it is told. */
  contextOf(cause: PanicContext["cause"], error: TracehoundError | null): PanicContext {
    const { clock, nowMs, settings } = this.#parts
    return {
      cause,
      error,
      errors: this.#errors.errors(nowMs()),
      window: settings.panic.threshold.window,
      timestamp: clock.currentTimeMillisUnsafe()
    }
  }

  #escalate(
    cause: FailSafeCause,
    error: TracehoundError,
    { countsTowardsPanic = true, details }: ReportOptions = {}
  ): void {
    this.#raise(escalations[cause], details)
    if (!countsTowardsPanic) return
    const verdict = this.#errors.count(this.#parts.nowMs())
    if (verdict === "ask") this.#askAboutPanic(error)
    if (verdict === "panic") this.#panic(error)
  }

  #askAboutPanic(error: TracehoundError): void {
    this.#parts.callbacks.onPanicThreshold?.callUnsafe(this.contextOf("threshold", error), (answer) => {
      if (answer === "reset") this.#errors.reset()
      else if (answer === "panic") this.#panic(error)
      else if (answer === "escalate") this.#raise(thresholdNotice)
    })
  }

  #panic(error: TracehoundError): void {
    this.#parts.panic.beginUnsafe(this.contextOf("threshold", error))
  }

  #raise(notice: Notice, details?: () => AlertDetails): void {
    const { alerts, callbacks, caller, clock } = this.#parts
    alerts.alertUnsafe(notice, details)
    const now = clock.currentTimeMillisUnsafe()
    callbacks.onEscalate?.callUnsafe(alertOf(notice, now, details?.(), caller.current()))
  }
}

/** Decides once about each time that the quarantine is full: by the settings, then by the host. */
export class FullQuarantine {
  readonly #reports: Pick<Reports, "reportUnsafe">
  readonly #onFull: HostCallbacks["onQuarantineFull"]
  /** Null while there is room. */
  #strategy: EvictionStrategy | null = null

  constructor(reports: Pick<Reports, "reportUnsafe">, onFull: HostCallbacks["onQuarantineFull"]) {
    this.#reports = reports
    this.#onFull = onFull
  }

  readonly fullUnsafe = (stats: () => QuarantineStats): EvictionStrategy => {
    if (this.#strategy !== null) return this.#strategy
    const action = this.#reports.reportUnsafe("quarantine_full", fullError)
    const strategy = action === "Purge" || action === "escalate" ? "evict" : "turn_away"
    this.#strategy = strategy
    this.#onFull?.callUnsafe(stats(), (answer) => {
      // An answer that comes when there is room again is ignored.
      if (answer !== null && this.#strategy !== null) this.#strategy = answer
    })
    return strategy
  }

  readonly roomUnsafe = (): void => {
    this.#strategy = null
  }
}
