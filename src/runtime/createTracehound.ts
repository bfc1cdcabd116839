/**
 * Tracehound for code without Effect: the RFC's object, which can be used at once (RFC, "API";
 * CONFORMANCE R4, F5).
 *
 * **Gotchas**
 *
 * - `createTracehound` throws where the configuration is wrong, with every mistake in the message,
 *   and on a host whose ports fail: code that catches that lets every request pass unseen. No
 *   method of the object throws.
 * - Everything works before `init`, but evidence for cold storage waits in its mailbox.
 *
 * **Example** (A plain object)
 *
 * ```ts
 * import { createTracehound } from "tracehound"
 *
 * const tracehound = createTracehound({ quarantine: { maxCount: 1000 } })
 * await tracehound.init()
 * const result = tracehound.intercept({
 *   id: "request-1",
 *   source: "192.0.2.7",
 *   timestamp: Date.now(),
 *   payload: "hello"
 * })
 * result.status // => "clean"
 * await tracehound.dispose()
 * ```
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import type { TracehoundConfigInput } from "../config/TracehoundConfig.ts"
import type { EvidenceHandle } from "../domain/Evidence.ts"
import type { FailSafeCallbacks } from "../domain/FailSafe.ts"
import { UnrefClock } from "../host/node/UnrefClock.ts"
import { Tracehound } from "./Tracehound.ts"
import type { TracehoundSync } from "./TracehoundSync.ts"
import { wipeAtEnd } from "./WipeAtEnd.ts"

/** The RFC's object with its lifecycle. */
export interface TracehoundInstance extends TracehoundSync, AsyncDisposable {
  /**
   * Starts what runs in the background; hounds are ready when it resolves. Idempotent. Rejects
   * where cold storage cannot be opened, the analyzer does not start, or this host compresses
   * wrongly, and can then be called again; and where `dispose` comes first.
   */
  readonly init: () => Promise<void>
  /**
   * Resolves when this evidence is on disk: a millisecond or two. Rejects with an
   * `EvidenceNotDurable` where that will not be.
   */
  readonly whenDurable: (handle: EvidenceHandle) => Promise<void>
  /**
   * Drains cold storage, wipes the evidence that is held, and leaves no timer, handle or process
   * behind. Idempotent.
   */
  readonly dispose: () => Promise<void>
}

/** What a host gives beside the configuration. */
export interface TracehoundOptions {
  /**
   * What Tracehound's spans, metrics and log lines go to; it has to build synchronously. Such are
   * `OpenTelemetry.layer` of `tracehound/otel`, and Effect's `Otlp.layerJson` with an HTTP client.
   * It closes after Tracehound: `dispose` waits for what it flushes.
   */
  readonly telemetry?: Layer.Layer<never> | undefined
  /**
   * Wipes evidence and keys at the end of the process too, and not only by `dispose`: at SIGTERM
   * and SIGINT where nobody else listens for them, which then end the process as ever, and
   * otherwise at its exit (`WipeAtEnd.ts`). False when left out: nothing listens for signals.
   */
  readonly wipeOnSignals?: boolean | undefined
}

/**
 * Makes a Tracehound. `config` is any part of the configuration, at any depth, over the defaults;
 * `callbacks` are the RFC's developer callbacks, each called in the background. Throws
 * `InvalidConfig`, `SharedStateMissing`, `FlagsMissing` where `runtime.strict` is set, `HostUnfit`
 * where a port of this host fails, or `ColdStorageError` where this Node lacks the codec that is
 * configured.
 */
export const createTracehound = (
  config: TracehoundConfigInput = {},
  callbacks: FailSafeCallbacks = {},
  { telemetry = Layer.empty, wipeOnSignals = false }: TracehoundOptions = {}
): TracehoundInstance => {
  // Its timers keep the host's process alive only while `init` or `dispose` is going on.
  const clock = new UnrefClock()
  const runtime = ManagedRuntime.make(
    Tracehound.layerUnstarted(config, callbacks).pipe(
      Layer.provide(telemetry),
      Layer.provide(Layer.succeed(Clock.Clock, clock))
    )
  )
  const built = runtime.runSyncExit(Tracehound)
  if (Exit.isFailure(built)) throw Cause.squash(built.cause)
  const { start, sync } = built.value
  const forget = wipeOnSignals ? wipeAtEnd(sync.wipe) : () => undefined

  let starting: Promise<void> | undefined
  let disposing: Promise<void> | undefined
  const begin = async (): Promise<void> => {
    const exit = await runtime.runPromiseExit(start)
    if (Exit.isSuccess(exit)) return
    starting = undefined
    throw Cause.hasInterruptsOnly(exit.cause)
      ? new Error("this Tracehound was disposed of before it had started")
      : Cause.squash(exit.cause)
  }
  const init = (): Promise<void> => {
    if (disposing !== undefined)
      return Promise.reject(new Error("this Tracehound has been disposed of: make another one"))
    if (starting === undefined) {
      clock.hold()
      starting = begin().finally(() => clock.release())
    }
    return starting
  }
  // Resolves a turn later: by then the host no longer counts the last file operation, in whose
  // callback the scope closed.
  const dispose = (): Promise<void> => {
    if (disposing !== undefined) return disposing
    clock.hold()
    // A caller that waits for `init` hears of it. One that does not is not ended by it.
    starting?.catch(() => undefined)
    disposing = runtime.dispose().finally(forget).then(() => Effect.runPromise(Effect.yieldNow)).finally(() =>
      clock.release()
    )
    return disposing
  }
  const whenDurable = (handle: EvidenceHandle): Promise<void> => runtime.runPromise(handle.whenDurable())
  return { ...sync, init, whenDurable, dispose, [Symbol.asyncDispose]: dispose }
}
