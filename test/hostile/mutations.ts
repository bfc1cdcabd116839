/**
 * Copies a payload with one small change somewhere inside, which the signature must tell apart or
 * must not, as spec/canonical.md says. Tripwires are not touched: properties are copied by their
 * descriptors.
 */
import { types } from "node:util"
import type { Random } from "../support/random.ts"
import { memoryOf, sortOf } from "./equality.ts"
import { typedArrays } from "./values.ts"

const ordinary = { configurable: true, enumerable: true, writable: true } as const

/** Makes one small change in a copy; the original stays as it is. */
export const mutate = (value: unknown, random: Random): unknown => {
  switch (typeof value) {
    case "number":
      return random.pick([-value, value + 1, String(value), value + Number.EPSILON, [value], Object(value)])
    case "string":
      return random.pick([`${value}\0`, value.slice(1), `${value}\ud800`, value.normalize("NFD"), Buffer.from(value), [
        value
      ]])
    case "bigint":
      return random.pick<unknown>([-value, value + 1n, Number(value), value.toString(16), value * 16n])
    case "boolean":
      return random.pick<unknown>([!value, String(value), Number(value)])
    case "object":
      return value === null ? random.pick([undefined, "null", {}, 0]) : mutateObject(value, random)
    default:
      return random.pick<unknown>([null, undefined, {}, "!u", () => 2, Symbol("other")])
  }
}

const mutateObject = (value: object, random: Random): unknown => {
  switch (sortOf(value)) {
    case "proxy":
      return random.pick<unknown>([new Proxy([], {}), "!p", {}])
    case "date":
      return new Date(Date.prototype.getTime.call(value as Date) + random.below(2))
    case "map": {
      const pairs: ReadonlyArray<[unknown, unknown]> = [
        ...Map.prototype.entries.call(value as Map<unknown, unknown>)
      ]
      return new Map(
        mutateList(
          pairs,
          random,
          ([key, item]): [unknown, unknown] =>
            random.chance(0.5) ? [mutate(key, random), item] : [key, mutate(item, random)]
        )
      )
    }
    case "set":
      return new Set(
        mutateList([...Set.prototype.values.call(value as Set<unknown>)], random, (item) => mutate(item, random))
      )
    case "bytes":
      return mutateBytes(value, random)
    case "boxed":
    case "regexp":
    case "platform":
      return random.pick<unknown>([value, {}, Object("ab"), /x/, new URL("http://h/"), new URLSearchParams("a=1"), [
        value
      ]])
    case "array":
    case "error":
    case "unreadable":
    case "object":
      return mutateProperties(value, random)
  }
}

const mutateList = <A>(items: ReadonlyArray<A>, random: Random, change: (item: A) => A): ReadonlyArray<A> => {
  const at = random.below(items.length)
  return random.pick([
    () => items.toReversed(),
    () => items.filter((_, index) => index !== at),
    () => items.map((item, index) => index === at ? change(item) : item)
  ])()
}

const mutateBytes = (value: object, random: Random): unknown => {
  const bytes = memoryOf(value)
  const flipped = Uint8Array.from(bytes, (byte, index) => index === bytes.length - 1 ? byte ^ 1 : byte)
  const aligned = Uint8Array.from({ length: bytes.length - bytes.length % 8 }, (_, index) => bytes[index] ?? 0)
  const Other = random.pick(typedArrays as [typeof Uint8Array, ...Array<typeof Uint8Array>])
  return random.pick<unknown>([flipped, aligned.buffer, new Other(aligned.buffer), new DataView(aligned.buffer), [
    ...bytes
  ]])
}

const mutateProperties = (value: object, random: Random): unknown => {
  const isArray = Array.isArray(value)
  const copy: object = isArray ? [] : {}
  const keys = Object.keys(value)
  const chosen = keys[random.below(keys.length)]
  const how = random.below(7)
  for (const key of random.chance(0.5) ? keys.toReversed() : keys) {
    const property = Object.getOwnPropertyDescriptor(value, key) ?? {}
    if (key !== chosen) Object.defineProperty(copy, key, property)
    else if (how === 0) continue
    else if (how === 1) Object.defineProperty(copy, isArray ? key : `${key}x`, property)
    else if (how === 2) Object.defineProperty(copy, key, { ...property, enumerable: isArray })
    else if (how === 3) Object.defineProperty(copy, key, { configurable: true, enumerable: true, get: () => 1 })
    else if ("value" in property)
      Object.defineProperty(copy, key, { ...property, value: mutate(property.value, random) })
    else Object.defineProperty(copy, key, { ...ordinary, value: undefined })
  }
  if (isArray) Reflect.set(copy, "length", value.length + (random.chance(0.2) ? 1 : 0))
  else if (random.chance(0.2)) Object.defineProperty(copy, "extra", { ...ordinary, value: undefined })
  if (random.chance(0.2)) Object.defineProperty(copy, Symbol("s"), { ...ordinary, value: 1 })
  return !types.isProxy(value) && random.chance(0.1) ? [copy] : copy
}
