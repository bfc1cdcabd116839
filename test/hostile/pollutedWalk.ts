/**
 * Intercepts the same payloads before, while and after the language's prototypes are polluted, as a
 * bad merge does it, and prints the differences. It needs a process of its own.
 */
import { createTracehound, type Scent } from "../../src/index.ts"

const tracehound = createTracehound({ rateLimit: { maxRequests: 1_000_000 } })

// Made before anything is polluted, so that the pollution meets only the code that reads them.
const payloads: Readonly<Record<string, unknown>> = {
  text: "text",
  bytes: Uint8Array.of(1, 2, 3),
  object: { b: 1, a: [null, { c: "x" }] },
  accessor: Object.defineProperty({}, "a", { get: () => 1, enumerable: true }),
  setter: Object.defineProperty({}, "a", { set: () => {}, enumerable: true }),
  holes: [, 1, , undefined],
  element: Object.defineProperty([1], 0, { get: () => 1 }),
  map: new Map<unknown, unknown>([[{}, 1], [[1], new Set([2])]]),
  date: new Date(0),
  proxy: new Proxy({}, {}),
  instance: new (class Named {
    field = 1
  })(),
  nested: [[[Uint8Array.of(1)], 1n]]
}

const scent = (payload: unknown): Scent => ({
  id: "1",
  source: "s",
  timestamp: 1,
  payload,
  threat: { category: "spam", severity: "low" }
})

/**
 * The results for each payload: its signature, `ignored` for its duplicate, and the record of how
 * it left.
 */
const look = (): Array<string> =>
  Object.entries(payloads).map(([name, payload]) => {
    try {
      const first = tracehound.intercept(scent(payload))
      const second = tracehound.intercept(scent(payload))
      if (first.status !== "quarantined") return `${name} ${JSON.stringify(first)}`
      const wasEvicted = Object.hasOwn(first, "evicted")
      const record = first.handle.neutralize()
      return `${name} ${first.handle.signature} ${second.status} ${wasEvicted} ${record?.status} ${record?.size}`
    } catch (error) {
      return `${name} threw ${String(error)}`
    }
  })

const keys: ReadonlyArray<string> = [
  "get",
  "set",
  "value",
  "writable",
  "enumerable",
  "configurable",
  "length",
  "size",
  "byteLength",
  "maxByteLength",
  "toJSON",
  "then",
  "bound",
  "evicted",
  "status",
  "destination",
  "severity",
  "category",
  "reason",
  "compressedSize",
  "previousHash",
  "id",
  "0",
  "1",
  "a",
  "",
  "constructor"
]
const values: ReadonlyArray<unknown> = [1, "x", null, () => 1, { get: 1, value: 2 }]
const prototypes: ReadonlyArray<readonly [string, object]> = [
  ["Object", Object.prototype],
  ["Array", Array.prototype],
  ["Map", Map.prototype],
  ["Uint8Array", Uint8Array.prototype],
  ["String", String.prototype]
]

const before = look()
const differences: Array<string> = []
for (const [name, prototype] of prototypes) {
  // Replacing the language's own members would be more than pollution.
  for (const key of keys.filter((candidate) => !(candidate in prototype))) {
    for (const value of values) {
      Reflect.set(prototype, key, value)
      const after = look()
      Reflect.deleteProperty(prototype, key)
      after.forEach((line, index) => {
        if (line !== before[index]) differences.push(`${name}.prototype.${key} = ${String(value)}: ${line}`)
      })
    }
  }
}
process.stdout.write(JSON.stringify({
  ordinary: before.filter((line) => / spam:[0-9a-f]{64} ignored false neutralized \d+$/.test(line)).length,
  differences,
  isTheSameAgain: look().every((line, index) => line === before[index]),
  verified: tracehound.auditChain.verify()
}))
