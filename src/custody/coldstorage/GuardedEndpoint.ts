/**
 * Guards against an endpoint that somebody else wrote (CONFORMANCE R7): it opens, or fails with a
 * `ColdStorageError`; a write is done, fails with one, or dies, which the writer counts as a
 * failure.
 *
 * **Gotchas**
 *
 * - What an endpoint says in an error's `message` is shown to people, cut to 1,024 characters: it
 *   should hold nothing secret. Alerts hold its `code` alone.
 * - It bounds no time: whoever opens and writes does that (`actor/Deadline.ts`).
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { given } from "../../actor/Given.ts"
import { maxDestinationBytes } from "../../domain/Records.ts"
import { fitsUtf8 } from "../../domain/Text.ts"
import { type ColdStorageEndpoint, ColdStorageError } from "./Endpoint.ts"

type Endpoint = ColdStorageEndpoint["Service"]

/** The same endpoint, with the destination that it had at this moment. */
export const guardEndpoint = (endpoint: Endpoint): Effect.Effect<Endpoint, ColdStorageError> =>
  Effect.suspend(() => {
    const destination = destinationOf(endpoint)
    if (destination === null) {
      const message = `cold storage has no destination: expected a text of 1 to ${maxDestinationBytes} bytes`
      return Effect.fail(new ColdStorageError({ reason: "open", message }))
    }
    const named = `cold storage ${destination}: the endpoint`
    return Effect.succeed({
      destination,
      open: Effect.catchCause(given(() => endpoint.open), (cause) => {
        const error = Cause.findErrorOption(cause)
        if (Option.isSome(error)) return Effect.fail(asOurs(error.value, "open", `${named} cannot be opened`))
        return Effect.fail(new ColdStorageError({ reason: "open", message: `${named} broke when it was opened` }))
      }),
      write: (name, bytes) =>
        given(() => endpoint.write(name, bytes)).pipe(
          Effect.map((written) => written === "unconfirmed" ? written : undefined),
          Effect.catchCause((cause) => {
            const error = Cause.findErrorOption(cause)
            if (Option.isSome(error)) return Effect.fail(asOurs(error.value, "write", `${named} failed`))
            // Also where it interrupted itself: that must not pass for our own interruption.
            return Effect.die(new Error(`${named} broke`))
          })
        )
    })
  })

const maxMessage = 1_024

/** Read once: records name it, and must go on naming the same. */
const destinationOf = (endpoint: Endpoint): string | null => {
  try {
    const { destination } = endpoint
    const isText = typeof destination === "string" && destination !== "" && destination.isWellFormed()
    return isText && fitsUtf8(destination, maxDestinationBytes) ? destination : null
  } catch {
    return null
  }
}

/** The error of the endpoint; where it is none of ours, one with this message. */
const asOurs = (error: unknown, otherwise: ColdStorageError["reason"], message: string): ColdStorageError => {
  if (!(error instanceof ColdStorageError)) return new ColdStorageError({ reason: otherwise, message })
  if (error.message.length <= maxMessage) return error
  const { code, reason } = error
  const cut = `${error.message.slice(0, maxMessage)}…`
  return new ColdStorageError({ reason, message: cut, ...(code === undefined ? {} : { code }) })
}
