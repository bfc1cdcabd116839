/**
 * Where rooms report to people: alerts, log events and errors, told synchronously and written by an actor (RFC, "Watcher").
 *
 * Alerts pass the limiter before they enter the mailbox, so a flood of them costs a counter. Log events of custody are
 * written at the Debug level: an attacker who fills the quarantine must not fill the host's disk. Where the host does not log
 * at that level, a log event costs a comparison and nothing is made of it.
 *
 * **Gotchas**
 *
 * - Without cold storage of its own, a notice that finds the mailbox full is gone; `deadLetters` counts it.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import * as FifoActor from "../actor/FifoActor.ts"
import type { Alert } from "../domain/Alert.ts"
import { Settings } from "../domain/Settings.ts"
import type { Severity } from "../domain/Severity.ts"
import type { TracehoundError } from "../domain/TracehoundError.ts"
import { makeAlertLimiter } from "./AlertLimiter.ts"
import { makeErrorBoard } from "./ErrorBoard.ts"

/** What is wrong, as a fixed object of whoever raises it; the desk adds the time. */
export type Notice = Pick<Alert, "type" | "severity" | "message">

/** What happens to evidence, for the log (RFC, "Eviction is NOT silent"). */
export interface LogKind {
  readonly type: "quarantine.eviction" | "quarantine.evacuation"
  readonly reason: "capacity" | "request"
}

/** It happened to this evidence. */
interface LogEvent extends LogKind {
  readonly signature: string
  readonly severity: Severity
}

/** What waits in the mailbox. */
type Mail = { readonly _tag: "Alert"; readonly alert: Alert } | { readonly _tag: "Log"; readonly event: LogEvent }

/** Notices that may wait to be written. */
const capacity = 4096

/** The reporting desk. Its three `…Unsafe` methods are synchronous, never throw and never wait. */
export class Alerts extends Context.Service<Alerts, {
  /**
   * Raises an alert, stamped with the time now; the limiter decides whether it leaves. The signature of the evidence is asked
   * for only then.
   */
  readonly alertUnsafe: (notice: Notice, signature?: () => string) => void
  /** Writes an event of custody at the Debug level. The signature is asked for only where that is logged. */
  readonly logUnsafe: (kind: LogKind, severity: Severity, signature: () => string) => void
  /** Posts an error on the board that the Watcher shows. */
  readonly errorUnsafe: (error: TracehoundError) => void
  /** The latest errors, oldest first. */
  readonly errors: () => ReadonlyArray<TracehoundError>
  /** Notices that were lost: the mailbox was full or closed, or the host's logger failed. */
  readonly deadLetters: () => number
  readonly start: Effect.Effect<void>
}>()("tracehound/alert/Alerts") {
  /** Writes through Effect's own logger. */
  static readonly layer = Layer.effect(
    Alerts,
    Effect.gen(function*() {
      const { alerts } = yield* Settings
      const clock = yield* Clock.Clock
      const limiter = makeAlertLimiter(alerts)
      const board = makeErrorBoard()
      const isDebugging = yield* LogLevel.isEnabled("Debug")
      let deadLetters = 0
      const desk = yield* FifoActor.make<Mail, never>({
        capacity,
        drain: "2 seconds",
        bury: () => {
          deadLetters += 1
        },
        handle: (notice) => notice._tag === "Alert" ? writeAlert(notice.alert) : writeLog(notice.event)
      })
      return {
        alertUnsafe: (notice, signature) => {
          const timestamp = clock.currentTimeMillisUnsafe()
          const admission = limiter.admit(timestamp)
          if (admission === "emit") {
            const alert = signature === undefined
              ? { ...notice, timestamp }
              : { ...notice, timestamp, signature: signature() }
            desk.tellUnsafe({ _tag: "Alert", alert })
          } else if (admission === "escalate") {
            desk.tellUnsafe({ _tag: "Alert", alert: flood(timestamp, limiter.alertCount) })
          }
        },
        logUnsafe: (kind, severity, signature) => {
          if (isDebugging) desk.tellUnsafe({ _tag: "Log", event: { ...kind, severity, signature: signature() } })
        },
        errorUnsafe: board.post,
        errors: board.errors,
        deadLetters: () => deadLetters,
        start: desk.start
      }
    })
  )
}

const flood = (timestamp: number, alertCount: number): Alert => ({
  type: "alert.flood",
  severity: "critical",
  message: "more alerts than this window allows: the rest of it is silent",
  timestamp,
  alertCount
})

const writeAlert = (alert: Alert): Effect.Effect<void> => {
  const log = alert.severity === "critical"
    ? Effect.logError
    : alert.severity === "warning"
    ? Effect.logWarning
    : Effect.logInfo
  return Effect.annotateLogs(log(`${alert.type}: ${alert.message}`), {
    type: alert.type,
    timestamp: alert.timestamp,
    ...(alert.signature === undefined ? {} : { signature: alert.signature }),
    ...(alert.alertCount === undefined ? {} : { alertCount: alert.alertCount })
  })
}

const writeLog = (event: LogEvent): Effect.Effect<void> =>
  Effect.annotateLogs(Effect.logDebug(event.type), { ...event })
