/**
 * Combinators for the arbitraries: choice, optional keys, and text of an exact size.
 *
 * Effect has a choice and optional keys only inside a Schema. The ones here shrink: a choice
 * towards its first member, so list the simplest first, and an optional key towards its absence.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { fitsUtf8 } from "../../domain/Text.ts"

/** The values of an arbitrary. */
export type Generated<A> = A extends Arbitrary.Arbitrary<infer Value> ? Value : never

type Fields = Readonly<Record<string, Arbitrary.Arbitrary<unknown>>>

/** The object with all keys of R. */
type Struct<R extends Fields> = { -readonly [K in keyof R]: Generated<R[K]> }

/** The object with any keys of O. */
type Partly<O extends Fields> = { -readonly [K in keyof O]?: Generated<O[K]> }

/** A whole number; both bounds are likelier than others. Shrinks towards 0. */
export const whole = (minimum: number, maximum: number): Arbitrary.Arbitrary<number> =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

/** An index below `count`, all equally likely. Schema's whole numbers would prefer the bounds. */
const index = (count: number, shrink: (index: number) => ReadonlyArray<number>): Arbitrary.Arbitrary<number> =>
  Arbitrary.schema(Schema.Literals(Array.from({ length: count }, (_, i) => i)), { shrink })

const below = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, i) => i)

/** One of the values, all equally likely. Shrinks towards the first. */
export const pick = <const A>(values: readonly [A, ...ReadonlyArray<A>]): Arbitrary.Arbitrary<A> =>
  Arbitrary.map(index(values.length, below), (i) => values[i] as A)

/**
 * One of the UTF-16 units of `characters`, so pass ASCII. All equally likely. Shrinks towards the
 * first.
 */
export const pickFrom = (characters: string): Arbitrary.Arbitrary<string> =>
  pick(characters.split("") as [string, ...Array<string>])

/** A boolean, both equally likely. Shrinks to false. */
export const coin: Arbitrary.Arbitrary<boolean> = pick<boolean>([false, true])

/**
 * A value of one of the members, with probabilities in proportion to their weights. Shrinks within
 * its member, and towards earlier members.
 */
export const choice = <const M extends ReadonlyArray<readonly [weight: number, Arbitrary.Arbitrary<unknown>]>>(
  ...weighted: M
): Arbitrary.Arbitrary<Generated<M[number][1]>> => {
  // One ticket for each unit of weight, with the index of its member.
  const tickets = weighted.flatMap(([weight], member) => Array.from({ length: weight }, () => member))
  const earlier = (ticket: number): ReadonlyArray<number> =>
    below(tickets[ticket] ?? 0).map((member) => tickets.indexOf(member))
  return Arbitrary.flatMap(
    index(tickets.length, earlier),
    (ticket) => weighted[tickets[ticket] ?? 0]?.[1] as Arbitrary.Arbitrary<Generated<M[number][1]>>
  )
}

/**
 * An array of up to `maxLength` items. Five in six are Effect's own, whose length grows with the
 * size of the run; one in six has at least half of `maxLength`, whatever that size is.
 */
export const list = <A>(item: Arbitrary.Arbitrary<A>, maxLength: number): Arbitrary.Arbitrary<Array<A>> =>
  choice(
    [5, Arbitrary.array(item, { maxLength })],
    [
      1,
      Arbitrary.flatMap(
        whole(Math.ceil(maxLength / 2), maxLength),
        (length) => Arbitrary.array(item, { minLength: length, maxLength: length })
      )
    ]
  )

/** An object with all of these keys. Always a plain one: Effect's sometimes has no prototype. */
export const struct = <R extends Fields>(required: R): Arbitrary.Arbitrary<Struct<R>> =>
  Arbitrary.map(Arbitrary.all(required), (fields) => Object.fromEntries(Object.entries(fields)) as Struct<R>)

const absent = Symbol("absent")

/** An object with any of these keys: each is present half of the time. */
export const partial = <O extends Fields>(optional: O): Arbitrary.Arbitrary<Partly<O>> =>
  Arbitrary.map(
    Arbitrary.all(Object.fromEntries(
      Object.entries(optional).map(([key, member]) => [key, choice([1, Arbitrary.Constant(absent)], [1, member])])
    )),
    (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== absent)) as Partly<O>
  )

/** An object with all of the required keys, and any of the optional ones. */
export const structWith = <R extends Fields, O extends Fields>(
  required: R,
  optional: O
): Arbitrary.Arbitrary<Struct<R> & Partly<O>> =>
  Arbitrary.map(
    Arbitrary.all([struct(required), partial(optional)]),
    ([always, sometimes]) => ({ ...always, ...sometimes })
  )

/** The pattern repeated, padded in front with `a` to exactly `bytes` of UTF-8. */
export const filled = (pattern: string, bytes: number): string => {
  // Start with a length that surely fits: a UTF-16 unit takes at most three bytes.
  let text = pattern.repeat(Math.floor(bytes / (3 * Math.max(1, pattern.length))))
  for (let longer = text + pattern; longer !== text && fitsUtf8(longer, bytes); longer += pattern) text = longer
  // Measure the whole text each time: a lone surrogate that meets its other half takes fewer bytes.
  while (fitsUtf8(`a${text}`, bytes)) text = `a${text}`
  return text
}

/** The longest prefix of at most `bytes` of UTF-8. */
export const cut = (text: string, bytes: number): string => {
  let fitting = text
  while (!fitsUtf8(fitting, bytes)) fitting = fitting.slice(0, -1)
  return fitting
}
