/**
 * Sends dead letters again, one after another, each with one try (CONFORMANCE C2).
 *
 * What the endpoint takes leaves the box; what it does not take stays. Where the breaker spares the
 * endpoint after such tries, the rest is left for another time. A letter to another endpoint than
 * this one stays where it is, unless its sender wants all of them here: records name the endpoint
 * that evidence went to.
 *
 * **Gotchas**
 *
 * - A write that was given up, and was done all the same, is `taken` at an endpoint that cannot
 *   compare (`file:`): look at what is there.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import type { LedgerStoreError } from "../ledger/LedgerStore.ts"
import type { Breaker } from "./Breaker.ts"
import type { DeadLetterBox } from "./DeadLetterBox.ts"
import { tryOnce, type TryParts } from "./Writer.ts"

/** How it goes, and in the end how it went. */
export interface Resent {
  /** Letters that the endpoint has taken. */
  readonly sent: number
  /** Those of them that it took without confirming (CONFORMANCE C1). */
  readonly unconfirmed: number
  /** Letters that it did not take. */
  readonly failed: number
  /** Those of them of which it has something else under their name. */
  readonly taken: number
  /** Letters to other endpoints, which were passed over. */
  readonly elsewhere: number
  /** Letters that are kept now, of all kinds. */
  readonly kept: number
}

export interface ResendOptions {
  /** Whether letters to other endpoints are sent here too; false when left out. */
  readonly isForAny?: boolean
  /** Called after each letter. Must not throw. */
  readonly onProgress?: (soFar: Resent) => void
}

/** The parts that sending again uses. */
export interface ResendParts extends TryParts {
  readonly box: DeadLetterBox
  readonly breaker: Pick<Breaker, "isOpen" | "recordLoss" | "recordWrite">
}

/** Sends the letters of `box`; one at a time does it. */
export const makeResend = (parts: ResendParts) => {
  const one = Semaphore.makeUnsafe(1)
  return (options: ResendOptions = {}): Effect.Effect<Resent, LedgerStoreError> =>
    one.withPermit(Effect.suspend(() => resend(parts, options)))
}

const resend = (parts: ResendParts, { isForAny = false, onProgress }: ResendOptions) => {
  const { box, breaker, endpoint } = parts
  const counts = { sent: 0, unconfirmed: 0, failed: 0, taken: 0, elsewhere: 0 }
  const soFar = (): Resent => ({ ...counts, kept: box.stats().kept })
  const visits = box.forEach((letter) => {
    if (letter.endpoint !== endpoint.destination && !isForAny) {
      counts.elsewhere += 1
      return Effect.succeed(true)
    }
    return Effect.matchEffect(tryOnce(parts, { id: letter.name, envelope: letter.envelope }, undefined), {
      onFailure: ({ error: { message, reason } }) =>
        Effect.sync(() => {
          counts.failed += 1
          // An endpoint that answers so is well: it does not count against it.
          if (reason === "taken") counts.taken += 1
          else breaker.recordLoss({ message, isAlert: true, isFull: reason === "full" })
          onProgress?.(soFar())
          return !breaker.isOpen
        }),
      onSuccess: (written) =>
        Effect.map(box.removeSent(letter), () => {
          breaker.recordWrite()
          counts.sent += 1
          if (written === "unconfirmed") counts.unconfirmed += 1
          onProgress?.(soFar())
          return true
        })
    })
  })
  return Effect.map(visits, soFar)
}
