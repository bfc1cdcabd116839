/**
 * The floors: what must be done at the least, as plainly and as fast as Node can do it.
 *
 * **Gotchas**
 *
 * - The copy goes to memory that is there already: a fresh buffer would cost more, and so would
 *   make the floor kinder.
 * - The digest is a latin1 string of 32 characters: what `crypto.hash` gives fastest.
 */
import { hash } from "node:crypto"

const digest = { outputEncoding: "latin1", outputLength: 32 } as const

/** The digest of the bytes, in the cheapest form. */
export const sha256 = (bytes: Uint8Array): string => hash("sha256", bytes, digest)

/** One SHA-256 and one copy. */
export const hashAndCopy = (bytes: (i: number) => Uint8Array, size: number): (i: number) => string => {
  const target = new Uint8Array(size)
  return (i) => {
    const source = bytes(i)
    target.set(source)
    return sha256(source)
  }
}

/** The same over bytes of the object's size, and native JSON.stringify of the object. */
export const hashCopyStringify = (object: { id: number }, bytes: (i: number) => Uint8Array, size: number) => {
  const rest = hashAndCopy(bytes, size)
  return (i: number): number => {
    object.id = i
    return JSON.stringify(object).length + rest(i).length
  }
}

/** One reading of the clock and one look at a Map of so many sources. */
export const clockAndMap = (sources: ReadonlyArray<string>): (i: number) => boolean => {
  const known = new Map(sources.map((source, at) => [source, at]))
  const mask = sources.length - 1
  return (i) => Date.now() > 0 && known.get(sources[i & mask] ?? "") === 1
}

/** The names of all members of an object, as V8 lists them: object by object. */
export const keysOf = (value: object): number => {
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === "object" && item !== null) count += keysOf(item as object)
    return count
  }
  const members = value as Readonly<Record<string, unknown>>
  const keys = Object.keys(members)
  for (const key of keys) {
    const member = members[key]
    if (typeof member === "object" && member !== null) count += keysOf(member)
  }
  return count + keys.length
}
