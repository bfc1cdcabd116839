/**
 * Records every alert that leaves, in the order in which the alerts service hands them to its
 * sinks: critical ones first.
 *
 * An alert leaves on a later turn than the one that raised it: `TracehoundTest.settled` or
 * `received` waits for it. An alert that the limiter holds back (`alerts.maxAlertsPerWindow`) never
 * leaves.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Alert } from "../domain/Alert.ts"
import { type AlertSink, AlertSinks } from "../safety/alert/AlertSink.ts"
import { GrowingList } from "./GrowingList.ts"

/** The alerts that left, for a test to look at. */
export class AlertRecorder extends Context.Service<AlertRecorder, {
  /** Oldest first. */
  readonly alerts: Effect.Effect<ReadonlyArray<Alert>>
  /** The types of `alerts`. */
  readonly types: Effect.Effect<ReadonlyArray<Alert["type"]>>
  /** Waits until this many have left. */
  readonly received: (count: number) => Effect.Effect<void>
}>()("tracehound/testing/AlertRecorder") {
  /** Adds a sink to those around it. Empty for each layer that is built. */
  static readonly layer: Layer.Layer<AlertRecorder> = Layer.effectContext(Effect.gen(function*() {
    const others = yield* AlertSinks
    const alerts = new GrowingList<Alert>()
    const sink: AlertSink = { sendUnsafe: (alert) => alerts.append(alert), onFailure: () => undefined }
    const service = AlertRecorder.of({
      alerts: Effect.sync(() => alerts.items),
      types: Effect.sync(() => alerts.items.map(({ type }) => type)),
      received: (count) => alerts.reaches(count)
    })
    return Context.make(AlertRecorder, service).pipe(Context.add(AlertSinks, [...others, sink]))
  }))
}
