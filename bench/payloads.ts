/**
 * Payloads that the benchmark sends. All of them are made before a line is timed, and changed in
 * place, so that making them is not measured.
 *
 * **Gotchas**
 *
 * - The same object goes in again and again with other content: the callee must not keep it.
 *   Tracehound copies, and so do the floors.
 */
import type { Scent, ThreatSignal } from "../src/index.ts"

/** A scent that can be sent again with another payload. */
export type Reusable = { -readonly [K in keyof Scent]: Scent[K] }

/** A signal that nobody is alerted of. */
export const lowThreat: ThreatSignal = { category: "injection", severity: "low" }

/** A scent that is a threat. */
export const threatScent = (payload: unknown, threat: ThreatSignal = lowThreat): Reusable => ({
  id: "request-1",
  source: "192.0.2.1",
  timestamp: 1_760_000_000_000,
  payload,
  threat
})

/** Bytes that are different for every counter; always the same buffer. */
export const changingBytes = (size: number): (i: number) => Uint8Array => {
  const bytes = new Uint8Array(size).fill(97)
  const view = new DataView(bytes.buffer)
  return (i) => {
    view.setInt32(0, i)
    return bytes
  }
}

/** The next of a run of numbers that look like none in particular, of 32 bits. */
const scattered = (word: number): number => Math.imul(word ^ (word >>> 15), 0x2c1b_3c6d) + 0x9e37_79b9

/**
 * Bytes of which all are different for every counter; always the same buffer. `size` is a multiple
 * of 4. O(size): 1 ns for each four of them, so it is for small ones.
 */
export const scatteredBytes = (size: number): (i: number) => Uint8Array => {
  const words = new Int32Array(size / 4)
  const bytes = new Uint8Array(words.buffer)
  return (i) => {
    let word = i
    for (let at = 0; at < words.length; at++) {
      words[at] = word
      word = scattered(word)
    }
    return bytes
  }
}

/** Flat strings of so many bytes, each different from all others. */
export const texts = (size: number, count: number): ReadonlyArray<string> => {
  const bytes = Buffer.alloc(size, "a")
  return Array.from({ length: count }, (_, i) => {
    bytes.write(String(i).padStart(10, "0"), 0, "latin1")
    return bytes.toString("latin1")
  })
}

/** So many sources, each different from all others, as strings of their own. */
export const sources = (count: number, prefix: string = ""): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, i) => sourceOf(i, prefix))

/** An address of its own for each of 2^24 numbers. */
export const sourceOf = (i: number, prefix: string = ""): string =>
  Buffer.from(`${prefix}10.${(i >>> 16) & 0xff}.${(i >>> 8) & 0xff}.${i & 0xff}`, "latin1").toString("latin1")

interface Item {
  readonly sku: string
  readonly name: string
  readonly price: number
  readonly tags: ReadonlyArray<string>
  readonly stock: { readonly amount: number; readonly isOrdered: boolean; readonly place: string | null }
}

/** A request as a framework parsed it. Its `id` is what is changed. */
export interface RequestObject {
  id: number
  readonly method: string
  readonly uri: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: { readonly user: string; readonly remember: boolean; readonly items: ReadonlyArray<Item> }
}

const item = (i: number): Item => ({
  sku: `SKU-${100_000 + i}`,
  name: `An article that somebody ordered, number ${i}`,
  price: 12.5 + i,
  tags: ["new", "in stock", `lot ${i % 7}`],
  stock: { amount: i % 13, isOrdered: i % 3 === 0, place: i % 5 === 0 ? null : `hall ${i % 11}` }
})

const requestOf = (items: number): RequestObject => ({
  id: 0,
  method: "POST",
  uri: "/api/v2/orders?next=%2Fadmin",
  headers: { host: "shop.example.org", accept: "*/*", "content-type": "application/json" },
  body: { user: "admin' OR 1=1 --", remember: true, items: Array.from({ length: items }, (_, i) => item(i)) }
})

/**
 * A request of about so many bytes of JSON: the largest that has no more, at least the one without
 * items.
 */
export const requestObject = (bytes: number): RequestObject => {
  const empty = JSON.stringify(requestOf(0)).length
  const perItem = (JSON.stringify(requestOf(1000)).length - empty) / 1000
  return requestOf(Math.max(0, Math.round((bytes - empty) / perItem)))
}
