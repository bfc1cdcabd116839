/**
 * Remembers every alert that leaves, in the order in which the desk hands them on.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type AlertSink, AlertSinks } from "../alert/AlertSink.ts"
import type { Alert } from "../domain/Alert.ts"

/** What a test sees of the alerts. */
export class AlertRecorder extends Context.Service<AlertRecorder, {
  /** Those that left so far, oldest first. */
  readonly alerts: Effect.Effect<ReadonlyArray<Alert>>
  /** Their types alone. */
  readonly types: Effect.Effect<ReadonlyArray<Alert["type"]>>
}>()("tracehound/testing/AlertRecorder") {
  /** One more sink, beside those of the surroundings. */
  static readonly layer: Layer.Layer<AlertRecorder> = Layer.effectContext(Effect.gen(function*() {
    const others = yield* AlertSinks
    const alerts: Array<Alert> = []
    const sink: AlertSink = {
      sendUnsafe: (alert) => {
        alerts.push(alert)
      },
      onFailure: () => undefined
    }
    const service = AlertRecorder.of({
      alerts: Effect.sync(() => [...alerts]),
      types: Effect.sync(() => alerts.map(({ type }) => type))
    })
    return Context.make(AlertRecorder, service).pipe(Context.add(AlertSinks, [...others, sink]))
  }))
}
