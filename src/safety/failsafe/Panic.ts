/**
 * The panic itself: it happens once, is not taken back, and calls its listeners (CONFORMANCE F3).
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { PanicContext } from "../../domain/FailSafe.ts"
import type { Alerts } from "../alert/Alerts.ts"
import { panicError, panicNotice } from "./Notices.ts"

/** A panic that has not happened yet, or has. */
export class Panic {
  readonly #alerts: Pick<Alerts["Service"], "alertUnsafe" | "errorUnsafe">
  readonly #listeners: Array<(context: PanicContext) => void> = []
  readonly #happened = Deferred.makeUnsafe<PanicContext>()
  #hasHappened = false

  constructor(alerts: Pick<Alerts["Service"], "alertUnsafe" | "errorUnsafe">) {
    this.#alerts = alerts
  }

  get hasHappened(): boolean {
    return this.#hasHappened
  }

  readonly happened: Effect.Effect<PanicContext> = Effect.suspend(() => Deferred.await(this.#happened))

  /** Adds a listener, which is called on the turn of the panic. What it throws is ignored. */
  onPanic(listener: (context: PanicContext) => void): void {
    this.#listeners.push(listener)
  }

  /** Panics; does nothing after the first time. Never throws. */
  beginUnsafe(context: PanicContext): void {
    if (this.#hasHappened) return
    this.#hasHappened = true
    this.#alerts.errorUnsafe(panicError)
    this.#alerts.alertUnsafe(panicNotice, () => ({ reason: context.cause }))
    for (const listener of this.#listeners) {
      try {
        listener(context)
      } catch {
        // The listener's mistake; the panic goes on.
      }
    }
    Deferred.doneUnsafe(this.#happened, Effect.succeed(context))
  }
}
