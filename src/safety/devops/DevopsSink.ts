/**
 * Alerts on their way to the devopsEndpoint: a supervised actor with lanes, critical ones first
 * (CONFORMANCE W3, S1, S2).
 *
 * Promises that nothing waits for the endpoint but this actor, that what waits is bounded in each
 * lane, and that what is lost is counted and told: an alert that was given up is an error on the
 * board and an alert to the log.
 *
 * **Gotchas**
 *
 * - While the circuit is open each alert is a dead letter, and not one more alert: one says it all.
 * - The HTTP client is loaded when the first alert goes out.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Request from "effect/Request"
import { ActorSystem } from "../../actor/ActorSystem.ts"
import { define } from "../../actor/Definition.ts"
import { lanes } from "../../actor/Mailbox.ts"
import { laneOf } from "../alert/Alerts.ts"
import { type AlertSink, AlertSinks } from "../alert/AlertSink.ts"
import type { Alert } from "../../domain/Alert.ts"
import { Settings } from "../../config/Settings.ts"
import type { TracehoundError } from "../../domain/TracehoundError.ts"
import type { DevopsEndpoint, DevopsError } from "./DevopsEndpoint.ts"

/** An alert to be posted. */
class Post extends Request.TaggedClass("Post")<{ readonly alert: Alert }, void, DevopsError> {}

/** Adds the endpoint that is configured to the sinks that there are; nothing where none is. */
export const layer = <E, R>(endpoint: Effect.Effect<DevopsEndpoint["Service"], E, R>) =>
  Layer.effect(
    AlertSinks,
    Effect.gen(function*() {
      const { alerts: { devops, devopsEndpoint } } = yield* Settings
      const others = yield* AlertSinks
      if (devopsEndpoint === undefined) return others
      const { root } = yield* ActorSystem
      const cached = yield* Effect.cached(Effect.orDie(endpoint))
      const listeners: Array<(error: TracehoundError) => void> = []
      const actor = yield* Effect.orDie(root.spawn(
        define<Post>()("devops", {
          mailbox: lanes({ capacity: devops.maxPending }),
          drain: devops.timeoutMs,
          behaviour: () =>
            Effect.succeed({
              Post: ({ alert }: Post) =>
                Effect.tapError(Effect.flatMap(cached, ({ deliver }) => deliver(alert)), ({ message, reason }) =>
                  Effect.sync(() => {
                    if (reason === "open") return
                    for (const listener of listeners)
                      listener({ state: "agent", code: "devops_failure", message, recoverable: true })
                  }))
            })
        })
      ))
      const sink: AlertSink = {
        sendUnsafe: (alert) => {
          // What is said about this endpoint is for the others.
          if (alert.type !== "devops.failure") actor.tellUnsafe(new Post({ alert }), laneOf[alert.severity])
        },
        onFailure: (listener) => {
          listeners.push(listener)
        }
      }
      return [...others, sink]
    })
  )
