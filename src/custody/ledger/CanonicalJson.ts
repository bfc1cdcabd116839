/**
 * Canonical JSON (RFC 8785) of plain values: the one spelling that an entry's hash covers
 * (spec/ledger.md, "The text of an entry").
 *
 * It is for values that this program made or that JSON.parse gave. Payloads of others have
 * `intake/gate/Canonical.ts`, which runs none of their code.
 *
 * **Gotchas**
 *
 * - A lone surrogate in a string is written as U+FFFD, because UTF-8 has none. In the name of a
 *   field it has no text: two names could become one.
 * - Negative zero is written as 0, as RFC 8785 has it.
 */

/** A value that JSON has. */
export type Json = string | number | boolean | null | ReadonlyArray<Json> | JsonObject

export interface JsonObject {
  readonly [field: string]: Json
}

/** The deepest nesting of arrays and objects: what is deeper has no canonical text here. */
export const maxDepth = 32

/**
 * The canonical text, or null where the value has none: it is nested deeper than `maxDepth`, or it
 * holds a number that is not finite, a name with a lone surrogate, or something that is no JSON.
 * O(n log n) in the fields of one object, O(n) in all else.
 */
export const canonicalJson = (value: unknown): string | null => write(value, maxDepth)

const write = (value: unknown, depth: number): string | null => {
  switch (typeof value) {
    case "string":
      return quote(value)
    case "number":
      return Number.isFinite(value) ? JSON.stringify(value) : null
    case "boolean":
      return value ? "true" : "false"
    case "object":
      if (value === null) return "null"
      if (depth === 0) return null
      return Array.isArray(value) ? writeArray(value, depth - 1) : writeObject(value, depth - 1)
    default:
      return null
  }
}

const quote = (text: string): string => JSON.stringify(text.toWellFormed())

const writeArray = (values: ReadonlyArray<unknown>, depth: number): string | null => {
  const texts: Array<string> = []
  for (const value of values) {
    const text = write(value, depth)
    if (text === null) return null
    texts.push(text)
  }
  return `[${texts.join(",")}]`
}

/** RFC 8785 3.2.3: fields in the order of their UTF-16 code units, which is that of `sort`. */
const writeObject = (bag: object, depth: number): string | null => {
  const texts: Array<string> = []
  for (const name of Object.keys(bag).toSorted()) {
    const text = name.isWellFormed() ? write(Reflect.get(bag, name), depth) : null
    if (text === null) return null
    texts.push(`${JSON.stringify(name)}:${text}`)
  }
  return `{${texts.join(",")}}`
}
