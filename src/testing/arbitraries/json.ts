/**
 * JSON: any value that JSON.parse may return. Some are deeper or wider than the bounds of a
 * payload.
 *
 * Values nest at most three deep, except those of `jsonPayload` that are made to be deep.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { choice, coin, pick, whole } from "./building.ts"
import { text } from "./values.ts"

type Json = Schema.Json

const number = choice(
  [3, whole(-1_000, 1_000)],
  [1, pick([0, -0, 1e21, 1e-7, 5e-324, 2 ** 53, -(2 ** 53), Number.MAX_VALUE, 0.1, 1 / 3])],
  [1, Arbitrary.schema(Schema.Finite)]
)

const leaf: Arbitrary.Arbitrary<Json> = choice(
  [1, Arbitrary.Constant(null)],
  [1, coin],
  [3, number],
  [3, text(20)]
)

const key = choice(
  [4, pick(["a", "b", "c", "id", "q"])],
  [1, pick(["", "__proto__", "constructor", "toString", "toJSON", "length", "0", "10", "é"])],
  [2, text(8)]
)

/** Any value of JSON, nested at most `depth` deep. */
export const json = (depth: number): Arbitrary.Arbitrary<Json> => {
  if (depth === 0) return leaf
  const inner = json(depth - 1)
  return choice(
    [2, leaf],
    [1, Arbitrary.array(inner, { maxLength: 6 })],
    // From entries, so that `__proto__` is an ordinary key, as it is for JSON.parse.
    [
      2,
      Arbitrary.map(
        Arbitrary.array(Arbitrary.all([key, inner]), { maxLength: 6 }),
        (entries): Json => Object.fromEntries(entries)
      )
    ]
  )
}

const nested = (depth: number): Json => {
  let value: Json = null
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value }
  return value
}

const wide = (keys: number): Json => Object.fromEntries(Array.from({ length: keys }, (_, i) => [`k${i}`, i]))

/**
 * A payload of JSON. One in sixteen is a deep nest, often near the default bound of 256; another
 * one is an object of many keys, often near the default bound of 4096.
 */
export const jsonPayload: Arbitrary.Arbitrary<Json> = choice(
  [14, json(3)],
  [1, Arbitrary.map(choice([1, whole(0, 300)], [1, pick([255, 256, 257])]), nested)],
  [1, Arbitrary.map(choice([1, whole(0, 300)], [1, pick([4_095, 4_096, 4_097])]), wide)]
)
