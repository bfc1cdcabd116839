/**
 * Questions about objects whose answers run no code of the object.
 *
 * The functions of the host are captured when this module is loaded, before a payload exists, so
 * that nothing a payload brings along can stand in for them.
 *
 * The brand of an object is told by its internal slots: `instanceof`, `Symbol.toStringTag` and
 * `constructor` belong to the payload, while a slot cannot be forged. ECMAScript shows most slots
 * only by a getter that throws for any other object, which costs about two microseconds. So the
 * object's prototype chain is looked at first: it says which slots are possible. Only an object
 * whose chain leaves this realm, or meets a Proxy, has every slot tried.
 *
 * **Gotchas**
 *
 * - An exotic object, unless it is a view, counts as an ordinary one where its prototype was
 *   replaced by null, by an `Object.prototype` (any prototype that has none itself), or by a short
 *   chain of this realm without its own class.
 * - Load this module before code that patches intrinsics.
 */
import type { Introspection } from "../../../host/port/Introspection.ts"

/** No class that canonical bytes know: an object of names and values. */
export const ORDINARY = 0
export const MAP = 1
export const SET = 2
export const DATE = 3
export const ARRAY_BUFFER = 4
export const SHARED_ARRAY_BUFFER = 5
export const VIEW = 6

export type Brand = 0 | 1 | 2 | 3 | 4 | 5 | 6

/** A function that takes as its first argument what it was a method or a getter of. */
type Uncurried<A> = (self: object) => A

export const { getOwnPropertyDescriptor, hasOwn, keys: ownKeys } = Object
export const { isArray } = Array
export const { isView } = ArrayBuffer
export const objectPrototype: object = Object.prototype
const getPrototypeOf: (value: object) => object | null = Object.getPrototypeOf
const call = Function.prototype.call

interface Legacy {
  readonly __lookupGetter__: (key: PropertyKey) => unknown
}
/** The getter that a property has, its own or inherited; undefined for a data property. */
export const lookupGetter: (self: object, key: PropertyKey) => unknown = call.bind(
  // Read as a property: under --frozen-intrinsics it is itself an accessor, whose descriptor has no
  // value.
  (objectPrototype as object & Legacy).__lookupGetter__
)

const mapPrototype: object = Map.prototype
const setPrototype: object = Set.prototype
const datePrototype: object = Date.prototype
const bufferPrototype: object = ArrayBuffer.prototype

const getter = <A>(prototype: object | null, key: PropertyKey): Uncurried<A> => {
  const get = getOwnPropertyDescriptor(prototype ?? {}, key)?.get
  if (get === undefined) throw new TypeError(`this host has no getter for ${String(key)}`)
  return call.bind(get)
}

const typedArrayPrototype = getPrototypeOf(Uint8Array.prototype)
/** Absent on pages that are not cross-origin isolated. */
const sharedPrototype: object | undefined = typeof SharedArrayBuffer === "undefined"
  ? undefined
  : SharedArrayBuffer.prototype

export const mapSize = getter<number>(Map.prototype, "size")
export const mapForEach: (self: object, each: (value: unknown, key: unknown) => void) => void = call.bind(
  Map.prototype.forEach
)
export const setSize = getter<number>(Set.prototype, "size")
export const setForEach: (self: object, each: (value: unknown) => void) => void = call.bind(Set.prototype.forEach)
export const dateTime: Uncurried<number> = call.bind(Date.prototype.getTime)

const bufferLength = getter<number>(ArrayBuffer.prototype, "byteLength")
const sharedLength: Uncurried<number> = sharedPrototype === undefined
  ? refuse
  : getter<number>(sharedPrototype, "byteLength")
const typedTag = getter<string | undefined>(typedArrayPrototype, Symbol.toStringTag)
const typedBuffer = getter<ArrayBufferLike>(typedArrayPrototype, "buffer")
const typedOffset = getter<number>(typedArrayPrototype, "byteOffset")
const typedLength = getter<number>(typedArrayPrototype, "byteLength")
const dataBuffer = getter<ArrayBufferLike>(DataView.prototype, "buffer")
const dataOffset = getter<number>(DataView.prototype, "byteOffset")
const dataLength = getter<number>(DataView.prototype, "byteLength")

/** Prototypes looked at before giving up on the chain; a longer one has every slot tried. */
const maxSteps = 16

/**
 * The brand of an object that is neither an Array nor a Proxy. Throws nothing on a host whose
 * isProxy is true.
 */
export const brandOf = (value: object, introspection: Introspection["Service"]): Brand => {
  if (isView(value)) return VIEW
  let prototype = getPrototypeOf(value)
  if (prototype === null || prototype === objectPrototype) return ORDINARY
  for (let step = 0; step < maxSteps; step++) {
    if (introspection.isProxy(prototype)) return tryAll(value)
    const brand = brandOfPrototype(prototype)
    if (brand !== ORDINARY && has(value, brand)) return brand
    const next = getPrototypeOf(prototype)
    if (next === objectPrototype) return ORDINARY
    if (next === null) return step === 0 ? ORDINARY : tryAll(value)
    prototype = next
  }
  return tryAll(value)
}

const brandOfPrototype = (prototype: object): Brand => {
  switch (prototype) {
    case mapPrototype:
      return MAP
    case setPrototype:
      return SET
    case datePrototype:
      return DATE
    case bufferPrototype:
      return ARRAY_BUFFER
    case sharedPrototype:
      return SHARED_ARRAY_BUFFER
    default:
      return ORDINARY
  }
}

const tryAll = (value: object): Brand => {
  for (const brand of [MAP, SET, DATE, ARRAY_BUFFER, SHARED_ARRAY_BUFFER] as const) if (has(value, brand)) return brand
  return ORDINARY
}

const has = (value: object, brand: Brand): boolean => {
  try {
    switch (brand) {
      case MAP:
        mapSize(value)
        return true
      case SET:
        setSize(value)
        return true
      case DATE:
        dateTime(value)
        return true
      case ARRAY_BUFFER:
        bufferLength(value)
        return true
      case SHARED_ARRAY_BUFFER:
        sharedLength(value)
        return true
      default:
        return false
    }
  } catch (error) {
    return ifWrongType(error, false)
  }
}

/**
 * A getter answers a missing slot with a TypeError. Anything else (a stack that is used up) says
 * nothing about the slot.
 */
const ifWrongType = <A>(error: unknown, answer: A): A => {
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

/** Whether the memory of a view is shared with other threads, whatever its prototypes say. */
export const isShared = (buffer: ArrayBufferLike): boolean => !has(buffer, ARRAY_BUFFER)

/** Whether it is a Uint8Array by its slots, as a Buffer is. Its properties may be anything. */
export const isUint8Array = (value: object): value is Uint8Array => typedTag(value) === "Uint8Array"

/** The `length` (more than 0) bytes of such an object, not copied. */
export const bytesOf = (value: object, brand: Brand, length: number): Uint8Array => {
  if (brand === ARRAY_BUFFER || brand === SHARED_ARRAY_BUFFER)
    return new Uint8Array(value as ArrayBufferLike, 0, length)
  return typedTag(value) === undefined
    ? new Uint8Array(dataBuffer(value), dataOffset(value), length)
    : new Uint8Array(typedBuffer(value), typedOffset(value), length)
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
