/**
 * Sinks for alerts besides the host's logger. A layer adds its sink to `AlertSinks`, and the alerts
 * service gives each alert to all of them.
 */
import * as Context from "effect/Context"
import type { Alert } from "../../domain/Alert.ts"
import type { TracehoundError } from "../../domain/TracehoundError.ts"

export interface AlertSink {
  /**
   * Takes an alert that passed the limiter, when its turn in the lanes has come. Synchronous; what
   * it throws is ignored.
   */
  readonly sendUnsafe: (alert: Alert) => void
  /**
   * Adds a listener that the sink calls where it could not deliver an alert. The alerts service
   * listens, and raises an alert about it. Nobody listens to a sink that throws here; it gets
   * alerts all the same.
   */
  readonly onFailure: (listener: (error: TracehoundError) => void) => void
  /** Whether it posts to the devopsEndpoint: it then gets no alert about that endpoint itself. */
  readonly isDevopsEndpoint?: boolean
}

/** All sinks; none by default. */
export const AlertSinks: Context.Reference<ReadonlyArray<AlertSink>> = Context.Reference<ReadonlyArray<AlertSink>>(
  "tracehound/safety/alert/AlertSinks",
  { defaultValue: () => [] }
)
