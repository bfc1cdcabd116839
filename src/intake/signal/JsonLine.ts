/**
 * Decodes lines of JSON by a schema, with mistakes as values.
 *
 * Promises never to throw, whatever the line: nesting of any depth, any length, any bytes. A value
 * that the schema calls unknown is the very object that JSON.parse made, own `__proto__` keys
 * included.
 *
 * **Gotchas**
 *
 * - Where a key is there twice, the last one counts, as for JSON.parse (RFC 8259, 4).
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { ParseOptions } from "effect/SchemaAST"
import * as SchemaParser from "effect/SchemaParser"
import { fromIssue, SignalError } from "./SignalError.ts"

/** What to do about a mistake, and how to see where a line begins. */
export interface LineFormat {
  /** About a line that is no JSON. */
  readonly syntaxAdvice: (line: string) => string
  /** About a mistake at this place, such as `transaction.request`; empty for the whole line. */
  readonly adviceAt: (place: string) => string
  /** How lines of this format usually begin. */
  readonly opening: string
}

/** A decoder for lines of one schema. Each message of a mistake ends with what to do. */
export const jsonLine = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  { adviceAt, opening, syntaxAdvice }: LineFormat,
  options?: ParseOptions
): (line: string) => Result.Result<S["Type"], SignalError> => {
  const decode = SchemaParser.decodeUnknownResult(schema, options)
  return (line) => {
    const parsed = parse(line)
    if (Result.isSuccess(parsed))
      return Result.mapError(decode(parsed.success), (issue) => fromIssue(issue, adviceAt))
    const column = columnOfWhole(line, opening)
    const advice = column === undefined
      ? syntaxAdvice(line)
      : `a whole line begins at column ${column}: give it a line of its own`
    return Result.fail(new SignalError({ message: `expected JSON${syntax(parsed.failure)}: ${advice}` }))
  }
}

const parse = (text: string): Result.Result<unknown, unknown> => {
  try {
    return Result.succeed(JSON.parse(text) as unknown)
  } catch (cause) {
    return Result.fail(cause)
  }
}

/**
 * The column where a whole line begins that something else stands before, such as the torn end of a
 * line that was being written in a crash. Reads the end of the line once more.
 */
const columnOfWhole = (line: string, opening: string): number | undefined => {
  const at = line.lastIndexOf(opening)
  return at > 0 && Result.isSuccess(parse(line.slice(at))) ? at + 1 : undefined
}

/**
 * Says where the syntax breaks. V8's message either ends with a position or quotes the text around
 * it; the end of one that quotes is fixed text, so nothing quoted is ever taken for a position.
 */
const syntax = (cause: unknown): string => {
  if (!(cause instanceof SyntaxError)) return " of a depth and length that this host can parse"
  if (cause.message === "Unexpected end of JSON input") return ", which ended too early"
  const position = / at position (\d+)(?: \(line \d+ column \d+\))?$/.exec(cause.message)?.[1]
  return position === undefined ? "" : `, which breaks at column ${Number(position) + 1}`
}
