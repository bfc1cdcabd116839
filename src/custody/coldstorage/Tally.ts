/**
 * Counts how deliveries ended, and reports those that were lost to the alerts service.
 *
 * Each delivery ends once: written, a dead letter of an actor, or refused before any actor knew of
 * it, which is a dead letter too.
 */
import type { DeadLetterReason } from "../../actor/DeadLetters.ts"
import type { Alerts } from "../../safety/alert/Alerts.ts"
import * as Notices from "./Notices.ts"

/** A delivery that was lost. */
export interface Loss {
  /** Of the evidence. */
  readonly signature: string
  /** For the alert: fixed text, or an error code of the host. */
  readonly why: string
  /** For the board of errors: all that is known. */
  readonly message: string
}

/** The counters of one cold storage. */
export class Tally {
  readonly #destination: string
  readonly #alerts: Pick<Alerts["Service"], "alertUnsafe" | "errorUnsafe">
  #written = 0
  #deadLetters = 0
  #refused = 0

  /** `destination`: the endpoint as errors call it. */
  constructor(destination: string, alerts: Pick<Alerts["Service"], "alertUnsafe" | "errorUnsafe">) {
    this.#destination = destination
    this.#alerts = alerts
  }

  get written(): number {
    return this.#written
  }

  /** All deliveries that were lost, those that were refused among them. */
  get deadLetters(): number {
    return this.#deadLetters
  }

  get refused(): number {
    return this.#refused
  }

  countWrite(): void {
    this.#written += 1
  }

  /** A delivery was lost. `isAlert`: whether people are alerted besides the error on the board. */
  reportLoss({ message, signature, why }: Loss, isAlert = true): void {
    this.#deadLetters += 1
    this.#alerts.errorUnsafe(Notices.failureError(message, signature))
    if (isAlert) this.#alerts.alertUnsafe(Notices.failureNotice(why), () => signature)
  }

  /** A delivery was not taken, and nothing was done with it. */
  reportRefusal(reason: Notices.RefusalReason, signature: string): void {
    this.#deadLetters += 1
    this.#refused += 1
    this.#alerts.alertUnsafe(Notices.refusals[reason], () => signature)
  }

  /**
   * An actor's message became a dead letter. Those that failed in a handler are not counted again:
   * handlers report their own failures.
   */
  reportDeadLetter(reason: DeadLetterReason, signature: string): void {
    if (reason === "failed") return
    const why = Notices.buried[reason]
    this.reportLoss({ signature, why, message: `cold storage ${this.#destination}: ${why}` })
  }
}
