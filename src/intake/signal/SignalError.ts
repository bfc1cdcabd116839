/**
 * The reason why a line is no scent, in words for the operator of the detector.
 *
 * **Gotchas**
 *
 * - The message names places and expectations, all of them fixed text of this project, and never
 *   the text of the line: a log of attacks must not become an attack on the log (CONFORMANCE F5).
 * - It is short: of many mistakes in a line it names the first three.
 */
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"

/**
 * The line does not follow its format. The message says what was expected where, and what to do.
 */
export class SignalError extends Schema.TaggedError<SignalError>()("SignalError", { message: Schema.String }) {}

const maxMistakes = 3

const format = SchemaIssue.makeFormatterStandardSchemaV1()

/**
 * The error for a schema's issue with a value. Its message ends with what to do about the first
 * mistake, as `adviceAt` says of its place.
 */
export const fromIssue = (issue: SchemaIssue.Issue, adviceAt: (place: string) => string): SignalError => {
  const { issues } = format(issue)
  const told = issues.slice(0, maxMistakes).map(({ message, path }) => mistake(message, path ?? []))
  const more = issues.length > maxMistakes ? `, and ${issues.length - maxMistakes} more` : ""
  const advice = adviceAt(placeOf(issues[0]?.path ?? []))
  return new SignalError({ message: `${told.join(", ")}${more}: ${advice}` })
}

type Path = NonNullable<ReturnType<typeof format>["issues"][number]["path"]>

const mistake = (message: string, path: Path): string => {
  const expectation = message.charAt(0).toLowerCase() + message.slice(1)
  return path.length === 0 ? expectation : `${expectation} at ${placeOf(path)}`
}

/**
 * The path as text, such as `transaction.messages[3].details`. The keys are those of a schema; a
 * foreign key never becomes part of a path.
 */
const placeOf = (path: Path): string =>
  path.map((step, at) => {
    const key = typeof step === "object" ? step.key : step
    return typeof key === "number" ? `[${key}]` : `${at === 0 ? "" : "."}${String(key)}`
  }).join("")
