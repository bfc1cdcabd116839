/**
 * Sinks for alerts besides the host's logger. A layer adds its sink to `AlertSinks`, and the alerts
 * service gives each alert to all of them.
 *
 * **Gotchas**
 *
 * - `AlertSinks` is read where the Tracehound is built: provide it to that layer, not beside it.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Alert } from "../../domain/Alert.ts"
import type { TracehoundError } from "../../domain/TracehoundError.ts"

export interface AlertSink {
  /**
   * Takes an alert that passed the limiter, when its turn in the lanes has come. Synchronous; where
   * it throws, an error without its text is posted on the board.
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
  /** Whether it posts nothing for now, as its latest posts all failed; synchronous. */
  readonly isSparedUnsafe?: () => boolean
  /** Whether its failures are on the board alone, and raise no alert. */
  readonly failsQuietly?: boolean
}

/**
 * A sink of the Effect door (`EffectSink.ts`). `R` is what its sending needs of the layer's
 * context, `E` what it fails with.
 */
export interface EffectSink<out R = never, out E = unknown> {
  /**
   * Sends one alert. It has five seconds; what it fails with, or dies of, is posted on the board
   * without its text, which may hold a secret.
   */
  readonly send: (alert: Alert) => Effect.Effect<unknown, E, R>
}

/** All sinks; none by default. */
export const AlertSinks: Context.Reference<ReadonlyArray<AlertSink | EffectSink>> = Context.Reference<
  ReadonlyArray<AlertSink | EffectSink>
>("tracehound/safety/alert/AlertSinks", { defaultValue: () => [] })
