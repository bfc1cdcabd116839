/**
 * Where else alerts go, besides the host's logger: a room above puts itself here, and the desk
 * hands each alert on.
 */
import * as Context from "effect/Context"
import type { Alert } from "../../domain/Alert.ts"
import type { TracehoundError } from "../../domain/TracehoundError.ts"

/** Somebody who takes alerts. */
export interface AlertSink {
  /**
   * Takes an alert that passed the limiter, when its turn has come; synchronous. What it throws is
   * ignored.
   */
  readonly sendUnsafe: (alert: Alert) => void
  /**
   * From now on, calls back where an alert could not be handed on: that is an alert too, for all
   * others.
   */
  readonly onFailure: (listener: (error: TracehoundError) => void) => void
}

/** All of them: none, unless a layer says so. */
export const AlertSinks: Context.Reference<ReadonlyArray<AlertSink>> = Context.Reference<ReadonlyArray<AlertSink>>(
  "tracehound/safety/alert/AlertSinks",
  { defaultValue: () => [] }
)
