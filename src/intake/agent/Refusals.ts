/**
 * The Agent's fixed answers: frozen once, so that a refusal allocates nothing however many there
 * are.
 */
import type { InterceptResult } from "../../domain/InterceptResult.ts"
import { maxIdentifierBytes, threatCategories } from "../../domain/Scent.ts"
import { severities } from "../../domain/Severity.ts"
import { problem } from "../../domain/TracehoundError.ts"

/** The answer `error`. */
export type Refusal = Extract<InterceptResult, { readonly status: "error" }>

const refusal = (code: string, message: string, recoverable = true): Refusal =>
  Object.freeze({ status: "error", error: problem({ state: "agent", code, message, recoverable }) })

/** No threat signal: nothing is kept (CONFORMANCE D2). */
export const clean: InterceptResult = Object.freeze({ status: "clean" })

/** The scent is no object. */
export const notAScent = refusal("invalid_scent", "a scent is an object with id, payload, source and timestamp")

/** Its id is no bounded string. */
export const invalidId = refusal(
  "invalid_id",
  `scent.id must be a string of at most ${maxIdentifierBytes} bytes in UTF-8`
)

/** Its source is no bounded string. */
export const invalidSource = refusal(
  "invalid_source",
  `scent.source must be a string of at most ${maxIdentifierBytes} bytes in UTF-8`
)

/** Its timestamp is no finite number. */
export const invalidTimestamp = refusal("invalid_timestamp", "scent.timestamp must be a finite number of milliseconds")

/** Its threat is neither absent nor one of the closed unions. */
export const invalidThreat = refusal(
  "invalid_threat",
  `scent.threat must be absent or have a category (${threatCategories.join(", ")}) and a severity (${
    severities.join(", ")
  })`
)

/** Its detector is to be verified, and said something that was not agreed on (CONFORMANCE R3). */
export const unverifiedThreat = refusal(
  "unverified_threat",
  "scent.threat must have category and severity and nothing else: trustBoundary.detector.trustLevel is verify"
)

/** The payload could not be read to its end. */
export const unreadable = refusal(
  "payload_unreadable",
  "the payload could not be read: pass the request's raw body instead"
)

/** Something that must not happen did. */
export const unexpected = refusal("unexpected", "the scent could not be handled; please report how to reproduce this")

/** After `dispose`. */
export const disposed = refusal("disposed", "this Tracehound has been disposed of: make another one", false)

/** After a panic (CONFORMANCE F3). */
export const panicked = refusal(
  "panicked",
  "Tracehound has panicked and looks at nothing any more: let the request pass or not, as the host would without it",
  false
)
