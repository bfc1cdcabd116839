/**
 * Payloads for the canonical writer: random ones, other spellings of the same one, and near misses;
 * and spec/canonical.md's equalities, implemented independently, to compare them by.
 */
import { isDeepStrictEqual, types } from "node:util"
import type { Random } from "../../support/random.ts"

const texts: readonly [string, ...ReadonlyArray<string>] = [
  "",
  "a",
  "b",
  "aa",
  "\"",
  "\\",
  "\\ud800",
  "\ud800",
  "\udfff",
  "\ud83d\ude00",
  "\ude00\ud83d",
  "\u0000",
  "\u001f",
  "\u007f",
  "\u0080",
  "é",
  "\u2028",
  "\uffff",
  "!u",
  "null",
  "[]",
  "__proto__",
  "toJSON",
  "a".repeat(63) + "\ud800",
  "€".repeat(65),
  "\"".repeat(70)
]

const numbers: readonly [number, ...ReadonlyArray<number>] = [
  0,
  -0,
  1,
  -1,
  9,
  10,
  0.5,
  1e21,
  1e-7,
  5e-324,
  Number.MAX_VALUE,
  2 ** 53,
  NaN,
  Infinity,
  -Infinity,
  333333333.33333329
]

const bigints: readonly [bigint, ...ReadonlyArray<bigint>] = [0n, 1n, -1n, 10n, 16n, 255n, 1n << 64n, -(1n << 1030n)]

/**
 * Any JSON value that RFC 8785 is defined for: without lone surrogates, and without negative zero,
 * of which it drops the sign.
 */
export const randomJson = (random: Random, depth = 4): unknown => {
  const kind = random.below(depth > 0 ? 7 : 5)
  switch (kind) {
    case 0:
      return random.pick([null, true, false])
    case 1:
      return random.pick([...texts].filter((text) => text.isWellFormed()) as [string, ...Array<string>])
    case 2:
      return String.fromCodePoint(...Array.from({ length: random.below(80) }, () => randomScalar(random)))
    case 3:
      return random.pick([
        random.below(1000),
        -random.below(1e9),
        random.below(2 ** 53) / 1024,
        random.below(1e9) * 1e30
      ])
    case 4:
      return randomDouble(random)
    case 5:
      return Array.from({ length: random.below(6) }, () => randomJson(random, depth - 1))
    default:
      return Object.fromEntries(
        Array.from({ length: random.below(30) >> random.below(4) }, () => [
          String.fromCodePoint(...Array.from({ length: random.below(4) }, () => randomScalar(random))),
          randomJson(random, depth - 1)
        ])
      )
  }
}

const randomScalar = (random: Random): number => {
  const point = random.pick([random.below(0x80), random.below(0x800), random.below(0xd800), random.below(0x110000)])
  return point >= 0xd800 && point <= 0xdfff ? 0xfffd : point
}

const randomDouble = (random: Random): number => {
  const words = new Uint32Array([random.below(2 ** 32), random.below(2 ** 32)])
  const double = new Float64Array(words.buffer)[0] ?? 0
  return Number.isFinite(double) && double !== 0 ? double : 1
}

/**
 * Any value that canonical bytes tell from another. Small domains, so that near misses are common.
 */
export const randomPayload = (random: Random, depth = 3): unknown => {
  const kind = random.below(depth > 0 ? 15 : 10)
  switch (kind) {
    case 0:
      return random.pick([null, true, false, undefined])
    case 1:
    case 2:
      return random.pick(texts)
    case 3:
    case 4:
      return random.pick(numbers)
    case 5:
      return random.pick(bigints)
    case 6:
      return new Date(random.pick([0, -1, 1, 8.64e15, NaN]))
    case 7:
      return randomBytes(random)
    case 8:
      return random.pick<unknown>([Symbol("a"), () => 1, class A {}])
    case 9:
      return new Proxy({}, {})
    case 10:
    case 11: {
      const array = Array.from({ length: random.below(4) }, () => randomPayload(random, depth - 1))
      if (random.chance(0.1)) array.length += 1
      if (random.chance(0.05)) Object.defineProperty(array, 0, { get: () => 1, enumerable: true, configurable: true })
      return array
    }
    case 12:
      return new Map(
        Array.from({ length: random.below(4) }, () => [
          randomPayload(random, depth - 1),
          randomPayload(random, depth - 1)
        ])
      )
    case 13:
      return new Set(Array.from({ length: random.below(4) }, () => randomPayload(random, depth - 1)))
    default:
      return randomObject(random, depth)
  }
}

const randomObject = (random: Random, depth: number): object => {
  const object = {}
  for (let i = random.below(5); i > 0; i--) {
    Object.defineProperty(
      object,
      random.pick(texts),
      random.chance(0.05)
        ? { get: () => 1, enumerable: true, configurable: true }
        : { value: randomPayload(random, depth - 1), enumerable: true, configurable: true, writable: true }
    )
  }
  return object
}

const randomBytes = (random: Random): object => {
  const bytes = Uint8Array.from({ length: 8 * random.below(3) }, () => random.below(3))
  return random.pick<object>([
    bytes,
    new DataView(bytes.buffer),
    bytes.buffer,
    new Float64Array(bytes.buffer),
    new BigInt64Array(bytes.buffer),
    new Int8Array(bytes.buffer),
    new Uint8ClampedArray(bytes.buffer)
  ])
}

/** The same payload, spelt another way where spec/canonical.md says that this does not matter. */
export const respell = (value: unknown, random: Random): unknown => {
  if (typeof value === "function") return function other() {}
  if (typeof value === "symbol") return Symbol()
  if (typeof value !== "object" || value === null || types.isProxy(value)) return value
  if (Array.isArray(value)) {
    const array: Array<unknown> = []
    for (let i = 0; i < value.length; i++) {
      const property = Object.getOwnPropertyDescriptor(value, i)
      if (property !== undefined && property.get !== undefined) Object.defineProperty(array, i, property)
      else if (property !== undefined && (property.value !== undefined || random.chance(0.5)))
        array[i] = respell(property.value, random)
    }
    array.length = value.length
    return Object.assign(array, { extra: 1 })
  }
  if (types.isMap(value))
    return new Map(random.shuffle([...value]).map(([key, item]) => [respell(key, random), respell(item, random)]))
  if (types.isSet(value)) return new Set(random.shuffle([...value]).map((item) => respell(item, random)))
  if (types.isDate(value)) return new Date(value.getTime())
  if (types.isUint8Array(value)) return Buffer.from(value)
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return value
  const copy: object = random.pick([() => ({}), () => Object.create(null), () => new (class Named {})()])()
  for (const key of random.shuffle(Object.keys(value))) {
    const property = Object.getOwnPropertyDescriptor(value, key) ?? {}
    Object.defineProperty(
      copy,
      key,
      property.get === undefined ? { ...property, value: respell(property.value, random) } : property
    )
  }
  Object.defineProperty(copy, "hidden", { value: 1, enumerable: false })
  Object.defineProperty(copy, Symbol("key"), { value: 1, enumerable: true })
  return copy
}

/** Nearly the same payload: one place of it was replaced, added or left out. */
export const nearMiss = (value: unknown, random: Random): unknown => {
  if (typeof value !== "object" || value === null || types.isProxy(value) || random.chance(0.2))
    return randomPayload(random, 1)
  if (types.isMap(value)) {
    return new Map(
      editList([...value], random).map((entry) => Array.isArray(entry) ? [entry[0], entry[1]] : [entry, 1])
    )
  }
  if (types.isSet(value)) return new Set(editList([...value], random))
  if (Array.isArray(value)) return editList(Array.from(value), random)
  if (types.isDate(value) || ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return randomPayload(random, 0)
  const entries = Object.entries(Object.getOwnPropertyDescriptors(value)).map((
    [key, property]
  ) => [key, property.value])
  return Object.fromEntries(
    editList(entries, random).map((entry) => Array.isArray(entry) ? [textOf(entry[0]), entry[1]] : ["a", entry])
  )
}

const textOf = (value: unknown): string => typeof value === "string" ? value : typeof value

const editList = (items: ReadonlyArray<unknown>, random: Random): Array<unknown> => {
  const at = random.below(items.length + 1)
  switch (random.below(4)) {
    case 0:
      return items.toSpliced(at, 1)
    case 1:
      return items.toSpliced(at, 0, randomPayload(random, 1))
    case 2:
      return [items]
    default:
      return items.map((item, index) => index === at ? nearMiss(item, random) : item)
  }
}

/** Whether a payload is bytes or text, and so stands for itself. */
export const isRaw = (value: unknown): boolean =>
  typeof value === "string" ||
  (!types.isProxy(Object(value)) && (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)))

/**
 * Whether spec/canonical.md declares two values inside a payload, or two payloads neither of which
 * is raw, to be equal. Slow and simple on purpose, and by node:util instead of the writer's own
 * intrinsics.
 */
export const samePayload = (a: unknown, b: unknown): boolean => {
  const kind = kindOf(a)
  if (kind !== kindOf(b)) return false
  switch (kind) {
    case "proxy":
    case "function":
    case "symbol":
      return true
    case "date":
      return Object.is((a as Date).getTime(), (b as Date).getTime())
    case "array":
      return sameList(elementsOf(a as ReadonlyArray<unknown>), elementsOf(b as ReadonlyArray<unknown>))
    case "map":
      return sameBag([...(a as Map<unknown, unknown>)], [...(b as Map<unknown, unknown>)], sameList)
    case "set":
      return sameBag([...(a as Set<unknown>)], [...(b as Set<unknown>)], sameMember)
    case "object": {
      const keys = Object.keys(a as object).sort()
      return isDeepStrictEqual(keys, Object.keys(b as object).sort()) &&
        keys.every((key) => sameMember(memberOf(a as object, key), memberOf(b as object, key)))
    }
    case "scalar":
      return Object.is(a, b)
    case "unreadable":
      return false
    case "boxed":
      return samePayload(Object(a).valueOf(), Object(b).valueOf())
    case "spelt":
      return spelling(a as object) === spelling(b as object)
    case "error": {
      const keys = errorKeys(a as object)
      return (a as Error).name === (b as Error).name && isDeepStrictEqual(keys, errorKeys(b as object)) &&
        keys.every((key) => sameMember(memberOf(a as object, key), memberOf(b as object, key)))
    }
    default:
      return bytesOf(a as ArrayBufferView | ArrayBufferLike).equals(bytesOf(b as ArrayBufferView | ArrayBufferLike))
  }
}

const errorKeys = (error: object): ReadonlyArray<string> =>
  Object.getOwnPropertyNames(error).filter((key) => key !== "stack").toSorted()

/** What tells an object of the platform or a regular expression from others of its kind. */
const spelling = (value: object): string => {
  const tag = Object.prototype.toString.call(value)
  return tag === "[object Headers]" ? `${tag} ${JSON.stringify([...value as Headers])}` : `${tag} ${String(value)}`
}

const ACCESSOR = { accessor: true }

const memberOf = (object: object, key: PropertyKey): unknown => {
  const property = Object.getOwnPropertyDescriptor(object, key)
  return property !== undefined && !("value" in property) ? ACCESSOR : property?.value
}

const elementsOf = (array: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
  Array.from({ length: array.length }, (_, index) => memberOf(array, index))

const sameMember = (a: unknown, b: unknown): boolean => a === ACCESSOR || b === ACCESSOR ? a === b : samePayload(a, b)

const sameList = (a: ReadonlyArray<unknown>, b: ReadonlyArray<unknown>): boolean =>
  a.length === b.length && a.every((item, index) => sameMember(item, b[index]))

const sameBag = <A>(a: ReadonlyArray<A>, b: ReadonlyArray<A>, same: (x: A, y: A) => boolean): boolean => {
  const rest = [...b]
  return a.length === b.length && a.every((item) => {
    const index = rest.findIndex((other) => same(item, other))
    return index >= 0 && rest.splice(index, 1).length === 1
  })
}

/** The bytes of a view or buffer. */
export const bytesOf = (value: ArrayBufferView | ArrayBufferLike): Buffer =>
  ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : Buffer.from(value)

const kindOf = (value: unknown): string => {
  if (typeof value === "function" || (typeof value === "object" && value !== null)) {
    if (types.isProxy(value)) return "proxy"
    if (typeof value === "function") return "function"
    if (Array.isArray(value)) return "array"
    if (types.isMap(value)) return "map"
    if (types.isSet(value)) return "set"
    if (types.isDate(value)) return "date"
    if (types.isUint8Array(value)) return "Uint8Array"
    if (types.isBoxedPrimitive(value)) return "boxed"
    if (types.isNativeError(value)) return "error"
    if (/^\[object (?:RegExp|URL|URLSearchParams|Headers|Temporal\.\w+)\]$/.test(Object.prototype.toString.call(value)))
      return "spelt"
    if (types.isPromise(value) || Object.prototype.toString.call(value) === "[object FormData]") return "unreadable"
    return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) ? `bytes ${value.constructor.name}` : "object"
  }
  return typeof value === "symbol" ? "symbol" : "scalar"
}
