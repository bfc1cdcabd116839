/**
 * Payloads that an attacker may send, in any size, and a size of each that is far over the limit.
 */
import type { hostileKinds } from "./catalogue.ts"

export type HostileKind = typeof hostileKinds[number]

/** The limit that they are over: what a DAG of 18 levels writes, 4 * 2^18 - 3 bytes. */
export const hostileLimit = 1_048_573

const nested = (depth: number): unknown => {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = [value]
  return value
}

const dag = (levels: number): unknown => {
  let value: unknown = 1
  for (let i = 0; i < levels; i++) value = [value, value]
  return value
}

const withKeys = (count: number): unknown => Object.fromEntries(Array.from({ length: count }, (_, i) => [`key${i}`, 1]))

const sparse = (length: number): unknown => {
  const array: Array<unknown> = []
  array.length = length
  return array
}

/** How to make a payload of a size, and a size that is far over the limit. */
export const hostilePayloads: Readonly<Record<HostileKind, readonly [(n: number) => unknown, number]>> = {
  "long array": [(n) => Array.from({ length: n }, () => 1), 10_000_000],
  "sparse array": [sparse, 4_294_967_295],
  nesting: [nested, 100_000],
  keys: [withKeys, 4097],
  "a million keys": [withKeys, 1_000_000],
  "string of ASCII": [(n) => "a".repeat(n), 100_000_000],
  "string of wide characters": [(n) => "\u20ac".repeat(n), hostileLimit],
  DAG: [dag, 60],
  "many small objects": [(n) => Array.from({ length: n }, () => ({ a: 1 })), 2_000_000],
  "large Map": [(n) => new Map(Array.from({ length: n }, (_, i) => [i, 1])), 1_000_000]
}
