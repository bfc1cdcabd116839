/**
 * Tracehound for code without Effect: the RFC's object, usable at once (RFC, "API"; CONFORMANCE R4,
 * F5).
 *
 * **Gotchas**
 *
 * - It throws once and only here: where the configuration is wrong, with every mistake in the
 *   message.
 * - Before `init` everything works, but what goes to cold storage waits in its mailbox.
 *
 * **Example** (A plain object)
 *
 * ```ts
 * import { createTracehound } from "tracehound"
 *
 * const tracehound = createTracehound({ quarantine: { maxCount: 1000 } })
 * await tracehound.init()
 * tracehound.intercept({ id: "1", source: "192.0.2.7", timestamp: Date.now(), payload: "hello" }).status // => "clean"
 * await tracehound.dispose()
 * ```
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import type { FailSafeCallbacks } from "../domain/FailSafe.ts"
import type { TracehoundConfigInput } from "../config/TracehoundConfig.ts"
import { UnrefClock } from "../host/node/UnrefClock.ts"
import { Tracehound } from "./Tracehound.ts"
import type { TracehoundSync } from "./TracehoundSync.ts"

/** The RFC's object with its lifecycle. */
export interface TracehoundInstance extends TracehoundSync, AsyncDisposable {
  /**
   * Starts what runs in the background: hounds are ready when it is done. Idempotent; rejects where
   * cold storage cannot be opened or the analyzer does not start, and may be tried again.
   */
  readonly init: () => Promise<void>
  /** Drains cold storage, wipes what is held and leaves nothing behind. Idempotent. */
  readonly dispose: () => Promise<void>
}

/**
 * A Tracehound over the defaults; `config` is any part of the configuration, at any depth, and
 * `callbacks` are the RFC's developer callbacks, each called in the background. Throws
 * `InvalidConfig`, `SharedStateMissing`, `FlagsMissing` where `runtime.strict` is set, or
 * `ColdStorageError` where this Node lacks the codec that is configured.
 */
export const createTracehound = (
  config: TracehoundConfigInput = {},
  callbacks: FailSafeCallbacks = {}
): TracehoundInstance => {
  // No timer of ours keeps the host's process alive, but while it waits for `dispose`.
  const clock = new UnrefClock()
  const runtime = ManagedRuntime.make(
    Tracehound.layerUnstarted(config, callbacks).pipe(Layer.provide(Layer.succeed(Clock.Clock, clock)))
  )
  const built = runtime.runSyncExit(Tracehound)
  if (Exit.isFailure(built)) throw Cause.squash(built.cause)
  const { start, sync } = built.value

  let starting: Promise<void> | undefined
  let disposing: Promise<void> | undefined
  const init = (): Promise<void> => {
    if (disposing !== undefined)
      return Promise.reject(new Error("this Tracehound has been disposed of: make another one"))
    if (starting === undefined) {
      clock.hold()
      starting = runtime.runPromise(start).catch((error: unknown) => {
        starting = undefined
        throw error
      }).finally(() => clock.release())
    }
    return starting
  }
  // The turn after: by then the last file operation, in whose callback the scope closed, is off the
  // host's books as well.
  const dispose = (): Promise<void> => {
    if (disposing !== undefined) return disposing
    clock.hold()
    disposing = runtime.dispose().then(() => Effect.runPromise(Effect.yieldNow)).finally(() => clock.release())
    return disposing
  }
  return { ...sync, init, dispose, [Symbol.asyncDispose]: dispose }
}
