/**
 * The errors that end a command, each with its exit status.
 */
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"

/** The exit statuses that are not 0. */
export const ExitCode = { no: 1, wrongUse: 2 } as const

/** The command cannot do what the user asked. The message says what to do instead. */
export class WrongUse extends Schema.TaggedError<WrongUse>()("WrongUse", { message: Schema.String }) {
  override readonly [Runtime.errorExitCode] = ExitCode.wrongUse
}

/** The command did what the user asked, and the answer is no. It has printed why. */
export class AnswerIsNo extends Schema.TaggedError<AnswerIsNo>()("AnswerIsNo", {}) {
  override readonly [Runtime.errorExitCode] = ExitCode.no
  override readonly [Runtime.errorReported] = false
}
