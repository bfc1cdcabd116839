/**
 * The values that `spec/vectors/canonical.json` describes, as spec/canonical.md says in "Vectors":
 * their notation, and how to build them.
 */
import { assert } from "@effect/vitest"
import { readFileSync } from "node:fs"
import type { CanonicalLimits } from "../../../src/intake/gate/Canonical.ts"
import { doubleOf } from "./doubles.ts"

export type Kind = "array" | "object" | "map" | "set"
type Key = string | { readonly string: ReadonlyArray<number> }
type Beside = "null prototype" | "class" | "symbol" | "hidden" | "named"

/** A value as the vectors spell it; spec/canonical.md, Vectors, says what each tag means. */
export type Value =
  & { readonly beside?: ReadonlyArray<Beside> }
  & (
    | { readonly json: string }
    | { readonly string: ReadonlyArray<number> }
    | { readonly text: string; readonly times: number }
    | { readonly number: string }
    | { readonly double: string }
    | { readonly bigint: string }
    | { readonly date: number | null }
    | { readonly undefined: true }
    | { readonly hole: true }
    | { readonly function: true }
    | { readonly symbol: string }
    | { readonly accessor: "get" | "set" | "both" }
    | { readonly proxy: Value }
    | { readonly revoked: Value }
    | { readonly array: ReadonlyArray<Value | Repeated>; readonly length?: number }
    | { readonly object: ReadonlyArray<readonly [key: Key, value: Value]> }
    | { readonly keys: number; readonly of: Value }
    | { readonly map: ReadonlyArray<readonly [key: Value, value: Value]> }
    | { readonly set: ReadonlyArray<Value> }
    | {
      readonly bytes: string
      readonly hex?: string
      readonly zeros?: number
      readonly before?: string
      readonly after?: string
      readonly detached?: true
    }
    | { readonly nest: number; readonly in: ReadonlyArray<Kind>; readonly of: Value }
    | { readonly cycle: ReadonlyArray<Kind> }
    | { readonly boxed: Value }
    | { readonly regexp: string; readonly flags: string }
    | { readonly error: string; readonly own: ReadonlyArray<readonly [string, Value]> }
    | { readonly url: string }
    | { readonly params: ReadonlyArray<readonly [name: string, value: string]> }
    | { readonly headers: ReadonlyArray<readonly [name: string, value: string]> }
    | { readonly temporal: string }
    | { readonly unreadable: "FormData" | "Promise" }
  )

export interface Repeated {
  readonly times: number
  readonly of: Value
}

export interface Vectors {
  readonly notation: Readonly<Record<string, string>>
  readonly limits: CanonicalLimits
  readonly good: ReadonlyArray<{
    readonly name: string
    readonly value: Value
    readonly limits?: Partial<CanonicalLimits>
    readonly canonical?: string
    readonly length?: number
    readonly sha256: string
  }>
  readonly bad: ReadonlyArray<{
    readonly name: string
    readonly value: Value
    readonly limits: Partial<CanonicalLimits>
    readonly refusal: "too_large" | "too_deep" | "too_many_keys"
  }>
}

export const vectorsFile = readFileSync(new URL("../../../spec/vectors/canonical.json", import.meta.url))
export const vectors: Vectors = JSON.parse(vectorsFile.toString())

const constructors: Readonly<Record<string, string>> = {
  u8: "Uint8Array",
  u8c: "Uint8ClampedArray",
  i8: "Int8Array",
  u16: "Uint16Array",
  i16: "Int16Array",
  u32: "Uint32Array",
  i32: "Int32Array",
  f16: "Float16Array",
  f32: "Float32Array",
  f64: "Float64Array",
  i64: "BigInt64Array",
  u64: "BigUint64Array",
  dv: "DataView",
  ab: "ArrayBuffer",
  sab: "SharedArrayBuffer"
}
export const kinds = Object.keys(constructors)

const touched = (): never => assert.fail("code of the payload ran")

/** The value that a vector describes. */
export function build(value: Value): unknown {
  const built = buildBare(value)
  for (const beside of value.beside ?? []) {
    const target = built as object
    switch (beside) {
      case "null prototype":
        Object.setPrototypeOf(target, null)
        break
      case "class":
        Object.setPrototypeOf(
          target,
          Object.create(Object.getPrototypeOf(target), { inherited: { value: 1, enumerable: true } })
        )
        break
      case "symbol":
        Object.defineProperty(target, Symbol("beside"), { value: 1, enumerable: true })
        break
      case "hidden":
      case "named":
        Object.defineProperty(target, beside, { value: 1, enumerable: beside === "named" })
    }
  }
  return built
}

function buildBare(value: Value): unknown {
  if ("json" in value) return JSON.parse(value.json)
  else if ("string" in value) return keyOf(value)
  else if ("text" in value) return value.text.repeat(value.times)
  else if ("number" in value) return Number(value.number)
  else if ("double" in value) return doubleOf(BigInt(`0x${value.double}`))
  else if ("bigint" in value) {
    return value.bigint.startsWith("-")
      ? -BigInt(`0x${value.bigint.slice(1)}`)
      : BigInt(`0x${value.bigint}`)
  } else if ("date" in value) return new Date(value.date ?? NaN)
  else if ("function" in value) return () => touched()
  else if ("symbol" in value) return Symbol(value.symbol)
  else if ("proxy" in value) return new Proxy(build(value.proxy) as object, new Proxy({}, { get: touched }))
  else if ("revoked" in value) {
    const { proxy, revoke } = Proxy.revocable(build(value.revoked) as object, {})
    revoke()
    return proxy
  } else if ("array" in value) return buildArray(spread(value.array), value.length)
  else if ("object" in value) return value.object.reduce((object, [key, item]) => put(object, keyOf(key), item), {})
  else if ("keys" in value)
    return Object.fromEntries(Array.from({ length: value.keys }, (_, i) => [`${i}`, build(value.of)]))
  else if ("map" in value) return new Map(value.map.map(([key, item]) => [build(key), build(item)]))
  else if ("set" in value) return new Set(value.set.map(build))
  else if ("bytes" in value) return buildBytes(value)
  else if ("nest" in value) {
    let built = build(value.of)
    for (let depth = value.nest; depth > 0; depth--)
      built = fill(container(value.in[(depth - 1) % value.in.length]), built)
    return built
  } else if ("cycle" in value) {
    const containers = value.cycle.map(container)
    for (const [i, each] of containers.entries()) fill(each, containers[(i + 1) % containers.length])
    return containers[0]
  } else if ("boxed" in value) return Object(build(value.boxed))
  else if ("regexp" in value) return new RegExp(value.regexp, value.flags)
  else if ("error" in value) return buildError(value)
  else if ("url" in value) return new URL(value.url)
  else if ("params" in value) return new URLSearchParams(value.params.map(([name, text]) => [name, text]))
  else if ("headers" in value) return new Headers(value.headers.map(([name, text]): [string, string] => [name, text]))
  else if ("temporal" in value) return buildTemporal(value.temporal)
  else if ("unreadable" in value) return value.unreadable === "FormData" ? new FormData() : Promise.resolve(1)
  else if ("undefined" in value) {
    return undefined
  }
  return assert.fail(`${JSON.stringify(value)} stands nowhere but in an array or an object`)
}

/** A class of the platform that this host may lack. */
const temporal: unknown = Reflect.get(globalThis, "Temporal")
export const hasTemporal = typeof temporal === "object"

function buildTemporal(text: string): unknown {
  const [kind = "", ...rest] = text.split(" ")
  const Kind = Reflect.get(Object(temporal), kind)
  return kind === "Duration" ? new Kind(...rest.map(Number)) : Kind.from(rest.join(" "))
}

function buildError(value: Extract<Value, { readonly error: string }>): unknown {
  const error = new (Reflect.get(globalThis, value.error) as ErrorConstructor)()
  for (const [key, item] of value.own)
    Object.defineProperty(error, key, { value: build(item), enumerable: key !== "message", configurable: true })
  return error
}

export function keyOf(key: Key): string {
  return typeof key === "string" ? key : String.fromCharCode(...key.string)
}

export function spread(items: ReadonlyArray<Value | Repeated>): ReadonlyArray<Value> {
  return items.flatMap((item) =>
    "of" in item && "times" in item ? Array.from({ length: item.times }, () => item.of) : [item]
  )
}

function put<A extends object>(target: A, key: PropertyKey, value: Value): A {
  return Object.defineProperty(
    target,
    key,
    "accessor" in value
      ? {
        ...(value.accessor === "set" ? {} : { get: touched }),
        ...(value.accessor === "get" ? {} : { set: touched }),
        enumerable: true,
        configurable: true
      }
      : { value: build(value), enumerable: true, configurable: true, writable: true }
  )
}

function buildArray(items: ReadonlyArray<Value>, length = items.length): Array<unknown> {
  const array: Array<unknown> = []
  array.length = length
  for (const [index, item] of items.entries()) {
    if ("accessor" in item) put(array, index, item)
    else if (!("hole" in item)) array[index] = build(item)
  }
  return array
}

function buildBytes(value: Extract<Value, { readonly bytes: string }>): unknown {
  const [before, own, after] = [value.before, value.hex, value.after].map((hex = "") => Buffer.from(hex, "hex"))
  const size = value.zeros ?? own?.length ?? 0
  const offset = before?.length ?? 0
  const buffer = value.bytes === "sab"
    ? new SharedArrayBuffer(size)
    : new ArrayBuffer(offset + size + (after?.length ?? 0))
  new Uint8Array(buffer).set(Buffer.concat([before ?? [], own ?? [], after ?? []] as ReadonlyArray<Uint8Array>))
  let view: unknown = buffer
  if (value.bytes !== "ab" && value.bytes !== "sab") {
    const View = Reflect.get(globalThis, constructors[value.bytes] ?? "") as typeof Uint8Array
    view = new View(buffer, offset, size / (value.bytes === "dv" ? 1 : View.BYTES_PER_ELEMENT))
  }
  if (value.detached) structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
  return view
}

type Container = Array<unknown> | Map<unknown, unknown> | Set<unknown> | { a?: unknown }

function container(kind: Kind | undefined): Container {
  return kind === "array" ? [] : kind === "map" ? new Map() : kind === "set" ? new Set() : {}
}

function fill(target: Container, content: unknown): Container {
  if (Array.isArray(target)) target.push(content)
  else if (target instanceof Map) target.set(null, content)
  else if (target instanceof Set) target.add(content)
  else target.a = content
  return target
}
