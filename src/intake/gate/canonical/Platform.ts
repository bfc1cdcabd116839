/**
 * Reads objects of the platform whose content is in slots or private fields: URL, URLSearchParams,
 * Headers and Temporal.
 *
 * Functions are captured: of URL and URLSearchParams when this module is loaded, of Headers and
 * Temporal when the first object comes that may be one, since loading them would cost every start
 * some milliseconds that most hosts never need. All readers throw a TypeError for any other object.
 *
 * **Gotchas**
 *
 * - The platform's own code may look a property up on the object, so these are read only where they
 *   are bare: of their very class, with nothing hung on them. Temporal reads slots alone.
 */
import { ADDRESS, type Brand, HEADERS, PARAMS, TEMPORAL } from "./Brand.ts"
import { prototypeIn } from "./Intrinsics.ts"
import { allKeys, call, getPrototypeOf, getter, type Uncurried } from "./Reflection.ts"

type Each = (self: object, each: (value: string, name: string) => void) => void

const addressPrototype: object = URL.prototype
const paramsPrototype: object = URLSearchParams.prototype
const hrefOf = getter<string>(addressPrototype, "href")
const searchOf = getter<object>(addressPrototype, "searchParams")
export const paramsCount = getter<number>(paramsPrototype, "size")
export const paramsEach: Each = call.bind(URLSearchParams.prototype.forEach)

let headers: { readonly prototype: object; readonly each: Each } | undefined

/** Each header, in the order of their names. */
export const headersEach: Each = (self, each) => {
  if (headers === undefined) throw new TypeError("this host has made no Headers")
  headers.each(self, each)
}

/** The kinds of Temporal, with the reader of each, by prototype. */
const temporals = new Map<object, Uncurried<string>>()

/** The kind and the value of a Temporal object whose chain has this prototype. */
export const temporalText = (self: object, prototype: object): string => {
  const read = temporals.get(prototype)
  if (read === undefined) throw new TypeError("this host has made no such Temporal")
  return read(self)
}

/** Whether an object is of this very class, and nothing was hung on it. */
const isBare = (value: object, prototype: object): boolean =>
  getPrototypeOf(value) === prototype && allKeys(value).length === 0

/** Whether the platform's code would find nothing on the object but what is the platform's own. */
export const isReadable = (value: object, brand: Brand): boolean => {
  switch (brand) {
    case ADDRESS:
      return isBare(value, addressPrototype)
    case PARAMS:
      return isBare(value, paramsPrototype)
    case HEADERS:
      return headers !== undefined && isBare(value, headers.prototype)
    default:
      return true
  }
}

/** The text of a bare URL; undefined where its search parameters are not bare. */
export const addressText = (self: object): string | undefined =>
  // A URL whose search parameters were changed asks these for their text.
  isBare(searchOf(self), paramsPrototype) ? hrefOf(self) : undefined

/** The brands of this realm's classes of the platform, by prototype. */
export const platformClasses: ReadonlyArray<readonly [object, Brand]> = [
  [addressPrototype, ADDRESS],
  [paramsPrototype, PARAMS]
]

const durationFields = [
  "years",
  "months",
  "weeks",
  "days",
  "hours",
  "minutes",
  "seconds",
  "milliseconds",
  "microseconds",
  "nanoseconds"
]

/** A Duration's text would balance its fields, which are told apart here. */
const durationReader = (prototype: object): Uncurried<string> => {
  const fields = durationFields.map((name) => getter<number>(prototype, name))
  return (self) => fields.map((read) => `${read(self)}`).join(" ")
}

const textReader = (prototype: object): Uncurried<string> =>
  call.bind(Reflect.get(prototype, "toString") as () => string)

/**
 * The brand of a prototype with this tag, where it is that of one of this realm's classes that are
 * made when first needed.
 */
export const learned = (prototype: object, tag: string): Brand | undefined => {
  if (tag === "Headers" && prototypeIn(globalThis, tag) === prototype) {
    headers = { prototype, each: call.bind(Reflect.get(prototype, "forEach") as () => void) }
    return HEADERS
  }
  if (!tag.startsWith("Temporal.")) return undefined
  const kind = tag.slice("Temporal.".length)
  if (prototypeIn(Reflect.get(globalThis, "Temporal"), kind) !== prototype) return undefined
  const read = kind === "Duration" ? durationReader(prototype) : textReader(prototype)
  temporals.set(prototype, (self) => `${kind} ${read(self)}`)
  return TEMPORAL
}
