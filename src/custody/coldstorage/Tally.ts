/**
 * Counts how deliveries ended, and reports those that were lost to the alerts service.
 *
 * Each delivery ends once: written, a dead letter of an actor, or refused before any actor knew of
 * it, which is a dead letter too.
 */
import type { DeadLetterReason } from "../../actor/DeadLetters.ts"
import type { Alerts } from "../../safety/alert/Alerts.ts"
import * as Notices from "./Notices.ts"

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
  reportLoss(message: string, isAlert = true): void {
    this.#deadLetters += 1
    this.#alerts.errorUnsafe(Notices.failureError(message))
    if (isAlert) this.#alerts.alertUnsafe(Notices.failureNotice)
  }

  /** A delivery was not taken, and nothing was done with it. */
  reportRefusal(reason: Notices.RefusalReason): void {
    this.#deadLetters += 1
    this.#refused += 1
    this.#alerts.alertUnsafe(Notices.refusals[reason])
  }

  /**
   * For an actor's dead letters. Those that failed in a handler are not counted again: handlers
   * report their own failures.
   */
  readonly onDeadLetter = (_message: unknown, reason: DeadLetterReason): void => {
    if (reason !== "failed") this.reportLoss(`cold storage ${this.#destination}: a write was ${reason}`)
  }
}
