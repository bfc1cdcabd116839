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

/** A decoder for lines of one schema. Each message of a mistake ends with `advice`: what to do. */
export const jsonLine = <S extends Schema.ConstraintDecoder<unknown>>(
  schema: S,
  advice: string,
  options?: ParseOptions
): (line: string) => Result.Result<S["Type"], SignalError> => {
  const decode = SchemaParser.decodeUnknownResult(schema, options)
  return (line) => {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch (cause) {
      return Result.fail(new SignalError({ message: `expected JSON${syntax(cause)}: ${advice}` }))
    }
    return Result.mapError(decode(value), (issue) => fromIssue(issue, advice))
  }
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
