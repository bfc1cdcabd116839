/**
 * The alerts service: takes alerts, log events and errors from all rooms synchronously, and has an
 * actor write them (RFC, "Watcher" and "Queue Assignments": alerts go by lanes, critical ones
 * first).
 *
 * Alerts pass the limiter before they enter the mailbox, so a flood of them costs a counter. Log
 * events of custody are written at the Debug level: an attacker who fills the quarantine must not
 * fill the host's disk. Where the host does not log at that level, a log event costs a comparison
 * and nothing is made of it.
 *
 * **Gotchas**
 *
 * - An alert or log event that finds its lane full is lost; `deadLetters` counts it, and so does
 *   the actor system.
 * - Where the host's logger dies, the alert or log event that it was writing is lost.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LogLevel from "effect/LogLevel"
import * as Request from "effect/Request"
import * as Schema from "effect/Schema"
import type * as Tracer from "effect/Tracer"
import { ActorSystem } from "../../actor/ActorSystem.ts"
import { define } from "../../actor/Definition.ts"
import { disown } from "../../actor/Given.ts"
import { lanes } from "../../actor/Mailbox.ts"
import { Settings } from "../../config/Settings.ts"
import { type Alert, Reason } from "../../domain/Alert.ts"
import type { Severity } from "../../domain/Severity.ts"
import { problem, TracehoundError } from "../../domain/TracehoundError.ts"
import { Caller, inTrace } from "../../telemetry/Caller.ts"
import { classOf, messageOf } from "../../telemetry/Causes.ts"
import { escapedId } from "../../telemetry/Escaped.ts"
import { Listeners } from "../../telemetry/Listeners.ts"
import { traceOf } from "../../telemetry/RootSpans.ts"
import { AlertCounts } from "./AlertCounts.ts"
import { makeAlertLimiter } from "./AlertLimiter.ts"
import { type AlertSink, AlertSinks } from "./AlertSink.ts"
import { isEffectSink, openSink } from "./EffectSink.ts"
import { makeErrorBoard } from "./ErrorBoard.ts"
import { laneOf } from "./Lanes.ts"
import { type AlertDetails, alertOf, type Notice, notice } from "./Notice.ts"

/** Something that happened to evidence, to be logged (RFC, "Eviction is NOT silent"). */
export interface LogKind {
  readonly type: "quarantine.eviction" | "quarantine.evacuation"
  readonly reason: "capacity" | "request"
}

/** The same, with the evidence that it happened to. */
interface LogEvent extends LogKind, Pick<Alert, "evidenceId" | "signature" | "trace"> {
  readonly severity: Severity
}

/** The span that an alert or a log event came from: its line is written within it. */
interface Traced {
  readonly span: Tracer.AnySpan | undefined
}

/** Writes an alert that passed the limiter, and hands it to the sinks. */
class RaiseAlert extends Request.TaggedClass("RaiseAlert")<
  Traced & {
    readonly alert: Alert
    readonly isPosted: boolean
    /** What was thrown: its class and its message, escaped. Undefined where nobody will see it. */
    readonly cause: readonly [name: string, message: string] | undefined
  },
  void,
  "unwritten"
> {}

class WriteLog extends Request.TaggedClass("WriteLog")<Traced & { readonly event: LogEvent }, void, "unwritten"> {}

/** Alerts or log events that may wait in each lane. */
const capacity = 1024

/** Reports to people. The three `…Unsafe` methods are synchronous, never throw and never wait. */
export class Alerts extends Context.Service<Alerts, {
  /**
   * Raises an alert with the time of the call and the trace of the caller's span; the limiter
   * decides whether it leaves. The details are asked for only where it leaves.
   */
  readonly alertUnsafe: (notice: Notice, details?: () => AlertDetails) => void
  /**
   * Writes what happened to evidence at the Debug level. The details are asked for only where the
   * host logs at that level.
   */
  readonly logUnsafe: (kind: LogKind, severity: Severity, details: () => AlertDetails) => void
  /**
   * Calls back on the turn of each alert that leaves, until the function that it gives is called.
   * The listener must not throw, and must not wait.
   */
  readonly onAlert: (listener: (alert: Alert) => void) => () => void
  /** Posts an error on the board that the Watcher shows. */
  readonly errorUnsafe: (error: TracehoundError) => void
  /** The latest error of each code, oldest first. */
  readonly errors: () => ReadonlyArray<TracehoundError>
  /**
   * Alerts and log events that were lost: their lane was full or closed, or the host's logger died.
   */
  readonly deadLetters: () => number
  /** How many alerts were raised and suppressed so far, by type. */
  readonly counts: Pick<AlertCounts, "raised" | "suppressed">
  /** Whether nothing is posted for now, as the latest posts all failed. */
  readonly isDevopsSpared: () => boolean
  /** Begins to write; until then everything waits in its lane. */
  readonly start: Effect.Effect<void>
}>()("tracehound/safety/alert/Alerts") {
  /** Writes through Effect's own logger, and to the AlertSinks. */
  static readonly layer = Layer.effect(Alerts, Effect.suspend(() => make))
}

const make = Effect.gen(function*() {
  const { alerts } = yield* Settings
  const clock = yield* Clock.Clock
  const sinks = yield* openSinks
  const caller = yield* Caller
  const isDebugging = yield* LogLevel.isEnabled("Debug")
  const limiter = makeAlertLimiter(alerts)
  const board = makeErrorBoard()
  const counts = new AlertCounts()
  let deadLetters = 0
  const hand = (alert: Alert, isPosted: boolean) => handOn(sinks, alert, isPosted, () => board.post(sinkError))
  const actor = yield* spawnWriter(caller, hand, () => {
    deadLetters += 1
  })
  const listeners = new Listeners<Alert>()
  const raise = (alert: Alert, { isPosted }: Notice, span: Tracer.AnySpan | undefined, thrown?: unknown): void => {
    // Frozen: what one sink writes to it must not reach the log, or another sink.
    Object.freeze(alert)
    if (listeners.isHeard) listeners.tellUnsafe(alert)
    const cause = isDebugging && thrown !== undefined ? [classOf(thrown), messageOf(thrown)] as const : undefined
    actor.tellUnsafe(new RaiseAlert({ alert, isPosted, span, cause }), laneOf[alert.severity])
  }
  const alertUnsafe = (notice: Notice, details?: () => AlertDetails): void => {
    const timestamp = clock.currentTimeMillisUnsafe()
    const admission = notice.alwaysPasses ? "emit" : limiter.admit(timestamp)
    const span = admission === "suppress" ? undefined : caller.current()
    if (admission === "emit") {
      counts.countRaised(notice.type)
      const about = details?.()
      raise(alertOf(notice, timestamp, about, span), notice, span, about?.thrown)
      return
    }
    counts.countSuppressed(notice.type)
    if (admission === "escalate") {
      counts.countRaised(flood.type)
      raise({ ...alertOf(flood, timestamp, {}, span), alertCount: limiter.alertCount }, flood, span)
    }
  }
  listenTo(sinks, (error, isQuiet) => {
    if (isError(error)) board.post(error)
    if (!isQuiet) alertUnsafe(undelivered, () => reasonIn(error))
  })
  return Alerts.of({
    alertUnsafe,
    logUnsafe: (kind, severity, details) => {
      if (!isDebugging) return
      const span = caller.current()
      actor.tellUnsafe(new WriteLog({ event: eventOf(kind, severity, details(), span), span }), "low")
    },
    onAlert: (listener) => listeners.add(listener),
    errorUnsafe: board.post,
    errors: board.errors,
    deadLetters: () => deadLetters,
    counts,
    isDevopsSpared: () => sinks.some((sink) => isSpared(sink)),
    start: actor.resume
  })
})

/** The actor that writes alerts and log events; suspended until it is resumed. */
const spawnWriter = (
  caller: Caller,
  hand: (alert: Alert, isPosted: boolean) => void,
  onDeadLetter: () => void
) =>
  Effect.flatMap(ActorSystem, ({ root }) =>
    Effect.orDie(root.spawn(
      define<RaiseAlert | WriteLog>()("alerts", {
        mailbox: lanes({ capacity }),
        drain: "2 seconds",
        suspended: true,
        onDeadLetter,
        behaviour: () =>
          Effect.succeed({
            RaiseAlert: ({ alert, cause, isPosted, span }: RaiseAlert) => {
              caller.within(span, () => hand(alert, isPosted))
              return written(cause === undefined ? writeAlert(alert) : writeBoth(alert, cause), span)
            },
            WriteLog: ({ event, span }: WriteLog) => written(writeLog(event), span)
          })
      })
    )))

/** All sinks as the service uses them: those of the Effect door get their actors here. */
const openSinks = Effect.flatMap(
  AlertSinks,
  (sinks) => Effect.forEach(sinks, (sink) => isEffectSink(sink) ? openSink(sink) : Effect.succeed(sink))
)

/** Adds the listener to each sink; what a sink throws is ignored. */
const listenTo = (
  sinks: ReadonlyArray<AlertSink>,
  listener: (error: TracehoundError, isQuiet: boolean) => void
): void => {
  for (const sink of sinks) {
    try {
      const isQuiet = sink.failsQuietly === true
      sink.onFailure((error) => listener(error, isQuiet))
    } catch {
      // The sink's mistake: nobody hears of its failures.
    }
  }
}

/** Whether it is the devops sink and spares its endpoint; a sink that throws here says nothing. */
const isSpared = (sink: AlertSink): boolean => {
  try {
    return sink.isDevopsEndpoint === true && sink.isSparedUnsafe?.() === true
  } catch {
    return false
  }
}

/** Gives the alert to each sink that takes it. `onFault` is called where one throws. */
const handOn = (
  sinks: ReadonlyArray<AlertSink>,
  alert: Alert,
  isPosted: boolean,
  onFault: () => void
): void => {
  for (const sink of sinks) {
    try {
      if (!isPosted && sink.isDevopsEndpoint === true) continue
      disown(sink.sendUnsafe(alert))
    } catch {
      // The sink's mistake; the other sinks get the alert all the same.
      onFault()
    }
  }
}

const sinkError = problem({
  state: "agent",
  code: "sink_failed",
  message: "an alert was not sent: a sink of the host's threw"
})

/**
 * Writes within the span, and makes a logger that dies cost a dead letter and not a crash of the
 * actor.
 */
const written = (
  writing: Effect.Effect<void>,
  span: Tracer.AnySpan | undefined
): Effect.Effect<void, "unwritten"> =>
  Effect.catchDefect(inTrace(writing, span), () => Effect.fail("unwritten" as const))

/** A sink is the host's code: what it calls an error may be none. */
const isError = Schema.is(TracehoundError)

/** The reason that a sink gives in its error's context; it may give anything. */
const reasonIn = (error: unknown): AlertDetails => {
  const context = isError(error) ? error.context : undefined
  const reason = typeof context === "object" && context !== null && "reason" in context ? context.reason : undefined
  return isReason(reason) ? { reason } : {}
}

const isReason = Schema.is(Reason)

const undelivered = notice({
  type: "devops.failure",
  severity: "warning",
  message: "an alert did not reach the devopsEndpoint",
  isPosted: false
})

const flood = notice({
  type: "alert.flood",
  severity: "critical",
  message: "more alerts than this window allows: the rest of it is silent"
})

const writeAlert = (alert: Alert): Effect.Effect<void> => {
  const log = alert.severity === "critical"
    ? Effect.logError
    : alert.severity === "warning"
    ? Effect.logWarning
    : Effect.logInfo
  const { message, severity: _, trace, ...rest } = alert
  return Effect.annotateLogs(log(`${alert.type}: ${message}`), { ...rest, ...trace })
}

/** The message of a cause may be an attacker's: it is a line of its own, at the Debug level. */
const writeBoth = (alert: Alert, [reason, cause]: readonly [string, string]): Effect.Effect<void> =>
  Effect.andThen(
    writeAlert(alert),
    Effect.annotateLogs(Effect.logDebug(`${alert.type}: its cause`), {
      type: alert.type,
      reason,
      cause,
      ...alert.trace
    })
  )

const eventOf = (
  kind: LogKind,
  severity: Severity,
  { id, signature }: AlertDetails,
  span: Tracer.AnySpan | undefined
): LogEvent => {
  const trace = span === undefined ? undefined : traceOf(span)
  return {
    ...kind,
    ...(signature === undefined ? {} : { signature }),
    ...(id === undefined ? {} : { evidenceId: escapedId(id) }),
    severity,
    ...(trace === undefined ? {} : { trace })
  }
}

const writeLog = ({ trace, ...event }: LogEvent): Effect.Effect<void> =>
  Effect.annotateLogs(Effect.logDebug(event.type), { ...event, ...trace })
