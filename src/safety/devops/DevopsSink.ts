/**
 * Posts alerts to the devopsEndpoint: a supervised actor with lanes, critical alerts first
 * (CONFORMANCE W3, S1, S2).
 *
 * Promises that nothing but this actor waits for the endpoint, that what waits is bounded in each
 * lane, and that lost alerts are counted and reported: an alert that was given up is an error on
 * the board and an alert to the log.
 *
 * **Gotchas**
 *
 * - While the circuit is open each alert is a dead letter, but raises no further alert: one is
 *   enough.
 * - The HTTP client is loaded when the first alert is posted.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Request from "effect/Request"
import type * as Tracer from "effect/Tracer"
import { ActorSystem } from "../../actor/ActorSystem.ts"
import { define } from "../../actor/Definition.ts"
import { lanes } from "../../actor/Mailbox.ts"
import { Settings } from "../../config/Settings.ts"
import type { Alert } from "../../domain/Alert.ts"
import { problem, type TracehoundError } from "../../domain/TracehoundError.ts"
import { Caller, inTrace } from "../../telemetry/Caller.ts"
import * as RootSpans from "../../telemetry/RootSpans.ts"
import { type AlertSink, AlertSinks } from "../alert/AlertSink.ts"
import { laneOf } from "../alert/Lanes.ts"
import type { DevopsEndpoint, DevopsError } from "./DevopsEndpoint.ts"

class Post extends Request.TaggedClass("Post")<
  { readonly alert: Alert; readonly span: Tracer.AnySpan | undefined },
  void,
  DevopsError
> {}

/**
 * Adds a sink for the configured endpoint to the AlertSinks; adds none where none is configured.
 */
export const layer = <E, R>(endpoint: Effect.Effect<DevopsEndpoint["Service"], E, R>) =>
  Layer.effect(
    AlertSinks,
    Effect.gen(function*() {
      const { alerts: { devops, devopsEndpoint } } = yield* Settings
      const others = yield* AlertSinks
      if (devopsEndpoint === undefined) return others
      const { root } = yield* ActorSystem
      const caller = yield* Caller
      const spans = yield* RootSpans.fromContext
      const run = Effect.runSyncWith(yield* Effect.context())
      let built: DevopsEndpoint["Service"] | null = null
      const cached = yield* Effect.cached(Effect.tap(Effect.orDie(endpoint), (service) =>
        Effect.sync(() => {
          built = service
        })))
      const listeners: Array<(error: TracehoundError) => void> = []
      /** An error on the board and an alert to the log; while the circuit is open one is enough. */
      const report = ({ message, reason }: DevopsError): void => {
        if (reason === "open") return
        const error = { ...problem({ state: "agent", code: "devops_failure", message }), context: { reason } }
        for (const listener of listeners) listener(error)
      }
      const post = ({ alert, span: origin }: Post) => {
        const span = spans.open("tracehound.devops.deliver", () => deliverySpan(alert, origin))
        const delivering = Effect.tapError(
          Effect.flatMap(cached, ({ deliver }) => inTrace(deliver(alert), span?.span)),
          (error) =>
            Effect.sync(() => {
              span?.end(error.reason)
              caller.within(origin ?? span?.span, () => report(error))
            })
        )
        return Effect.onExit(
          delivering,
          (exit) => Effect.sync(() => span?.end(Exit.isSuccess(exit) ? undefined : "stopped"))
        )
      }
      const actor = yield* Effect.orDie(root.spawn(
        define<Post>()("devops", {
          mailbox: lanes({ capacity: devops.maxPending }),
          drain: devops.timeoutMs,
          behaviour: () => Effect.succeed({ Post: post })
        })
      ))
      const sink: AlertSink = {
        isDevopsEndpoint: true,
        isSparedUnsafe: () => built !== null && run(built.isOpen),
        sendUnsafe: (alert) => {
          actor.tellUnsafe(new Post({ alert, span: caller.current() }), laneOf[alert.severity])
        },
        onFailure: (listener) => {
          listeners.push(listener)
        }
      }
      return [...others, sink]
    })
  )

/** What the span of a delivery says; nothing of the endpoint, whose URL may hold a secret. */
const deliverySpan = (
  { severity, signature, type }: Alert,
  origin: Tracer.AnySpan | undefined
): RootSpans.RootSpanOptions => ({
  kind: "client",
  origin,
  attributes: {
    "tracehound.alert.type": type,
    "tracehound.alert.severity": severity,
    ...(signature === undefined ? {} : { "tracehound.signature": signature })
  }
})
