/**
 * Makes every kind of value that JavaScript has, with tripwires inside: the worst that a payload
 * may be. A seed chooses, so that a failure can be repeated.
 */
import vm from "node:vm"
import { randomPayload } from "../intake/gate/payloads.ts"
import type { Random } from "../support/random.ts"
import * as wiresModule from "./wires.ts"

/** The tools to make a value of a kind. `inner` gives another value, one level down. */
interface Making {
  readonly random: Random
  readonly wires: wiresModule.Wires
  readonly inner: () => unknown
}

type Kind = (making: Making) => unknown

const define = (object: object, key: PropertyKey, property: PropertyDescriptor): object =>
  Object.defineProperty(object, key, { configurable: true, enumerable: true, ...property })

const revoked = <T extends object>(target: T): T => {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

const shrunk = (make: (buffer: ArrayBuffer) => unknown): unknown => {
  const buffer = new ArrayBuffer(16, { maxByteLength: 32 })
  const value = make(buffer)
  buffer.resize(4)
  return value
}

const detached = (make: (buffer: ArrayBuffer) => unknown): unknown => {
  const buffer = new ArrayBuffer(16)
  const value = make(buffer)
  buffer.transfer()
  return value
}

const foreign = (program: string): unknown => vm.runInNewContext(program)

/** Typed arrays of all kinds, over 8 bytes. */
export const typedArrays = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  // Some supported versions of Node lack it.
  ...("Float16Array" in globalThis
    ? [Reflect.get(globalThis, "Float16Array") as unknown as Float32ArrayConstructor]
    : [])
]

/** Kinds whose canonical bytes spec/canonical.md takes from their content, or writes as a token. */
export const kinds: Readonly<Record<string, Kind>> = {
  "an accessor that throws": ({ wires }) => define({}, "a", { get: wires.call("getter") }),
  "an accessor with a setter alone": ({ wires }) => define({}, "a", { set: wires.call("setter") }),
  "an element that is an accessor": ({ inner, wires }) => define([inner(), inner()], 0, { get: wires.call("element") }),
  "an accessor under a symbol": ({ wires }) => define({ a: 1 }, Symbol("s"), { get: wires.call("symbol getter") }),
  "an accessor that is not enumerable": ({ wires }) =>
    define({ a: 1 }, "hidden", { get: wires.call("hidden getter"), enumerable: false }),
  "an inherited accessor": ({ wires }) => Object.create(define({}, "a", { get: wires.call("inherited getter") })),
  "toJSON and conversions of its own": ({ wires }) => ({
    toJSON: wires.call("toJSON"),
    toString: wires.call("toString"),
    valueOf: wires.call("valueOf"),
    [Symbol.toPrimitive]: wires.call("toPrimitive"),
    [Symbol.iterator]: wires.call("iterator")
  }),
  "inherited toJSON": ({ inner, wires }) =>
    Object.assign(Object.create({ toJSON: wires.call("toJSON"), constructor: wires.call("constructor") }), {
      a: inner()
    }),
  "a tag that is an accessor": ({ wires }) => define({ a: 1 }, Symbol.toStringTag, { get: wires.call("tag") }),
  "a proxy of an object": ({ wires }) => wires.proxy({ a: 1 }, "proxy"),
  "a proxy of an array": ({ wires }) => wires.proxy([1], "array proxy"),
  "a proxy of a function": ({ wires }) => wires.proxy(() => 1, "function proxy"),
  "a proxy of a Map": ({ wires }) => wires.proxy(new Map(), "Map proxy"),
  "a proxy of a proxy": ({ wires }) => wires.proxy(wires.proxy({}, "inner proxy"), "outer proxy"),
  "a revoked proxy": () => revoked({}),
  "a revoked proxy of an array": () => revoked([]),
  "a revoked proxy of a function": () => revoked(() => 1),
  "an own __proto__": ({ inner }) => define({}, "__proto__", { value: inner(), writable: true }),
  "a parsed __proto__": () => JSON.parse("{\"__proto__\":{\"a\":1},\"constructor\":{\"prototype\":{\"b\":2}}}"),
  "a null prototype": ({ inner }) => Object.assign(Object.create(null), { a: inner() }),
  "an instance": ({ inner }) =>
    new (class Instance {
      field = inner()
      readonly #secret = 1
      static readonly common = 2
      get computed() {
        return this.#secret
      }
    })(),
  "an array with holes": ({ inner, random }) => {
    const array = [inner()]
    array.length = 1 + random.below(4)
    return array
  },
  "an array with a null prototype": ({ inner }) => Object.setPrototypeOf([inner()], null),
  "an array of a subclass": ({ inner, wires }) => {
    class Sub extends Array<unknown> {}
    define(Sub, Symbol.species, { get: wires.call("species") })
    define(Sub.prototype, Symbol.iterator, { value: wires.call("iterator") })
    const array = new Sub()
    array.push(inner())
    return array
  },
  arguments: ({ inner }) =>
    (function() {
      return arguments
    }).apply(null, [inner()] as never),
  "a boxed number": () => Object(1),
  "a boxed string": () => Object("ab"),
  "a boxed symbol": () => Object(Symbol("s")),
  "a boxed bigint": () => Object(1n),
  "a boxed boolean": () => Object(false),
  "an invalid date": () => new Date(Number.NaN),
  "a date with methods of its own": ({ wires }) =>
    Object.assign(new Date(5), { getTime: wires.call("getTime"), toISOString: wires.call("toISOString") }),
  "a Map of Maps": ({ inner }) => new Map([[new Map([[inner(), inner()]]), new Set([inner(), new Map()])]]),
  "a Map with methods of its own": ({ inner, wires }) =>
    Object.assign(new Map([[1, inner()]]), {
      forEach: wires.call("forEach"),
      entries: wires.call("entries"),
      [Symbol.iterator]: wires.call("Map iterator")
    }),
  "a Set of a subclass": ({ inner, wires }) =>
    new (class Sub extends Set {
      override get size() {
        return wires.call("size")()
      }
      override forEach() {
        wires.call("forEach")()
      }
    })([inner()]),
  "a typed array": ({ random }) =>
    new (random.pick(typedArrays as [typeof Uint8Array, ...Array<typeof Uint8Array>]))(
      Uint8Array.from({ length: 8 }, () => random.below(3)).buffer
    ),
  "a typed array with a length of its own": ({ wires }) =>
    define(define(new Uint8Array(4), "length", { get: wires.call("length") }), "buffer", { get: wires.call("buffer") }),
  "a part of a buffer": () => new Uint8Array(Uint8Array.from([1, 2, 3, 4]).buffer, 1, 2),
  "a pooled Buffer": ({ random }) => Buffer.from("ab".repeat(random.below(3))),
  "a DataView": () => new DataView(new ArrayBuffer(4), 2),
  "shared memory": () => new SharedArrayBuffer(4),
  "a view of shared memory": () => new Int32Array(new SharedArrayBuffer(8)),
  "growable shared memory": () => new SharedArrayBuffer(4, { maxByteLength: 8 }),
  "WebAssembly memory": () => foreign("new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer, 0, 8)"),
  "a resizable buffer": () => new ArrayBuffer(4, { maxByteLength: 8 }),
  "a view that follows its buffer": () => shrunk((buffer) => new Uint8Array(buffer)),
  "a view out of bounds": () => shrunk((buffer) => new Uint8Array(buffer, 2, 8)),
  "a DataView out of bounds": () => shrunk((buffer) => new DataView(buffer, 2, 8)),
  "a detached buffer": () => detached((buffer) => buffer),
  "a detached view": () => detached((buffer) => new Float64Array(buffer)),
  "a detached DataView": () => detached((buffer) => new DataView(buffer)),
  "a bigint": ({ random }) => (1n << BigInt(random.below(300))) * (random.chance(0.5) ? 1n : -1n),
  "a text": ({ random }) =>
    random.pick(["", "\ud800", "\udc00x", "é", "\u{1f600}", "{}", "[1]", "!u", "\0", "null", "1"]),
  "a key with half a pair": ({ inner }) => ({ "\ud800": inner(), "\ud83d\ude00": 1, "\udead": 2 }),
  "keys that look like indices": ({ inner }) => ({ 10: 1, 9: inner(), "-1": 2, "01": 3, 4294967295: 4 }),
  "a frozen object": ({ inner }) => Object.freeze({ a: inner() }),
  "a symbol": () => Symbol.asyncIterator,
  "a function": ({ wires }) => Object.assign(wires.call("function"), { a: 1 }),
  "a class": () => class Some {},
  "a generator": () =>
    (function*() {
      yield 1
    })(),
  "an async generator": () =>
    (async function*() {
      yield 1
    })(),
  "a WeakMap": () => new WeakMap([[{}, 1]]),
  "a WeakRef": () => new WeakRef({}),
  "a promise": () => Promise.resolve(1),
  "a thenable": ({ wires }) => define({}, "then", { get: wires.call("then") }),
  "a namespace": () => wiresModule,
  "an error": () => Object.assign(new Error("x", { cause: new Error("y") }), { code: "E" }),
  "a regular expression": () => /x/g,
  "a URL": () => new URL("https://example.com/?a=1"),
  headers: () => new Headers({ a: "b" }),
  "a Map of another realm": () => foreign("new Map([[1, { a: 2 }]])"),
  "a Date of another realm": () => foreign("new Date(7)"),
  "bytes of another realm": () => foreign("new Uint8Array([1, 2])"),
  "a proxy of another realm": () => foreign("new Proxy({}, { get() { throw 1 }, ownKeys() { throw 1 } })"),
  "an object of another realm": () => foreign("({ a: [1, { b: 2 }] })"),
  "a proxy as prototype": ({ wires }) => Object.create(wires.proxy({}, "prototype")),
  "a Map whose prototype is a proxy": ({ wires }) =>
    Object.setPrototypeOf(new Map([[1, 2]]), wires.proxy({}, "Map prototype")),
  "a Map that hides it": () => Object.setPrototypeOf(new Map([[1, 2]]), null),
  "a Date that hides it": () => Object.assign(Object.setPrototypeOf(new Date(1), Object.create(null)), { a: 1 }),
  "a Set that pretends to be a Map": () => Object.setPrototypeOf(new Set([1]), Map.prototype),
  "an object that pretends to be a Map": () => Object.create(Map.prototype, { a: { value: 1, enumerable: true } }),
  "an object that pretends to be bytes": () =>
    Object.create(Uint8Array.prototype, { 0: { value: 1, enumerable: true } }),
  "null, undefined and numbers": ({ random }) =>
    random.pick([null, undefined, 0, -0, 1, Number.NaN, Infinity, -Infinity, 1e21, 5e-324, true, false])
}

/**
 * Objects whose chain of prototypes is not that of their class (spec/canonical.md, "Telling what an
 * object is").
 */
export const disguises: Readonly<Record<string, () => unknown>> = {
  "a Map with a null prototype": () => Object.setPrototypeOf(new Map([[1, 2]]), null),
  "a Set that hides behind an object": () => Object.setPrototypeOf(new Set([1]), {}),
  "a Date that hides behind a Map": () => Object.setPrototypeOf(new Date(0), Map.prototype),
  "a Map that shows through a Proxy": () => Object.setPrototypeOf(new Map([[1, 2]]), new Proxy({}, {})),
  "bytes with a null prototype": () => Object.setPrototypeOf(Uint8Array.of(1, 2), null),
  "bytes that hide behind an object": () => Object.setPrototypeOf(Uint8Array.of(1, 2), {}),
  "bytes that hide behind an object without a prototype": () =>
    Object.setPrototypeOf(new Int16Array([1, 2]), Object.create(null)),
  "bytes that hide behind a Map": () => Object.setPrototypeOf(new DataView(new ArrayBuffer(2)), Map.prototype),
  "a buffer that hides behind an object": () => Object.setPrototypeOf(new ArrayBuffer(2), {}),
  "a Map behind 16 objects": () => Object.setPrototypeOf(new Map([[1, 2]]), chain(16)),
  "a Map behind 17 objects": () => Object.setPrototypeOf(new Map([[1, 2]]), chain(17)),
  "a Map behind 100 objects": () => Object.setPrototypeOf(new Map([[1, 2]]), chain(100))
}

/**
 * A chain of `length` objects, each of which is the prototype of the one before; the last one's
 * prototype is Object.prototype.
 */
const chain = (length: number): object => {
  let first: object = Object.prototype
  for (let i = 0; i < length; i++) first = Object.create(first)
  return first
}

const names = Object.keys(kinds) as [string, ...Array<string>]

/** A random value: an array or object around others, one of the kinds, or a plainer one. */
export const hostileValue = (random: Random, wires: wiresModule.Wires, depth = 3): unknown => {
  const inner = (): unknown => depth > 0 ? hostileValue(random, wires, depth - 1) : randomPayload(random, 0)
  const make = (): unknown => kinds[random.pick(names)]?.({ random, wires, inner })
  switch (random.below(depth > 0 ? 6 : 3)) {
    case 0:
      return randomPayload(random, depth)
    case 1:
    case 2:
      return make()
    case 3:
      return Array.from({ length: random.below(4) }, inner)
    case 4:
      return Object.fromEntries(
        Array.from({ length: random.below(4) }, () => [random.pick(["a", "b", "", "é"]), inner()])
      )
    default:
      return new Map(Array.from({ length: random.below(3) }, () => [inner(), inner()]))
  }
}
