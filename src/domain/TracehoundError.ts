/**
 * An error as a value (RFC, "Error Handling"; CONFORMANCE F5): no error of Tracehound reaches its
 * host as an exception.
 */
import * as Schema from "effect/Schema"

/**
 * The rooms that can be in error, a closed union. Cold storage and the audit chain answer under
 * `quarantine`.
 */
export const ErrorState = Schema.Literals(["quarantine", "hound", "agent", "scheduler", "ratelimit"])
export type ErrorState = typeof ErrorState.Type

/**
 * `code` is for programs and never changes its meaning; `message` is for people and says what to
 * do.
 */
export const TracehoundError = Schema.Struct({
  state: ErrorState,
  code: Schema.String,
  message: Schema.String,
  context: Schema.optionalKey(Schema.Unknown),
  recoverable: Schema.Boolean
})
export type TracehoundError = typeof TracehoundError.Type

/**
 * The parts of an error that is made once and kept: it can be recovered from unless that is said.
 */
export interface ProblemOptions {
  readonly state: ErrorState
  readonly code: string
  readonly message: string
  readonly recoverable?: boolean
}

/** A frozen error, for rooms that report the same one again and again without allocating. */
export const problem = ({ code, message, recoverable = true, state }: ProblemOptions): TracehoundError =>
  Object.freeze({ state, code, message, recoverable })
