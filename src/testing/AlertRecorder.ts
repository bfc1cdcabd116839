/**
 * Remembers every alert that leaves, in the order in which the desk hands them on: critical ones
 * first, whatever waits.
 *
 * An alert is raised on the turn of what went wrong and leaves on a later one:
 * `TracehoundTest.settled` or `received` waits for it. What the limiter holds back
 * (`alerts.maxAlertsPerWindow`) never leaves.
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type AlertSink, AlertSinks } from "../safety/alert/AlertSink.ts"
import type { Alert } from "../domain/Alert.ts"

/** What a test sees of the alerts. */
export class AlertRecorder extends Context.Service<AlertRecorder, {
  /** Those that left so far, oldest first. */
  readonly alerts: Effect.Effect<ReadonlyArray<Alert>>
  /** Their types alone. */
  readonly types: Effect.Effect<ReadonlyArray<Alert["type"]>>
  /** Waits until this many have left. */
  readonly received: (count: number) => Effect.Effect<void>
}>()("tracehound/testing/AlertRecorder") {
  /** One more sink, beside those of the surroundings. Empty for each layer that is built. */
  static readonly layer: Layer.Layer<AlertRecorder> = Layer.effectContext(Effect.gen(function*() {
    const others = yield* AlertSinks
    const alerts: Array<Alert> = []
    const waiting: Array<{ readonly count: number; readonly done: Deferred.Deferred<void> }> = []
    const sink: AlertSink = {
      sendUnsafe: (alert) => {
        alerts.push(alert)
        for (const { count, done } of waiting) {
          if (alerts.length >= count) Deferred.doneUnsafe(done, Effect.void)
        }
      },
      onFailure: () => undefined
    }
    const service = AlertRecorder.of({
      alerts: Effect.sync(() => [...alerts]),
      types: Effect.sync(() => alerts.map(({ type }) => type)),
      received: (count) =>
        Effect.suspend(() => {
          if (alerts.length >= count) return Effect.void
          const done = Deferred.makeUnsafe<void>()
          waiting.push({ count, done })
          return Deferred.await(done)
        })
    })
    return Context.make(AlertRecorder, service).pipe(Context.add(AlertSinks, [...others, sink]))
  }))
}
