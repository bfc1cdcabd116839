/**
 * Sinks whose `send` is an Effect: for programs that post alerts by code of their own (CONFORMANCE
 * R8).
 *
 * Each has an actor of its own, `sink`: alerts are sent one after the other, the worst first, with
 * a bounded lane for each severity and a deadline for each alert. Closing sends what waits, within
 * that deadline, and interrupts what is then still under way.
 *
 * **Gotchas**
 *
 * - An alert that was not sent is a dead letter and an error on the board, and no alert: a sink
 *   that is down would spend the window's alerts on itself.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Request from "effect/Request"
import type * as Scope from "effect/Scope"
import type * as Tracer from "effect/Tracer"
import { ActorSystem } from "../../actor/ActorSystem.ts"
import { withDeadline } from "../../actor/Deadline.ts"
import { define } from "../../actor/Definition.ts"
import { given } from "../../actor/Given.ts"
import { lanes } from "../../actor/Mailbox.ts"
import type { Alert } from "../../domain/Alert.ts"
import { problem, type TracehoundError } from "../../domain/TracehoundError.ts"
import { Caller, inTrace } from "../../telemetry/Caller.ts"
import type { AlertSink, EffectSink } from "./AlertSink.ts"
import { laneOf } from "./Lanes.ts"

/** Alerts that may wait in each lane. */
const capacity = 256

/** Milliseconds that one alert may take. */
const timeoutMs = 5_000

/** Sends an alert within the span that it came from. */
class Send extends Request.TaggedClass("Send")<
  { readonly alert: Alert; readonly span: Tracer.AnySpan | undefined },
  void,
  "unsent"
> {}

/** A sink is the host's code: asking it may throw. */
export const isEffectSink = <R>(sink: AlertSink | EffectSink<R>): sink is EffectSink<R> => {
  try {
    return "send" in sink
  } catch {
    return false
  }
}

/** The same sink, whose sending finds its services in this context. */
export const withContext = <R, E>(
  sink: AlertSink | EffectSink<R, E>,
  context: Context.Context<R>
): AlertSink | EffectSink<never, E> =>
  isEffectSink(sink) ? { send: (alert) => Effect.provideContext(given(() => sink.send(alert)), context) } : sink

/** The same sink for the alerts service. Lives as long as the scope. */
export const openSink = <E>(sink: EffectSink<never, E>): Effect.Effect<AlertSink, never, ActorSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const { root } = yield* ActorSystem
    const caller = yield* Caller
    const listeners: Array<(error: TracehoundError) => void> = []
    const failed = (error: TracehoundError) =>
      Effect.suspend(() => {
        for (const listener of listeners) listener(error)
        return Effect.fail("unsent" as const)
      })
    const send = ({ alert, span }: Send): Effect.Effect<void, "unsent"> =>
      withDeadline(
        Effect.catchCause(inTrace(given(() => sink.send(alert)), span), () => Effect.fail(failedError)),
        timeoutMs,
        () => overdueError
      ).pipe(Effect.asVoid, Effect.catch(failed))
    const actor = yield* Effect.orDie(root.spawn(
      define<Send>()("sink", {
        mailbox: lanes({ capacity }),
        drain: timeoutMs,
        behaviour: () => Effect.succeed({ Send: send })
      })
    ))
    return {
      failsQuietly: true,
      sendUnsafe: (alert) => {
        actor.tellUnsafe(new Send({ alert, span: caller.current() }), laneOf[alert.severity])
      },
      onFailure: (listener) => {
        listeners.push(listener)
      }
    }
  })

const failedError = problem({
  state: "agent",
  code: "sink_failed",
  message: "an alert was not sent: a sink of the host's failed"
})

const overdueError = problem({
  state: "agent",
  code: "sink_failed",
  message: `an alert was not sent: a sink of the host's did not end within ${timeoutMs} ms`
})
