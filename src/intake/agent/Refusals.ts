/**
 * The Agent's answers to scents of which it keeps nothing: frozen objects that are made once, so
 * that a flood of clean, limited or refused scents allocates nothing.
 */
import type { TracehoundConfig } from "../../config/TracehoundConfig.ts"
import type { InterceptResult } from "../../domain/InterceptResult.ts"
import { maxIdentifierBytes, threatCategories } from "../../domain/Scent.ts"
import { severities } from "../../domain/Severity.ts"
import { problem } from "../../domain/TracehoundError.ts"
import { TOO_DEEP, TOO_LARGE, TOO_MANY_KEYS } from "../gate/Canonical.ts"

type Answer<S extends InterceptResult["status"]> = Extract<InterceptResult, { readonly status: S }>

export type ErrorAnswer = Answer<"error">

const errorAnswer = (code: string, message: string, recoverable = true): ErrorAnswer =>
  Object.freeze({ status: "error", error: problem({ state: "agent", code, message, recoverable }) })

/** No threat signal: nothing is kept (CONFORMANCE D2). */
export const clean: InterceptResult = Object.freeze({ status: "clean" })

export const notAScent = errorAnswer("invalid_scent", "a scent is an object with id, payload, source and timestamp")

export const invalidId = errorAnswer(
  "invalid_id",
  `scent.id must be a string of at most ${maxIdentifierBytes} bytes in UTF-8`
)

export const invalidSource = errorAnswer(
  "invalid_source",
  `scent.source must be a string of at most ${maxIdentifierBytes} bytes in UTF-8`
)

export const invalidTimestamp = errorAnswer(
  "invalid_timestamp",
  "scent.timestamp must be a finite number of milliseconds"
)

export const invalidThreat = errorAnswer(
  "invalid_threat",
  `scent.threat must be absent or have a category (${threatCategories.join(", ")}) and a severity (${
    severities.join(", ")
  })`
)

/** For a detector that is to be verified (CONFORMANCE R3). */
export const unverifiedThreat = errorAnswer(
  "unverified_threat",
  "scent.threat must have category and severity and nothing else: trustBoundary.detector.trustLevel is verify"
)

export const unreadable = errorAnswer(
  "payload_unreadable",
  "the payload could not be read: pass the request's raw body instead"
)

/** After an exception, which is a fault of ours or of a getter of the scent. */
export const unexpected = errorAnswer(
  "unexpected",
  "the scent could not be handled; please report how to reproduce this"
)

/** After `dispose`. */
export const disposed = errorAnswer("disposed", "this Tracehound has been disposed of: make another one", false)

/** After a panic (CONFORMANCE F3). */
export const panicked = errorAnswer(
  "panicked",
  "Tracehound has panicked and looks at nothing any more: let the request pass or not, as the host would without it",
  false
)

/**
 * The answers `payload_too_large`, by the canonical writer's code for the bound that was passed;
 * null for a code that names no bound.
 */
export const makeTooLarge = (
  { maxDepth, maxKeys, maxPayloadSize }: Pick<TracehoundConfig, "maxDepth" | "maxKeys" | "maxPayloadSize">
): (code: number) => Answer<"payload_too_large"> | null => {
  const tooLarge = Object.freeze({ status: "payload_too_large", limit: maxPayloadSize })
  const tooDeep = Object.freeze({ status: "payload_too_large", limit: maxDepth, bound: "maxDepth" })
  const tooManyKeys = Object.freeze({ status: "payload_too_large", limit: maxKeys, bound: "maxKeys" })
  return (code) =>
    code === TOO_LARGE ? tooLarge : code === TOO_DEEP ? tooDeep : code === TOO_MANY_KEYS ? tooManyKeys : null
}

/** Answers `rate_limited` that are kept. A power of two. */
const maxKept = 1024

/**
 * The answers `rate_limited`, by their milliseconds, exactly (CONFORMANCE G1). A flood from a
 * blocked source asks for the same one thousands of times a millisecond, so each is made once and
 * kept until another one takes its place. O(1), at most `maxKept` answers in memory.
 */
export const makeLimited = (): (retryAfter: number) => Answer<"rate_limited"> => {
  const answers: Array<Answer<"rate_limited"> | undefined> = Array.from({ length: maxKept }, () => undefined)
  return (retryAfter) => {
    const place = retryAfter & (maxKept - 1)
    const kept = answers[place]
    if (kept !== undefined && kept.retryAfter === retryAfter) return kept
    const answer = Object.freeze({ status: "rate_limited", retryAfter })
    answers[place] = answer
    return answer
  }
}
