/**
 * What this realm's own prototypes say as data: the tags of classes and the names of errors.
 *
 * Under --frozen-intrinsics such a property is an accessor, which must not be called on an object
 * that a payload brought. These are the realm's, and are read when this module is loaded.
 */
import { getOwnPropertyDescriptor, getPrototypeOf, hasOwn } from "./Reflection.ts"

const { toStringTag } = Symbol

/** The prototype of a class that stands in an object under that name. */
export const prototypeIn = (holder: unknown, name: string): object | undefined => {
  if (typeof holder !== "object" || holder === null || !hasOwn(holder, name)) return undefined
  const found: unknown = Reflect.get(holder, name)
  return typeof found === "function" ? found.prototype as object | undefined : undefined
}

const textIn = (prototype: object, key: PropertyKey): string => String(Reflect.get(prototype, key))

const generator = (function*() {})()
const asyncGenerator = (async function*() {})()

const tagged: ReadonlyArray<object | null | undefined> = [
  ...["Promise", "WeakMap", "WeakSet", "WeakRef", "FinalizationRegistry"].map((name) => prototypeIn(globalThis, name)),
  ...Reflect.ownKeys(Intl).map((name) => prototypeIn(Intl, String(name))),
  ...[[].values(), new Map().values(), new Set().values(), ""[Symbol.iterator](), "".matchAll(/x/g)].map(
    getPrototypeOf
  ),
  getPrototypeOf(getPrototypeOf(generator) ?? {}),
  getPrototypeOf(getPrototypeOf(asyncGenerator) ?? {})
]

const tags = new Map<object, string>()
for (const prototype of tagged)
  if (prototype && hasOwn(prototype, toStringTag)) tags.set(prototype, textIn(prototype, toStringTag))

const names = new Map<object, string>()
for (const name of ["", "Type", "Range", "Syntax", "Reference", "Eval", "URI", "Aggregate", "Suppressed"]) {
  const prototype = prototypeIn(globalThis, `${name}Error`)
  if (prototype !== undefined) names.set(prototype, textIn(prototype, "name"))
}

/** The kinds of Temporal, which is looked at when a class first hides its tag. */
let temporals: ReadonlyArray<readonly [object | undefined, string]> | undefined

const temporalTag = (prototype: object): string | undefined => {
  const holder: unknown = Reflect.get(globalThis, "Temporal")
  if (typeof holder !== "object" || holder === null) return undefined
  temporals ??= Reflect.ownKeys(holder).map((name) => [prototypeIn(holder, String(name)), `Temporal.${String(name)}`])
  return temporals.find(([known]) => known === prototype)?.[1]
}

/** The tag that a prototype declares as plain data, or as an accessor of the realm's own. */
export const declaredTag = (prototype: object): unknown => {
  const property = getOwnPropertyDescriptor(prototype, toStringTag)
  return property?.get === undefined ? property?.value : tags.get(prototype) ?? temporalTag(prototype)
}

/** The name of one of the realm's own prototypes of errors. */
export const errorName = (prototype: object): string | undefined => names.get(prototype)
