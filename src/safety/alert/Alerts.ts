/**
 * Where rooms report to people: alerts, log events and errors, told synchronously and written by an
 * actor (RFC, "Watcher" and "Queue Assignments": alerts go by lanes, critical ones first).
 *
 * Alerts pass the limiter before they enter the mailbox, so a flood of them costs a counter. Log
 * events of custody are written at the Debug level: an attacker who fills the quarantine must not
 * fill the host's disk. Where the host does not log at that level, a log event costs a comparison
 * and nothing is made of it.
 *
 * **Gotchas**
 *
 * - A panic passes the limiter, always: it comes at most once.
 * - A notice that finds its lane full is gone; `deadLetters` counts it, and so does the actor
 *   system.
 * - A logger of the host's that dies loses the one notice that it died of.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import * as Request from "effect/Request"
import { ActorSystem } from "../../actor/ActorSystem.ts"
import { define } from "../../actor/Definition.ts"
import { type Lane, lanes } from "../../actor/Mailbox.ts"
import type { Alert } from "../../domain/Alert.ts"
import { Settings } from "../../config/Settings.ts"
import type { Severity } from "../../domain/Severity.ts"
import type { TracehoundError } from "../../domain/TracehoundError.ts"
import { makeAlertLimiter } from "./AlertLimiter.ts"
import { AlertSinks } from "./AlertSink.ts"
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

/** An alert that passed the limiter. */
class Raised extends Request.TaggedClass("Raised")<{ readonly alert: Alert }, void, "unwritten"> {}

/** A log event to be written. */
class Logged extends Request.TaggedClass("Logged")<{ readonly event: LogEvent }, void, "unwritten"> {}

/** Notices that may wait in each lane. */
const capacity = 1024

/**
 * The lane of each level of alerts: the same for all who hand alerts on. Log events go behind all
 * of them.
 */
export const laneOf: Record<Alert["severity"], Lane> = { critical: "critical", warning: "high", info: "medium" }

/** The reporting desk. Its three `…Unsafe` methods are synchronous, never throw and never wait. */
export class Alerts extends Context.Service<Alerts, {
  /**
   * Raises an alert, stamped with the time now; the limiter decides whether it leaves. The
   * signature of the evidence is asked for only then.
   */
  readonly alertUnsafe: (notice: Notice, signature?: () => string) => void
  /**
   * Writes an event of custody at the Debug level. The signature is asked for only where that is
   * logged.
   */
  readonly logUnsafe: (kind: LogKind, severity: Severity, signature: () => string) => void
  /** Posts an error on the board that the Watcher shows. */
  readonly errorUnsafe: (error: TracehoundError) => void
  /** The latest errors, oldest first. */
  readonly errors: () => ReadonlyArray<TracehoundError>
  /** Notices that were lost: their lane was full or closed, or the host's logger failed. */
  readonly deadLetters: () => number
  readonly start: Effect.Effect<void>
}>()("tracehound/safety/alert/Alerts") {
  /** Writes through Effect's own logger. */
  static readonly layer = Layer.effect(
    Alerts,
    Effect.gen(function*() {
      const { alerts } = yield* Settings
      const { root } = yield* ActorSystem
      const clock = yield* Clock.Clock
      const limiter = makeAlertLimiter(alerts)
      const board = makeErrorBoard()
      const isDebugging = yield* LogLevel.isEnabled("Debug")
      const sinks = yield* AlertSinks
      let deadLetters = 0

      // A logger of the host's that dies is no crash of the desk: its notice is a dead letter.
      const written = (writing: Effect.Effect<void>) =>
        Effect.catchDefect(writing, () => Effect.fail("unwritten" as const))
      const handOn = (alert: Alert): void => {
        for (const sink of sinks) {
          try {
            sink.sendUnsafe(alert)
          } catch {
            // The sink's mistake; the others are told all the same.
          }
        }
      }
      const desk = yield* Effect.orDie(root.spawn(
        define<Raised | Logged>()("alerts", {
          mailbox: lanes({ capacity }),
          drain: "2 seconds",
          suspended: true,
          onDeadLetter: () => {
            deadLetters += 1
          },
          behaviour: () =>
            Effect.succeed({
              Raised: ({ alert }: Raised) => {
                handOn(alert)
                return written(writeAlert(alert))
              },
              Logged: ({ event }: Logged) => written(writeLog(event))
            })
        })
      ))
      const raise = (alert: Alert): void => {
        desk.tellUnsafe(new Raised({ alert }), laneOf[alert.severity])
      }
      const alertUnsafe = (notice: Notice, signature?: () => string): void => {
        const timestamp = clock.currentTimeMillisUnsafe()
        // A panic comes once, and whoever provoked it may have filled the window before.
        const admission = notice.type === "failsafe.panic" ? "emit" : limiter.admit(timestamp)
        if (admission === "emit") {
          raise(signature === undefined ? { ...notice, timestamp } : { ...notice, timestamp, signature: signature() })
        } else if (admission === "escalate") raise(flood(timestamp, limiter.alertCount))
      }
      for (const sink of sinks) {
        sink.onFailure((error) => {
          board.post(error)
          alertUnsafe(undelivered)
        })
      }
      return {
        alertUnsafe,
        logUnsafe: (kind, severity, signature) => {
          if (isDebugging) desk.tellUnsafe(new Logged({ event: { ...kind, severity, signature: signature() } }), "low")
        },
        errorUnsafe: board.post,
        errors: board.errors,
        deadLetters: () => deadLetters,
        start: desk.resume
      }
    })
  )
}

const undelivered: Notice = Object.freeze({
  type: "devops.failure",
  severity: "warning",
  message: "an alert did not reach the devopsEndpoint"
})

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
