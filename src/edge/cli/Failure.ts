/**
 * How a command ends when it does not end well: one message for people, and the exit status of the
 * contract.
 */
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"

/** Exit statuses: 0 good, 1 the answer is no, 2 wrong use. */
export const ExitCode = { no: 1, wrongUse: 2 } as const

/** The command cannot do what it was asked to: wrong use, and what to do instead. */
export class WrongUse extends Schema.TaggedError<WrongUse>()("WrongUse", { message: Schema.String }) {
  override readonly [Runtime.errorExitCode] = ExitCode.wrongUse
}

/** The command did what it was asked to, and the answer is no. It has said why. */
export class AnswerIsNo extends Schema.TaggedError<AnswerIsNo>()("AnswerIsNo", {}) {
  override readonly [Runtime.errorExitCode] = ExitCode.no
  override readonly [Runtime.errorReported] = false
}
