/**
 * What the arbitraries are put together with: choice, optional keys, and text of an exact size.
 *
 * Effect's own combinators have neither a choice nor an optional key outside a Schema. Those here
 * shrink: a choice towards its first member, an optional key towards its absence. Write what is
 * simplest first.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { fitsUtf8 } from "../../domain/Text.ts"

/** What an arbitrary generates. */
export type Generated<A> = A extends Arbitrary.Arbitrary<infer Value> ? Value : never

type Fields = Readonly<Record<string, Arbitrary.Arbitrary<unknown>>>

/** An object with all of these keys. */
type Struct<R extends Fields> = { -readonly [K in keyof R]: Generated<R[K]> }

/** An object with any of these keys. */
type Partly<O extends Fields> = { -readonly [K in keyof O]?: Generated<O[K]> }

/** A whole number, with an eye to both bounds. Shrinks towards 0. */
export const whole = (minimum: number, maximum: number): Arbitrary.Arbitrary<number> =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

/**
 * An index below `count`, each as likely as the others; Schema's whole numbers prefer their bounds.
 */
const index = (count: number, shrink: (index: number) => ReadonlyArray<number>): Arbitrary.Arbitrary<number> =>
  Arbitrary.schema(Schema.Literals(Array.from({ length: count }, (_, i) => i)), { shrink })

const below = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, i) => i)

/** One of the values, each as likely as the others. Shrinks towards the first. */
export const pick = <const A>(values: readonly [A, ...ReadonlyArray<A>]): Arbitrary.Arbitrary<A> =>
  Arbitrary.map(index(values.length, below), (i) => values[i] as A)

/**
 * One of the characters, each as likely as the others; of units, so ASCII. Shrinks towards the
 * first.
 */
export const pickFrom = (characters: string): Arbitrary.Arbitrary<string> =>
  pick(characters.split("") as [string, ...Array<string>])

/** Either one. Shrinks to false. */
export const coin: Arbitrary.Arbitrary<boolean> = pick<boolean>([false, true])

/**
 * A value of one of the members, as often as its weight says. Shrinks within its member, and to
 * those before it.
 */
export const choice = <const M extends ReadonlyArray<readonly [weight: number, Arbitrary.Arbitrary<unknown>]>>(
  ...weighted: M
): Arbitrary.Arbitrary<Generated<M[number][1]>> => {
  const places = weighted.flatMap(([weight], member) => Array.from({ length: weight }, () => member))
  const earlier = (place: number): ReadonlyArray<number> =>
    below(places[place] ?? 0).map((member) => places.indexOf(member))
  return Arbitrary.flatMap(
    index(places.length, earlier),
    (place) => weighted[places[place] ?? 0]?.[1] as Arbitrary.Arbitrary<Generated<M[number][1]>>
  )
}

/**
 * An array of up to so many. Most are short, as those of Effect are, which grow with the size of a
 * run; one in six is at least half as long as may be, whatever that size.
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

/** An object of these keys: a plain one, as Effect's own has no prototype now and then. */
export const struct = <R extends Fields>(required: R): Arbitrary.Arbitrary<Struct<R>> =>
  Arbitrary.map(Arbitrary.all(required), (fields) => Object.fromEntries(Object.entries(fields)) as Struct<R>)

const absent = Symbol("absent")

/** An object of which any key may be missing: each is there half of the time. */
export const partial = <O extends Fields>(optional: O): Arbitrary.Arbitrary<Partly<O>> =>
  Arbitrary.map(
    Arbitrary.all(Object.fromEntries(
      Object.entries(optional).map(([key, member]) => [key, choice([1, Arbitrary.Constant(absent)], [1, member])])
    )),
    (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== absent)) as Partly<O>
  )

/** An object that has these keys, and may have those. */
export const structWith = <R extends Fields, O extends Fields>(
  required: R,
  optional: O
): Arbitrary.Arbitrary<Struct<R> & Partly<O>> =>
  Arbitrary.map(
    Arbitrary.all([struct(required), partial(optional)]),
    ([always, sometimes]) => ({ ...always, ...sometimes })
  )

/**
 * The pattern again and again, and in front of it as many `a` as are missing to exactly so many
 * bytes of UTF-8.
 */
export const filled = (pattern: string, bytes: number): string => {
  // Begun with what fits in any case: a unit takes three bytes at most.
  let text = pattern.repeat(Math.floor(bytes / (3 * Math.max(1, pattern.length))))
  for (let longer = text + pattern; longer !== text && fitsUtf8(longer, bytes); longer += pattern) text = longer
  // One at a time and looked at as a whole: half a pair that meets its other half takes less than
  // it did alone.
  while (fitsUtf8(`a${text}`, bytes)) text = `a${text}`
  return text
}

/** As much of the text as fits. */
export const cut = (text: string, bytes: number): string => {
  let fitting = text
  while (!fitsUtf8(fitting, bytes)) fitting = fitting.slice(0, -1)
  return fitting
}
