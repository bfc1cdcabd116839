/**
 * Hostile payloads: every kind of value that JavaScript has and JSON has not, with tripwires
 * wherever the value could run code (accessors, Proxy traps, toJSON, conversions, iterators).
 *
 * A generated value is a recipe. Its `make` makes a new payload each time, so that a property may
 * detach, freeze or change it; its `name` describes the payload in a failure, because the payload
 * itself cannot be printed.
 *
 * **Gotchas**
 *
 * - A tripwire first calls `touched` with its name and then throws: `touched` finds it even if the
 *   code under test swallows the exception.
 * - Inspecting a payload triggers its tripwires: pass it on, and do not print, compare or clone it.
 * - Some payloads contain themselves: code that walks them without a limit never returns.
 */
import * as Arbitrary from "effect/Arbitrary"
import { choice, pick, struct } from "./building.ts"
import { json } from "./json.ts"

/** Called with the name of each tripwire that is triggered. */
export type Touched = (wire: string) => void

/** A recipe for a hostile payload. */
export interface Hostile {
  readonly name: string
  /** Makes a new payload. Without `touched`, its tripwires only throw. */
  readonly make: (touched?: Touched) => unknown
}

export interface Making {
  /** Another payload, to be put inside this one. */
  readonly inner: unknown
  /** A tripwire: a function that reports its name and throws. */
  readonly wire: (name: string) => () => never
  /** A Proxy whose traps are all tripwires. */
  readonly proxy: <T extends object>(target: T) => T
}

export const proxyTraps: ReadonlyArray<keyof ProxyHandler<object>> = [
  "apply",
  "construct",
  "defineProperty",
  "deleteProperty",
  "get",
  "getOwnPropertyDescriptor",
  "getPrototypeOf",
  "has",
  "isExtensible",
  "ownKeys",
  "preventExtensions",
  "set",
  "setPrototypeOf"
]

/** The tools to make a payload of which each tripwire calls `touched`. */
export const making = (inner: unknown, touched: Touched): Making => {
  const wire = (name: string) => (): never => {
    touched(name)
    throw new Error(`${name} ran`)
  }
  const handler = Object.fromEntries(proxyTraps.map((trap) => [trap, wire(`proxy.${trap}`)]))
  return { inner, wire, proxy: (target) => new Proxy(target, handler) }
}

// Defined, not assigned: with frozen intrinsics, assigning over an inherited property throws.
const define = <T extends object>(object: T, key: PropertyKey, property: PropertyDescriptor): T =>
  Object.defineProperty(object, key, { configurable: true, enumerable: true, ...property })
const put = <T extends object>(object: T, key: PropertyKey, value: unknown): T =>
  define(object, key, { value, writable: true })
const accessor = <T extends object>(object: T, key: PropertyKey, get: () => unknown): T => define(object, key, { get })

const revoked = <T extends object>(target: T): T => {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

const detached = (view: (buffer: ArrayBuffer) => unknown): unknown => {
  const buffer = new ArrayBuffer(16)
  const value = view(buffer)
  buffer.transfer()
  return value
}

const shrunk = (view: (buffer: ArrayBuffer) => unknown): unknown => {
  const buffer = new ArrayBuffer(16, { maxByteLength: 32 })
  const value = view(buffer)
  buffer.resize(4)
  return value
}

const tied = <T extends object>(value: T, tie: (value: T) => void): T => {
  tie(value)
  return value
}

const nest = (depth: number, inner: unknown): unknown => {
  let value = inner
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

class Instance {
  readonly #secret: number
  readonly field: unknown
  constructor(field: unknown) {
    this.#secret = 1
    this.field = field
  }
  get computed(): number {
    return this.#secret
  }
}

/** An ArrayBuffer of `size` bytes that count up. */
const filled = <B extends ArrayBufferLike>(buffer: B): B => {
  new Uint8Array(buffer).forEach((_, i, bytes) => (bytes[i] = i % 251))
  return buffer
}

const under = <T extends object>(value: T, prototype: object | null): T => Object.setPrototypeOf(value, prototype) as T

const bufferMethods = ["slice", "constructor", "transfer", "resize", "byteLength", "detached", Symbol.species]
const viewMethods = ["slice", "subarray", "set", "fill", "constructor", "buffer", "length", "byteLength", "byteOffset"]

/** Every one of these properties runs a wire when it is looked up, and so does what it gives. */
const armed = <T extends object>(value: T, keys: ReadonlyArray<PropertyKey>, { wire }: Making): T =>
  keys.reduce((all, key) => accessor(all, key, wire(`own ${String(key)}`)), value)

/**
 * Bytes of any size that stand on a class, a buffer or a prototype of their own: all that somebody
 * may ask them who asks a property and not a slot.
 */
export const rawKinds: Readonly<Record<string, (making: Making, size: number) => object>> = {
  "bytes over a buffer with a species": ({ wire }, size) => {
    class Buffer extends ArrayBuffer {}
    accessor(Buffer, Symbol.species, wire("species"))
    return new Uint8Array(filled(new Buffer(size)))
  },
  "bytes over a buffer of a class with methods": (making, size) => {
    class Buffer extends ArrayBuffer {}
    armed(Buffer.prototype, bufferMethods, making)
    return new Uint8Array(filled(new Buffer(size)))
  },
  "bytes over a buffer that gives itself away": (_, size) => {
    const buffer = filled(new ArrayBuffer(size))
    return new Uint8Array(put(buffer, "slice", () => buffer))
  },
  "bytes over a buffer whose copies are no buffers": (_, size) =>
    new Uint8Array(put(filled(new ArrayBuffer(size)), "slice", () => ({}))),
  "bytes over a buffer with methods of its own": (making, size) =>
    new Uint8Array(armed(filled(new ArrayBuffer(size)), bufferMethods, making)),
  "bytes over a buffer whose prototype is a proxy": ({ proxy }, size) =>
    new Uint8Array(under(filled(new ArrayBuffer(size)), proxy({}))),
  "bytes over a buffer without a prototype": (_, size) => new Uint8Array(under(filled(new ArrayBuffer(size)), null)),
  "bytes over a buffer that says it is shared": (_, size) =>
    new Uint8Array(under(filled(new ArrayBuffer(size)), SharedArrayBuffer.prototype)),
  "bytes over shared memory that says it is not": (_, size) =>
    new Uint8Array(under(filled(new SharedArrayBuffer(size)), ArrayBuffer.prototype)),
  "bytes over shared memory whose prototype is a proxy": ({ proxy }, size) =>
    new Uint8Array(under(filled(new SharedArrayBuffer(size)), proxy({}))),
  "bytes of a class with a species": ({ wire }, size) => {
    class Bytes extends Uint8Array {}
    accessor(Bytes, Symbol.species, wire("species"))
    return new Bytes(filled(new ArrayBuffer(size)))
  },
  "bytes with methods of their own": (making, size) =>
    armed(new Uint8Array(filled(new ArrayBuffer(size))), viewMethods, making),
  "bytes whose prototype is a proxy": ({ proxy }, size) =>
    under(new Uint8Array(filled(new ArrayBuffer(size))), proxy({})),
  "bytes that say they are a Map": (_, size) => under(new Uint8Array(filled(new ArrayBuffer(size))), Map.prototype),
  "a DataView with methods of its own": (making, size) =>
    armed(new DataView(filled(new ArrayBuffer(size))), viewMethods, making),
  "bytes in the middle of a buffer with a species": ({ wire }, size) => {
    class Buffer extends ArrayBuffer {}
    accessor(Buffer, Symbol.species, wire("species"))
    return new Uint8Array(filled(new Buffer(size + 16)), 8, size)
  },
  "a buffer of a class with a species": ({ wire }, size) => {
    class Buffer extends ArrayBuffer {}
    accessor(Buffer, Symbol.species, wire("species"))
    return filled(new Buffer(size))
  },
  "a buffer with a slice of its own": (making, size) =>
    armed(filled(new ArrayBuffer(size)), ["slice", Symbol.species], making),
  "a buffer that can grow, with methods of its own": (making, size) =>
    armed(filled(new ArrayBuffer(size, { maxByteLength: 2 * size })), bufferMethods, making)
}

/** On both sides of what is copied at once, and of what lives in the arena. */
const rawSizes = [33_000, 70_000]

const largeKinds: Readonly<Record<string, (making: Making) => unknown>> = Object.fromEntries(
  Object.entries(rawKinds).flatMap(([name, make]) =>
    rawSizes.map((size) => [`${name}, of ${size} bytes`, (making: Making) => make(making, size)])
  )
)

const kinds: Readonly<Record<string, (making: Making) => unknown>> = {
  ...largeKinds,
  undefined: () => undefined,
  NaN: () => Number.NaN,
  "an infinity": () => Number.NEGATIVE_INFINITY,
  "negative zero": () => -0,
  "a bigint": () => -(1n << 1030n),
  "a symbol": () => Symbol("s"),
  "a well-known symbol": () => Symbol.asyncIterator,
  "half a pair": () => "\ud800",
  "a function": ({ wire }) => wire("function"),
  "a class": () => Instance,
  "an accessor that throws": ({ wire }) => accessor({}, "a", wire("getter")),
  "a setter alone": ({ wire }) => define({}, "a", { set: wire("setter") }),
  "an element that is an accessor": ({ inner, wire }) => accessor([inner, inner], 0, wire("element")),
  "an accessor under a symbol": ({ wire }) => accessor({ a: 1 }, Symbol("s"), wire("symbol getter")),
  "an inherited accessor": ({ wire }) => Object.create(accessor({}, "a", wire("inherited getter"))) as unknown,
  "toJSON and conversions of its own": ({ wire }) =>
    ["toJSON", "toString", "valueOf", Symbol.toPrimitive, Symbol.iterator].reduce(
      (object, key) => put(object, key, wire(String(key))),
      {}
    ),
  "a tag that is an accessor": ({ wire }) => accessor({ a: 1 }, Symbol.toStringTag, wire("tag")),
  "a thenable": ({ wire }) => accessor({}, "then", wire("then")),
  "a proxy of an object": ({ proxy }) => proxy({ a: 1 }),
  "a proxy of an array": ({ proxy }) => proxy([1]),
  "a proxy of a function": ({ proxy }) => proxy(() => 1),
  "a proxy of a Map": ({ proxy }) => proxy(new Map()),
  "a revoked proxy": () => revoked({}),
  "a revoked proxy of an array": () => revoked([]),
  "a proxy as prototype": ({ proxy }) => Object.create(proxy({})) as unknown,
  "an own __proto__": ({ inner }) => put({}, "__proto__", inner),
  "a parsed __proto__": () =>
    JSON.parse("{\"__proto__\":{\"a\":1},\"constructor\":{\"prototype\":{\"b\":2}}}") as unknown,
  "a null prototype": ({ inner }) => put(Object.create(null) as object, "a", inner),
  "an instance": ({ inner }) => new Instance(inner),
  "a frozen object": ({ inner }) => Object.freeze({ a: inner }),
  "an array": ({ inner }) => [inner],
  "an object": ({ inner }) => ({ a: inner }),
  "an array with holes": ({ inner }) => tied([inner], (array) => (array.length = 4)),
  "an array of a length without elements": () => tied([], (array) => (array.length = 100_000)),
  "an array with a null prototype": ({ inner }) => Object.setPrototypeOf([inner], null) as unknown,
  "an array with an iterator of its own": ({ inner, wire }) => put([inner], Symbol.iterator, wire("iterator")),
  "an object that holds itself": ({ inner }) => tied({ inner }, (object) => put(object, "self", object)),
  "an array that holds itself": ({ inner }) => tied([inner], (array) => array.push(array)),
  "a Map that holds itself": ({ inner }) => tied(new Map<unknown, unknown>([[1, inner]]), (map) => map.set(map, map)),
  "a Set that holds itself": ({ inner }) => tied(new Set([inner]), (set) => set.add(set)),
  "one value in two places": ({ inner }) => [inner, { inner }, inner],
  "a nest of 5000 arrays": ({ inner }) => nest(5_000, inner),
  "an object of 5000 keys": () => Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`key${i}`, i])),
  "keys that look like indices": ({ inner }) => ({ 10: 1, 9: inner, "-1": 2, "01": 3, 4294967295: 4 }),
  "a key with half a pair": ({ inner }) => ({ "\ud800": inner, "\ud83d\ude00": 1, "\udead": 2 }),
  "a boxed number": () => Object(1) as unknown,
  "a boxed string": () => Object("ab") as unknown,
  "a boxed bigint": () => Object(1n) as unknown,
  "a boxed symbol": () => Object(Symbol("s")) as unknown,
  "an invalid date": () => new Date(Number.NaN),
  "a date with methods of its own": ({ wire }) =>
    put(put(new Date(5), "getTime", wire("getTime")), "toISOString", wire("toISOString")),
  "a Map": ({ inner }) => new Map([[inner, inner]]),
  "a Set": ({ inner }) => new Set([inner]),
  "a Map with methods of its own": ({ inner, wire }) =>
    put(put(new Map([[1, inner]]), "forEach", wire("forEach")), Symbol.iterator, wire("Map iterator")),
  "a Map that hides it": () => Object.setPrototypeOf(new Map([[1, 2]]), null) as unknown,
  "an object that pretends to be a Map": () => Object.create(Map.prototype) as unknown,
  "an object that pretends to be bytes": () => put(Object.create(Uint8Array.prototype) as object, 0, 1),
  "bytes with a length of their own": ({ wire }) => accessor(new Uint8Array(4), "length", wire("length")),
  "bytes that hide it": () => Object.setPrototypeOf(Uint8Array.of(1, 2), null) as unknown,
  "numbers in a typed array": () => Float64Array.of(Number.NaN, -0),
  "shared memory": () => new SharedArrayBuffer(4),
  "a view of shared memory": () => new Int32Array(new SharedArrayBuffer(8)),
  "a resizable buffer": () => new ArrayBuffer(4, { maxByteLength: 8 }),
  "a view that follows its buffer": () => shrunk((buffer) => new Uint8Array(buffer)),
  "a view out of bounds": () => shrunk((buffer) => new Uint8Array(buffer, 2, 8)),
  "a detached buffer": () => detached((buffer) => buffer),
  "a detached view": () => detached((buffer) => new Float64Array(buffer)),
  "a detached DataView": () => detached((buffer) => new DataView(buffer)),
  "a WeakMap": () => new WeakMap([[{}, 1]]),
  "a WeakRef": () => new WeakRef({}),
  "a promise": () => Promise.resolve(1),
  "a generator": () =>
    (function*() {
      yield 1
    })(),
  "an error": ({ inner }) => new Error("x", { cause: inner }),
  "an error whose name is an accessor": ({ wire }) => accessor(new Error("x"), "name", wire("name")),
  "an error under a proxy": ({ proxy }) => under(new Error("x"), proxy({})),
  "a regular expression": () => /x/g,
  "a regular expression with properties of its own": (tools) =>
    armed(/x/g, ["flags", "source", "global", "exec", Symbol.toPrimitive], tools),
  "a boxed string with properties of its own": (tools) =>
    armed(Object("ab") as object, ["valueOf", "toString", Symbol.iterator], tools),
  "a boxed string that hides it": () => under(Object("ab") as object, null),
  "a boxed string under a proxy": ({ proxy }) => under(Object("ab") as object, proxy({})),
  "a URL": () => new URL("http://h/?q=<script>"),
  "a URL with properties of its own": (tools) => armed(new URL("http://h/"), ["href", "search", "toString"], tools),
  "a URL whose search parameters have properties of their own": (tools) => {
    const url = new URL("http://h/?a=1")
    url.searchParams.append("b", "2")
    armed(url.searchParams, ["toString", "size", "forEach", Symbol.iterator], tools)
    return url
  },
  "search parameters": () => new URLSearchParams("a=1&a=2"),
  headers: () => new Headers({ cookie: "a=' OR 1=1" }),
  "headers with properties of their own": (tools) =>
    armed(new Headers({ a: "1" }), ["forEach", "entries", "get", Symbol.iterator], tools),
  "a form": () => tied(new FormData(), (form) => form.set("q", "<script>")),
  "an object that pretends to be a URL": () => Object.create(URL.prototype) as unknown,
  "a tag that is data": ({ inner }) => put({ inner }, Symbol.toStringTag, "FormData"),
  "a prototype with a tag": () => Object.create(put({}, Symbol.toStringTag, "FormData")) as unknown,
  "an instance of a realm of its own": ({ inner }) =>
    put(Object.create(Object.create(Object.create(null) as object) as object) as object, "a", inner),
  "many instances of a realm of their own": () => {
    const prototype = Object.create(Object.create(Object.create(null) as object) as object) as object
    return Array.from({ length: 300 }, () => Object.create(prototype) as unknown)
  },
  "objects of two shapes in turn": () => Array.from({ length: 600 }, (_, i) => i % 2 === 0 ? { axc: 0 } : { ayc: 0 }),
  "objects of many shapes, each twice": () => Array.from({ length: 600 }, (_, i) => ({ [`k${i >> 1}`]: 0 }))
}

/** The names of all kinds of payloads. */
export const hostileKinds: ReadonlyArray<string> = Object.keys(kinds)

const names = pick(hostileKinds as [string, ...Array<string>])

const plain: Arbitrary.Arbitrary<Hostile> = Arbitrary.map(json(1), (value) => ({ name: "JSON", make: () => value }))

/** A kind with JSON inside, or with another recipe of less depth. */
const recipe = (depth: number): Arbitrary.Arbitrary<Hostile> =>
  Arbitrary.map(
    struct({ kind: names, inner: depth === 1 ? plain : choice([2, plain], [1, recipe(depth - 1)]) }),
    ({ inner, kind }) => ({
      name: inner.name === "JSON" ? kind : `${kind} (${inner.name})`,
      make: (touched = () => undefined) => kinds[kind]?.(making(inner.make(touched), touched))
    })
  )

/**
 * All kinds, nested up to three deep: `a Map (a revoked proxy)` has a revoked proxy inside a Map.
 */
export const hostile: Arbitrary.Arbitrary<Hostile> = recipe(3)

/** A payload without its recipe: its tripwires only throw. */
export const hostilePayload: Arbitrary.Arbitrary<unknown> = Arbitrary.map(hostile, ({ make }) => make())
