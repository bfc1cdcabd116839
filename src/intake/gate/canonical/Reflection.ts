/**
 * The functions of the language that read an object without running code of it.
 *
 * They are captured when this module is loaded, before a payload exists, so that nothing a payload
 * brings along can stand in for them.
 *
 * **Gotchas**
 *
 * - Load this module before code that patches intrinsics.
 */
import { ARRAY_BUFFER, type BIGINT, BOOLEAN, type Brand, NUMBER, SHARED_ARRAY_BUFFER, STRING, SYMBOL } from "./Brand.ts"

/** A function that takes as its first argument what it was a method or a getter of. */
export type Uncurried<A> = (self: object) => A

export const { getOwnPropertyDescriptor, getOwnPropertyNames, hasOwn, keys: ownKeys } = Object
/** All own keys: hidden ones and symbols as well. */
export const allKeys: (value: object) => ReadonlyArray<PropertyKey> = Reflect.ownKeys
export const { isArray } = Array
export const { isView } = ArrayBuffer
export const objectPrototype: object = Object.prototype
export const getPrototypeOf: (value: object) => object | null = Object.getPrototypeOf
export const call = Function.prototype.call

interface Legacy {
  readonly __lookupGetter__: (key: PropertyKey) => unknown
}
/** The getter that a property has, its own or inherited; undefined for a data property. */
export const lookupGetter: (self: object, key: PropertyKey) => unknown = call.bind(
  // Read as a property: under --frozen-intrinsics it is itself an accessor, whose descriptor has no
  // value.
  (objectPrototype as object & Legacy).__lookupGetter__
)

export const getter = <A>(prototype: object | null, key: PropertyKey): Uncurried<A> => {
  const get = getOwnPropertyDescriptor(prototype ?? {}, key)?.get
  if (get === undefined) throw new TypeError(`this host has no getter for ${String(key)}`)
  return call.bind(get)
}

const typedArrayPrototype = getPrototypeOf(Uint8Array.prototype)
/** Absent on pages that are not cross-origin isolated. */
export const sharedPrototype: object | undefined = typeof SharedArrayBuffer === "undefined"
  ? undefined
  : SharedArrayBuffer.prototype

export const mapSize = getter<number>(Map.prototype, "size")
export const mapForEach: (self: object, each: (value: unknown, key: unknown) => void) => void = call.bind(
  Map.prototype.forEach
)
export const setSize = getter<number>(Set.prototype, "size")
export const setForEach: (self: object, each: (value: unknown) => void) => void = call.bind(Set.prototype.forEach)
export const dateTime: Uncurried<number> = call.bind(Date.prototype.getTime)

export const bufferLength = getter<number>(ArrayBuffer.prototype, "byteLength")
export const sharedLength: Uncurried<number> = sharedPrototype === undefined
  ? refuse
  : getter<number>(sharedPrototype, "byteLength")
const typedTag = getter<string | undefined>(typedArrayPrototype, Symbol.toStringTag)
/** The memory of a typed array, by its slot. */
export const bufferOf = getter<ArrayBufferLike>(typedArrayPrototype, "buffer")
const typedOffset = getter<number>(typedArrayPrototype, "byteOffset")
const typedLength = getter<number>(typedArrayPrototype, "byteLength")
const dataBuffer = getter<ArrayBufferLike>(DataView.prototype, "buffer")
const dataOffset = getter<number>(DataView.prototype, "byteOffset")
const dataLength = getter<number>(DataView.prototype, "byteLength")

/**
 * A getter answers a missing slot with a TypeError. Anything else (a stack that is used up) says
 * nothing about the slot.
 */
export const ifWrongType = <A>(error: unknown, answer: A): A => {
  if (error instanceof TypeError) return answer
  throw error
}

function refuse(): never {
  throw new TypeError("this host has no SharedArrayBuffer")
}

/**
 * How many bytes an object of one of the three byte brands has now; 0 when its buffer was detached
 * or shrunk away.
 */
export const byteLengthOf = (value: object, brand: Brand): number => {
  if (brand === ARRAY_BUFFER) return bufferLength(value)
  if (brand === SHARED_ARRAY_BUFFER) return sharedLength(value)
  return typedTag(value) === undefined ? dataViewLength(value) : typedLength(value)
}

/** Unlike a typed array, a DataView over a detached or shrunk buffer throws. */
const dataViewLength = (value: object): number => {
  try {
    return dataLength(value)
  } catch (error) {
    return ifWrongType(error, 0)
  }
}

/** Whether it is a Uint8Array by its slots, as a Buffer is. Its properties may be anything. */
export const isUint8Array = (value: object): value is Uint8Array => typedTag(value) === "Uint8Array"

/** The `length` (more than 0) bytes of such an object, not copied. */
export const bytesOf = (value: object, brand: Brand, length: number): Uint8Array => {
  if (brand === ARRAY_BUFFER || brand === SHARED_ARRAY_BUFFER)
    return new Uint8Array(value as ArrayBufferLike, 0, length)
  return typedTag(value) === undefined
    ? new Uint8Array(dataBuffer(value), dataOffset(value), length)
    : new Uint8Array(bufferOf(value), typedOffset(value), length)
}

/**
 * The short name of a byte kind in canonical bytes (spec/canonical.md). Throws for a kind that the
 * specification lacks.
 */
export const byteKindOf = (value: object, brand: Brand): string => {
  if (brand === ARRAY_BUFFER) return "ab"
  if (brand === SHARED_ARRAY_BUFFER) return "sab"
  const tag = typedTag(value)
  switch (tag) {
    case undefined:
      return "dv"
    case "Uint8Array":
      return "u8"
    case "Uint8ClampedArray":
      return "u8c"
    case "Int8Array":
      return "i8"
    case "Uint16Array":
      return "u16"
    case "Int16Array":
      return "i16"
    case "Uint32Array":
      return "u32"
    case "Int32Array":
      return "i32"
    case "Float16Array":
      return "f16"
    case "Float32Array":
      return "f32"
    case "Float64Array":
      return "f64"
    case "BigInt64Array":
      return "i64"
    case "BigUint64Array":
      return "u64"
    default:
      throw new TypeError(`canonical bytes know no ${tag}`)
  }
}

const numberOf: Uncurried<number> = call.bind(Number.prototype.valueOf)
export const textOf: Uncurried<string> = call.bind(String.prototype.valueOf)
const booleanOf: Uncurried<boolean> = call.bind(Boolean.prototype.valueOf)
const bigintOf: Uncurried<bigint> = call.bind(BigInt.prototype.valueOf)
const symbolOf: Uncurried<symbol> = call.bind(Symbol.prototype.valueOf)

/** The value in an object that wraps one. Throws a TypeError for any other object. */
export const unboxed = (
  value: object,
  brand: typeof NUMBER | typeof STRING | typeof BOOLEAN | typeof BIGINT | typeof SYMBOL
): unknown => {
  switch (brand) {
    case NUMBER:
      return numberOf(value)
    case STRING:
      return textOf(value)
    case BOOLEAN:
      return booleanOf(value)
    case SYMBOL:
      return symbolOf(value)
    default:
      return bigintOf(value)
  }
}

export const regExpSource = getter<string>(RegExp.prototype, "source")
/** Each flag by its own getter: that of `flags` would ask the object's properties. */
const flags = ([
  ["d", "hasIndices"],
  ["g", "global"],
  ["i", "ignoreCase"],
  ["m", "multiline"],
  ["s", "dotAll"],
  ["u", "unicode"],
  ["v", "unicodeSets"],
  ["y", "sticky"]
] as const).map(([letter, name]) => ({ letter, isSet: getter<boolean>(RegExp.prototype, name) }))

/** The letters of the flags that a regular expression has, in alphabetical order. */
export const regExpFlags = (value: object): string => {
  let text = ""
  for (const { isSet, letter } of flags) if (isSet(value)) text += letter
  return text
}
