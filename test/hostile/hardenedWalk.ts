/**
 * Runs everything that the core does, in a process with the RFC's flags: every kind of payload, a
 * full quarantine, all four ways out, the chain, cold storage in the directory that the argument
 * names, and dispose. Prints the results.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { createTracehound, openEnvelope, type Scent } from "../../src/index.ts"

const [directory = ""] = process.argv.slice(2)

const protoThrows = (): boolean => {
  try {
    Reflect.get({}, "__proto__")
    return false
  } catch {
    return true
  }
}

const tracehound = createTracehound({
  maxPayloadSize: 1000,
  rateLimit: { maxRequests: 25 },
  quarantine: { maxCount: 8 },
  audit: { coldStorage: { endpoint: `file:${directory}` } },
  // Starting at all proves that the runtime sees its own flags.
  runtime: { strict: true }
})
await tracehound.init()

const statuses: Record<string, number> = {}
const take = (payload: unknown, other: Partial<Scent> = {}) => {
  const result = tracehound.intercept({
    id: "walk",
    source: "192.0.2.1",
    timestamp: 1,
    payload,
    threat: { category: "injection", severity: "medium" },
    ...other
  })
  statuses[result.status] = (statuses[result.status] ?? 0) + 1
  return result
}

const cycle: Array<unknown> = []
cycle.push(cycle)
let deep: unknown = 1
for (let i = 0; i < 100_000; i++) deep = [deep]
let bomb: unknown = "x"
for (let i = 0; i < 60; i++) bomb = [bomb, bomb]

const kinds: ReadonlyArray<unknown> = [
  "text",
  new TextEncoder().encode("bytes"),
  { b: 1, a: [null, true, "x"] },
  JSON.parse("{\"__proto__\":{\"polluted\":true}}"),
  new Map<unknown, unknown>([[1, "a"], [{ k: 1 }, new Set([1, 2])]]),
  new Date(0),
  12n,
  [NaN, -0, undefined, Symbol("s"), () => 1],
  new Proxy({}, {}),
  Object.create(null),
  new (class Named {
    field = 1
  })(),
  new Float64Array([1, 2]),
  {
    get secret(): never {
      throw new Error("it was run")
    }
  },
  [new Error("x")],
  new ArrayBuffer(8),
  "\ud800",
  ["last"]
]
for (const payload of kinds) take(payload)
for (const payload of [cycle, deep, bomb, "x".repeat(1001), Array.from({ length: 2000 }, () => 0)]) take(payload)
take(["last"])
tracehound.intercept({ id: "walk", source: "192.0.2.1", timestamp: 1, payload: "no signal" })
Reflect.apply(tracehound.intercept, undefined, [null])
take("x", { id: "x".repeat(300) })
take("the last that this source may send")
take("one too many")

const other = { source: "192.0.2.2" }
const kept = ["transfer", "evacuate", "neutralize"] as const
for (const way of kept) {
  const result = take(`to ${way}`, other)
  if (result.status === "quarantined") result.handle[way]()
}
const flushed = tracehound.flush().length

const left: Record<string, number> = {}
for (const { entry } of tracehound.auditChain.records()) left[entry.status] = (left[entry.status] ?? 0) + 1
const verified = tracehound.auditChain.verify()
await tracehound.dispose()
take("late", other)

const opened = readdirSync(directory).map((name) => openEnvelope(readFileSync(join(directory, name))))

process.stdout.write(JSON.stringify({
  protoThrows: protoThrows(),
  frozen: Object.isFrozen(Array.prototype),
  statuses,
  flushed,
  left,
  verified,
  opened: opened.filter(({ content, record }) => content.length === record.size).length,
  written: tracehound.coldStorage.stats().written
}))
