/**
 * A second, slow implementation of spec/canonical.md, which uses no code of the runtime: the
 * canonical bytes of a payload (`spell`, from the section "Grammar"), and whether two payloads are
 * equal (`areEqual`, from the section "Equalities").
 *
 * **Gotchas**
 *
 * - It has no limits: use it for payloads that are small and have no cycle.
 */
import { types } from "node:util"

type Bytes = ArrayBufferView | ArrayBufferLike

/** The kind of an object by spec/canonical.md, "Telling what an object is". */
type Sort =
  | "proxy"
  | "array"
  | "map"
  | "set"
  | "date"
  | "bytes"
  | "boxed"
  | "regexp"
  | "error"
  | "platform"
  | "unreadable"
  | "object"

/** The most prototypes that are examined. */
const maxPrototypes = 16

/** Whether an object's chain of prototypes cannot be that of its class: then it hides the class. */
const hides = (value: object, own: object): boolean => {
  const first: unknown = Object.getPrototypeOf(value)
  if (first === null) return true
  if (types.isProxy(first)) return false
  if (Object.getPrototypeOf(first) === null) return true
  let last = first
  let seen = 0
  for (let next: unknown = first; next !== null; next = Object.getPrototypeOf(next)) {
    if (next === own || types.isProxy(next)) return false
    if (next !== Object.prototype && ++seen > maxPrototypes) return false
    last = next
  }
  return last === Object.prototype
}

/** Reads the internal slots, and then asks whether the class is hidden. */
export const sortOf = (value: object): Sort => {
  if (types.isProxy(value)) return "proxy"
  if (Array.isArray(value)) return "array"
  if (types.isMap(value)) return hides(value, Map.prototype) ? "object" : "map"
  if (types.isSet(value)) return hides(value, Set.prototype) ? "object" : "set"
  if (types.isDate(value)) return hides(value, Date.prototype) ? "object" : "date"
  if (ArrayBuffer.isView(value)) return "bytes"
  const own = classOfBytes(value)
  if (own !== undefined && !hides(value, own.prototype)) return "bytes"
  if (types.isStringObject(value)) return "boxed"
  const box = boxes.find(([is]) => is(value))
  if (box !== undefined && !hides(value, box[1].prototype)) return "boxed"
  if (types.isRegExp(value) && !hides(value, RegExp.prototype)) return "regexp"
  const tag = tagOf(value)
  if (types.isNativeError(value) && !hides(value, Error.prototype)) return tag === undefined ? "error" : "unreadable"
  if (platformText(value) !== undefined) return "platform"
  return tag === undefined ? "object" : "unreadable"
}

const boxes: ReadonlyArray<readonly [(value: unknown) => boolean, { readonly prototype: object }]> = [
  [types.isNumberObject, Number],
  [types.isBooleanObject, Boolean],
  [types.isBigIntObject, BigInt],
  [types.isSymbolObject, Symbol]
]

/** Whether the intrinsics are frozen in this process. */
const isHardened = Object.isFrozen(Error.prototype)

/** Tags of classes that are known by their slots. */
const known = ["Map", "Set", "ArrayBuffer", "SharedArrayBuffer", "DataView", "BigInt", "Symbol"]

/** The first tag that a prototype declares as plain data, up to a Proxy. */
const tagOf = (value: object): string | undefined => {
  let at: object | null = Object.getPrototypeOf(value)
  if (at === null || Object.getPrototypeOf(value) === Object.prototype) return undefined
  if (!types.isProxy(at) && Object.getPrototypeOf(at) === null) return undefined
  for (let seen = 0; at !== null && !types.isProxy(at) && seen < maxPrototypes; seen++) {
    // Frozen intrinsics have accessors in place of data.
    const own = Object.getOwnPropertyDescriptor(at, Symbol.toStringTag)
    const tag: unknown = own !== undefined && isHardened && Object.isFrozen(at)
      ? Reflect.get(at, Symbol.toStringTag)
      : own?.value
    if (typeof tag === "string" && !known.includes(tag)) return tag
    at = Object.getPrototypeOf(at)
  }
  return undefined
}

const pairs = (entries: Iterable<readonly [string, string]>): string =>
  [...entries].map(([name, text]) => `[${JSON.stringify(name)},${JSON.stringify(text)}]`).join(",")

/** The canonical bytes of an object of the platform on which nothing was hung. */
const platformText = (value: object): string | undefined => {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (Reflect.ownKeys(value).length > 0) return undefined
  try {
    switch (prototype) {
      case URL.prototype:
        return `!l${JSON.stringify((value as URL).href)}`
      case URLSearchParams.prototype:
        return `!q[${pairs(value as URLSearchParams)}]`
      case Headers.prototype:
        return `!h[${pairs(value as Headers)}]`
      default:
        return undefined
    }
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

const byteClasses: ReadonlyArray<readonly [string, (value: unknown) => boolean, { readonly prototype: object }]> = [
  ["u8", types.isUint8Array, Uint8Array],
  ["u8c", types.isUint8ClampedArray, Uint8ClampedArray],
  ["i8", types.isInt8Array, Int8Array],
  ["u16", types.isUint16Array, Uint16Array],
  ["i16", types.isInt16Array, Int16Array],
  ["u32", types.isUint32Array, Uint32Array],
  ["i32", types.isInt32Array, Int32Array],
  ["f32", types.isFloat32Array, Float32Array],
  ["f64", types.isFloat64Array, Float64Array],
  ["i64", types.isBigInt64Array, BigInt64Array],
  ["u64", types.isBigUint64Array, BigUint64Array],
  ["dv", types.isDataView, DataView],
  ["ab", types.isArrayBuffer, ArrayBuffer],
  ["sab", types.isSharedArrayBuffer, SharedArrayBuffer],
  // Last: an object is plain when it is none of the others.
  ["f16", types.isTypedArray, Reflect.get(globalThis, "Float16Array") ?? Float64Array]
]

const entryOfBytes = (value: unknown) => byteClasses.find(([, is]) => is(value))
const kindOfBytes = (value: unknown): string => entryOfBytes(value)?.[0] ?? ""
const classOfBytes = (value: unknown): { readonly prototype: object } | undefined => entryOfBytes(value)?.[2]

const viewPrototype: object = Object.getPrototypeOf(Uint8Array.prototype)
const { get: bufferOf } = Object.getOwnPropertyDescriptor(viewPrototype, "buffer") ?? {}
const { get: offsetOf } = Object.getOwnPropertyDescriptor(viewPrototype, "byteOffset") ?? {}
const { get: lengthOf } = Object.getOwnPropertyDescriptor(viewPrototype, "byteLength") ?? {}

const dataViewGetters = Object.getOwnPropertyDescriptors(DataView.prototype)

/** The bytes of a view, or of a whole buffer; none where it is detached or out of bounds. */
const viewOf = (value: Bytes): Uint8Array => {
  try {
    if (types.isDataView(value)) {
      const { buffer, byteLength, byteOffset } = dataViewGetters
      return new Uint8Array(
        buffer.get?.call(value) as ArrayBuffer,
        Number(byteOffset.get?.call(value)),
        Number(byteLength.get?.call(value))
      )
    }
    if (!types.isTypedArray(value)) return new Uint8Array(value as ArrayBufferLike)
    const length = Number(lengthOf?.call(value))
    return length === 0
      ? new Uint8Array(0)
      : new Uint8Array(bufferOf?.call(value), Number(offsetOf?.call(value)), length)
  } catch (error) {
    // A detached buffer, or a view that is out of bounds, throws here.
    if (error instanceof TypeError || error instanceof RangeError) return new Uint8Array(0)
    throw error
  }
}

/** A copy in memory of its own, outside of Buffer's pool. */
const bytesOf = (value: Bytes): Buffer => Buffer.from(Uint8Array.from(viewOf(value)).buffer)

/** A copy of the bytes of a buffer or view, whatever its own properties say. */
export const memoryOf = (value: object): Buffer => bytesOf(value as Bytes)

/** Overwrites the memory that a buffer or view covers, where the memory is not shared. */
export const scribble = (value: object): void => {
  const memory = viewOf(value as Bytes)
  if (!types.isSharedArrayBuffer(memory.buffer)) memory.fill(0xee)
}

/** Generalised UTF-8: a lone surrogate takes three bytes as well. */
const wtf8 = (text: string): Buffer =>
  Buffer.concat(Array.from(text, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code >= 0xd800 && code <= 0xdfff
      ? Buffer.from([0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)])
      : Buffer.from(character)
  }))

/** Whether the payload's own bytes are its canonical bytes. */
export const isRaw = (payload: unknown): payload is string | Bytes =>
  typeof payload === "string" || (typeof payload === "object" && payload !== null && sortOf(payload) === "bytes")

const isAccessor = (property: PropertyDescriptor | undefined): boolean =>
  property !== undefined && !Object.hasOwn(property, "value")

const number = (value: number): string =>
  Number.isNaN(value)
    ? "!NaN"
    : Object.is(value, -0)
    ? "!-0"
    : Number.isFinite(value)
    ? String(value)
    : value > 0
    ? "!Infinity"
    : "!-Infinity"

const inOrder = (spelt: ReadonlyArray<string>): string =>
  spelt.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).join(",")

const spellProperty = (object: object, key: PropertyKey): string => {
  const property = Object.getOwnPropertyDescriptor(object, key)
  return isAccessor(property) ? "!g" : spellValue(property?.value)
}

const spellMembers = (value: object, keys: ReadonlyArray<string>): string =>
  `{${keys.toSorted().map((key) => `${JSON.stringify(key)}:${spellProperty(value, key)}`).join(",")}}`

const errorKeys = (value: object): ReadonlyArray<string> =>
  Object.getOwnPropertyNames(value).filter((key) => key !== "stack")

/** The object, or the prototype of it, that has its name; null where none has. */
const namedBy = (value: object): object | null => {
  for (let at: object | null = value; at !== null && !types.isProxy(at); at = Object.getPrototypeOf(at))
    if (Object.hasOwn(at, "name")) return at
  return null
}

const spellName = (value: object): string => {
  const holder = namedBy(value)
  if (holder !== null && isHardened && Object.isFrozen(holder)) return spellValue(Reflect.get(holder, "name"))
  return holder === null ? "!u" : spellProperty(holder, "name")
}

const unboxed = (value: object): unknown =>
  types.isStringObject(value)
    ? String.prototype.valueOf.call(value)
    : types.isNumberObject(value)
    ? Number.prototype.valueOf.call(value)
    : types.isBooleanObject(value)
    ? Boolean.prototype.valueOf.call(value)
    : types.isBigIntObject(value)
    ? BigInt.prototype.valueOf.call(value)
    : Symbol.prototype.valueOf.call(value)

const spellObject = (value: object): string => {
  switch (sortOf(value)) {
    case "proxy":
      return "!p"
    case "array":
      return `[${
        Array.from({ length: (value as Array<unknown>).length }, (_, i) => spellProperty(value, i)).join(",")
      }]`
    case "map": {
      const pairs = [...Map.prototype.entries.call(value as Map<unknown, unknown>)]
      return `!m[${inOrder(pairs.map(([key, item]) => `[${spellValue(key)},${spellValue(item)}]`))}]`
    }
    case "set":
      return `!s[${inOrder([...Set.prototype.values.call(value as Set<unknown>)].map(spellValue))}]`
    case "date": {
      const time = Date.prototype.getTime.call(value as Date)
      return `!d${Number.isNaN(time) ? "NaN" : time.toFixed(0)}`
    }
    case "bytes":
      return `!b${kindOfBytes(value)}:${bytesOf(value as Bytes).toString("hex")}`
    case "boxed":
      return `!v${spellValue(unboxed(value))}`
    case "regexp": {
      const { flags, source } = new RegExp(value as RegExp)
      return `!r${JSON.stringify(source)}${flags}`
    }
    case "error":
      return `!e${spellName(value)}${spellMembers(value, errorKeys(value))}`
    case "platform":
      return platformText(value) ?? ""
    case "unreadable":
      return `!o${JSON.stringify(tagOf(value))}${"0".repeat(32)}${spellMembers(value, Object.keys(value))}`
    case "object":
      return spellMembers(value, Object.keys(value))
  }
}

/** A value as the grammar writes it. */
const spellValue = (value: unknown): string => {
  switch (typeof value) {
    case "undefined":
      return "!u"
    case "boolean":
      return String(value)
    case "number":
      return number(value)
    case "string":
      return JSON.stringify(value)
    case "bigint":
      return `!n${value.toString(16)}`
    case "symbol":
      return "!y"
    case "function":
      return types.isProxy(value) ? "!p" : "!f"
    case "object":
      return value === null ? "null" : spellObject(value)
  }
}

/** The canonical bytes of a payload. */
export const spell = (payload: unknown): Buffer =>
  isRaw(payload)
    ? typeof payload === "string" ? wtf8(payload) : bytesOf(payload)
    : Buffer.from(spellValue(payload))

const alternative = (value: unknown): string => {
  if (typeof value === "function") return types.isProxy(value) ? "proxy" : "function"
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value
  const sort = sortOf(value)
  return sort === "bytes" ? `bytes ${kindOfBytes(value)}` : sort
}

const sameProperty = (a: object, b: object, key: PropertyKey): boolean => {
  const [left, right] = [Object.getOwnPropertyDescriptor(a, key), Object.getOwnPropertyDescriptor(b, key)]
  return isAccessor(left) || isAccessor(right)
    ? isAccessor(left) && isAccessor(right)
    : sameValue(left?.value, right?.value)
}

/**
 * Whether the members of one can be paired with equal members of the other. Equality is transitive,
 * so pairing each with the first that is equal is enough.
 */
const sameEntries = (
  a: Iterable<ReadonlyArray<unknown>>,
  b: Iterable<ReadonlyArray<unknown>>
): boolean => {
  const rest = [...b]
  for (const entry of a) {
    const index = rest.findIndex((other) => entry.every((part, i) => sameValue(part, other[i])))
    if (index < 0) return false
    rest.splice(index, 1)
  }
  return rest.length === 0
}

/** Rule 3 of "Equalities". */
const sameValue = (a: unknown, b: unknown): boolean => {
  const kind = alternative(a)
  if (kind !== alternative(b)) return false
  switch (kind) {
    case "proxy":
    case "function":
    case "symbol":
      return true
    case "array": {
      const [left, right] = [a as Array<unknown>, b as Array<unknown>]
      return left.length === right.length &&
        Array.from({ length: left.length }, (_, index) => index).every((index) => sameProperty(left, right, index))
    }
    case "map":
      return sameEntries(
        Map.prototype.entries.call(a as Map<unknown, unknown>),
        Map.prototype.entries.call(b as Map<unknown, unknown>)
      )
    case "set":
      return sameEntries(
        [...Set.prototype.values.call(a as Set<unknown>)].map((item) => [item]),
        [...Set.prototype.values.call(b as Set<unknown>)].map((item) => [item])
      )
    case "date":
      return Object.is(Date.prototype.getTime.call(a as Date), Date.prototype.getTime.call(b as Date))
    case "unreadable":
      return false
    case "boxed":
      return sameValue(unboxed(a as object), unboxed(b as object))
    case "regexp":
    case "platform":
      return spellValue(a) === spellValue(b)
    case "error": {
      const [left, right] = [a as object, b as object]
      const keys = errorKeys(left)
      return spellName(left) === spellName(right) && keys.length === errorKeys(right).length &&
        keys.every((key) => Object.hasOwn(right, key) && sameProperty(left, right, key))
    }
    case "object": {
      const [left, right] = [a as object, b as object]
      const keys = Object.keys(left)
      return keys.length === Object.keys(right).length &&
        keys.every((key) => Object.prototype.propertyIsEnumerable.call(right, key) && sameProperty(left, right, key))
    }
    default:
      return kind.startsWith("bytes") ? bytesOf(a as Bytes).equals(bytesOf(b as Bytes)) : Object.is(a, b)
  }
}

/** Whether something in a payload cannot be read: its nonce is all zeros here. */
export const isUnreadable = (spelt: Buffer): boolean => nonces.test(spelt.toString("latin1"))

/** Canonical bytes with zeros in place of each nonce. */
export const withoutNonces = (bytes: Uint8Array): Buffer =>
  Buffer.from(Buffer.from(bytes).toString("latin1").replaceAll(everyNonce, `$1${"0".repeat(32)}{`), "latin1")

const nonces = /!o"(?:[^"\\]|\\.)*"0{32}\{/
const everyNonce = /(!o"(?:[^"\\]|\\.)*")[0-9a-f]{32}\{/g

/** Whether spec/canonical.md declares two payloads equal: rules 1, 2 and 3. */
export const areEqual = (a: unknown, b: unknown): boolean => {
  if (!isRaw(a) && !isRaw(b)) return sameValue(a, b)
  const [left, right] = [spell(a), spell(b)]
  // No text spells a nonce that was given to something else.
  return left.equals(right) && (isRaw(a) || !isUnreadable(left)) && (isRaw(b) || !isUnreadable(right))
}
