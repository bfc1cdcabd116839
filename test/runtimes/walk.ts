/**
 * The walk: a stranger's project, on the Node that runs this file, does all that the package can
 * do. `Nodes.slow.test.ts` copies it into such a project and compares what different Nodes say.
 *
 * Its argument is an empty directory for it to write to. It prints one line of JSON: the Node, the
 * checks that failed, and an `answer` that must be the same on every Node.
 *
 * **Gotchas**
 *
 * - Nothing in `answer` may depend on time, on ids, or on what a release of zlib makes of bytes.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { createHash, hash as hashOf, timingSafeEqual } from "node:crypto"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { gzipSync } from "node:zlib"
import { type AuditRecord, createTracehound, openEnvelope, type Scent, verifyRecords } from "tracehound"

const [directory = ""] = process.argv.slice(2)

const failed: Array<string> = []
const answer: Record<string, unknown> = {}

const check = (name: string, holds: boolean): void => {
  if (!holds) failed.push(name)
}

const ran = (): never => {
  throw new Error("code of the payload ran")
}

class Instance {
  readonly field = [1]
}

/** Payloads of each kind, no two with the same content. */
const kinds: Readonly<Record<string, unknown>> = {
  text: "' OR 1=1 --",
  "no text": "",
  "half a pair": "\ud800",
  "long text": "<script>".repeat(20_000),
  bytes: Uint8Array.of(0, 255, 1),
  "a Buffer": Buffer.from("a Buffer"),
  "a view": new Uint8Array(300).fill(7).subarray(3, 290),
  "a DataView": new DataView(Uint8Array.of(9, 8, 7).buffer),
  "long bytes": new Uint8Array(500_000).fill(3),
  "an ArrayBuffer": Uint16Array.of(1, 2).buffer,
  "shared memory": new SharedArrayBuffer(5),
  "a resizable buffer": new ArrayBuffer(4, { maxByteLength: 8 }),
  object: { b: 1, a: { d: [null, true, "é"], c: 1e21 } },
  "a parsed __proto__": JSON.parse("{\"__proto__\":{\"a\":1}}") as unknown,
  "no prototype": Object.assign(Object.create(null) as object, { z: 1 }),
  instance: new Instance(),
  holes: [, 1, , undefined],
  numbers: [0, -0, 5e-324, 1 / 3, NaN, Infinity, 0.1 + 0.2],
  "a bigint": 2n ** 64n,
  "a symbol": Symbol("s"),
  "a function": () => 1,
  null: null,
  true: true,
  undefined: undefined,
  date: new Date(0),
  map: new Map<unknown, unknown>([["b", 1], [{ k: [1] }, new Set([3, "a"])]]),
  set: new Set<unknown>([[1], 2]),
  floats: new Float64Array([0.5, -0.1]),
  "64-bit integers": new BigInt64Array([-1n]),
  "a Proxy": new Proxy({}, { get: ran, ownKeys: ran, getPrototypeOf: ran }),
  accessor: Object.defineProperty({}, "secret", { enumerable: true, get: ran }),
  "an error": [new Error("x"), /x/g],
  "many keys": Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`key ${i % 7} ${i}`, i]))
}

const scent = (payload: unknown, more: Partial<Scent> = {}): Scent => ({
  id: "walk",
  source: "192.0.2.1",
  timestamp: 1_760_000_000_000,
  payload,
  threat: { category: "injection", severity: "medium" },
  ...more
})

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

/** Waits for something that comes soon, for half a minute at most. */
const until = async (isThere: () => boolean): Promise<boolean> => {
  for (let i = 0; i < 3_000 && !isThere(); i++) await setTimeout(10)
  return isThere()
}

/** Records without what differs from run to run. */
const statusesOf = (records: ReadonlyArray<AuditRecord>): ReadonlyArray<string> =>
  records.map(({ entry }) => `${entry.status} ${entry.signature} ${entry.size}`)

const withoutHounds = { hound: { enabled: false }, rateLimit: { maxRequests: 10_000 } } as const

/** Custody of each kind, and cold storage under one codec. */
const custody = async (codec: "stored" | "gzip" | "zstd" | "brotli"): Promise<unknown> => {
  const endpoint = join(directory, codec)
  const tracehound = createTracehound({
    ...withoutHounds,
    audit: { coldStorage: { endpoint: `file:${endpoint}`, codec } }
  })
  await tracehound.init()
  const held = Object.entries(kinds).map(([name, payload]) => {
    const first = tracehound.intercept(scent(payload))
    const second = tracehound.intercept(scent(payload))
    const isHeld = first.status === "quarantined"
    const hash = isHeld ? sha256(new Uint8Array(first.handle.bytes ?? new ArrayBuffer(0))) : ""
    check(`${codec}: the signature of ${name} is that of its bytes`, isHeld && first.handle.signature.endsWith(hash))
    check(`${codec}: ${name} is known again`, second.status === "ignored")
    const signature = isHeld ? first.handle.signature : first.status === "error" ? first.error.code : first.status
    const record = isHeld ? tracehound.evacuate(signature) : null
    check(`${codec}: ${name} is evacuated`, record?.destination === `file:${endpoint}`)
    return `${name}: ${signature}`
  })
  const records = tracehound.auditChain.records()
  const verified = tracehound.auditChain.verify()
  check(`${codec}: cold storage has written`, await until(() => tracehound.coldStorage.stats().pending === 0))
  const stats = tracehound.coldStorage.stats()
  await tracehound.dispose()
  const opened = readdirSync(endpoint).map((name) => openEnvelope(readFileSync(join(endpoint, name))))
  for (const { content, record } of opened)
    check(`${codec}: ${record.signature} opens`, sha256(content) === record.hash)
  return {
    held,
    statuses: statusesOf(records),
    verified,
    stats,
    opened: opened.map(({ content, record }) => `${record.signature} ${content.length}`).toSorted()
  }
}

for (const codec of ["stored", "gzip", "zstd", "brotli"] as const) answer[codec] = await custody(codec)

/** The answers that keep nothing, and the ways out that need no cold storage. */
const answers = async (): Promise<unknown> => {
  const tracehound = createTracehound({
    hound: { enabled: false },
    maxPayloadSize: 1_000,
    maxDepth: 10,
    maxKeys: 20,
    rateLimit: { maxRequests: 20 },
    quarantine: { maxCount: 3 },
    signature: { key: "a key of the walk, of more than 32 bytes" }
  })
  await tracehound.init()
  const said = (given: unknown): string => {
    const result = tracehound.intercept(given as Scent)
    if (result.status === "error") return result.error.code
    if (result.status === "payload_too_large") return `${result.status} ${result.limit} ${result.bound ?? ""}`
    if (result.status === "quarantined") return `${result.handle.signature} ${String(result.evicted)}`
    return result.status
  }
  const deep = JSON.parse("[".repeat(50) + "]".repeat(50)) as unknown
  const wide = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [i, i]))
  const { threat: _, ...clean } = scent("clean")
  const high = { threat: { category: "spam", severity: "high" } } as const
  const list = [
    null,
    7,
    {},
    { ...clean, id: 7 },
    { ...clean, timestamp: NaN },
    { ...clean, threat: {} },
    clean,
    scent("x".repeat(1_001)),
    scent(deep),
    scent(wide),
    scent({ a: 1 }),
    scent({ a: 1 }),
    scent("b", high),
    scent("c"),
    scent("d"),
    scent("e")
  ].map(said)
  const limited = Array.from({ length: 20 }, (_, i) => said(scent(`flood ${i}`))).filter((said) =>
    said === "rate_limited"
  )
  check("a source that is blocked waits", limited.length > 0)
  const other = tracehound.intercept(scent("transferred", { source: "2001:db8::1" }))
  const bytes = other.status === "quarantined" ? other.handle.transfer() : null
  const flushed = tracehound.flush().map(({ signature, size }) => `${signature} ${size}`)
  const { checkpoint } = tracehound.auditChain
  const records = JSON.parse(JSON.stringify(tracehound.auditChain.records())) as ReadonlyArray<AuditRecord>
  const hash = { sha256Hex: (bytes: Uint8Array) => hashOf("sha256", bytes), timingSafeEqual }
  const report = verifyRecords(records, { anchor: checkpoint.head, from: checkpoint.length, hash })
  check("the records verify elsewhere", report.valid && report.head === tracehound.auditChain.lastHash)
  const { bySeverity, count } = tracehound.watcher.snapshot().quarantine
  await tracehound.dispose()
  const late = said(scent("late"))
  return { list, limited, bytes: bytes?.byteLength, flushed, records: statusesOf(records), count, bySeverity, late }
}

answer["answers"] = await answers()

/** Evidence that a hound examines. */
const hounds = async (): Promise<unknown> => {
  const tracehound = createTracehound({ hound: { minimumDormant: 2, maxActive: 2 } })
  await tracehound.init()
  const statuses = ["a text", { an: "object" }, new Uint8Array(200_000).fill(5)].map((payload, i) => {
    const result = tracehound.intercept(scent(payload, { threat: { category: "malware", severity: "critical" } }))
    return i === 0 ? result.status : result.status === "escalated" || result.status === "quarantined"
  })
  const total = () => Object.values(tracehound.hounds.outcomes()).reduce<number>((sum, n) => sum + Number(n), 0)
  check("hounds are done", await until(() => total() === statuses.length))
  const level = tracehound.hounds.sandbox()?.level
  await tracehound.dispose()
  return { statuses, outcomes: tracehound.hounds.outcomes(), level }
}

answer["hounds"] = await hounds()

const bin = join(import.meta.dirname, "node_modules/tracehound/dist/edge/cli/bin.js")
const flags = ["--disable-proto=throw", "--frozen-intrinsics", "--max-old-space-size=512"]

/** The commands of the command line, under the flags that Tracehound asks for. */
const commands = (): unknown => {
  const folder = join(directory, "commands")
  mkdirSync(folder)
  const lines = Object.values(kinds).filter((payload) => typeof payload === "string").map((payload, i) =>
    JSON.stringify(scent(payload, { id: `${i}`, timestamp: 1_760_000_000_000 + i }))
  )
  const recording = join(folder, "scents.ndjson.gz")
  writeFileSync(recording, gzipSync([...lines, lines[0], "{", ""].join("\n")))
  const signatures = join(folder, "signatures.tsv")
  const run = (...args: ReadonlyArray<string>): string =>
    execFileSync(process.execPath, [...flags, bin, ...args], {
      encoding: "utf8",
      env: { ...process.env, TRACEHOUND_QUARANTINE_MAX_COUNT: "2" },
      stdio: ["ignore", "pipe", "ignore"]
    })
  const summary = JSON.parse(run("replay", recording, "--json", "--signatures", signatures)) as unknown
  const doctor = spawnSync(process.execPath, [...flags, bin, "doctor", "--json"], { encoding: "utf8" })
  const { flags: found, healthy, ports } = JSON.parse(doctor.stdout) as {
    readonly flags: ReadonlyArray<{ readonly flag: string; readonly holds: boolean }>
    readonly healthy: boolean
    readonly ports: ReadonlyArray<{ readonly port: string; readonly holds: boolean; readonly found: string }>
  }
  check(`doctor is content: ${doctor.stdout}`, healthy && doctor.status === 0)
  return { summary, signatures: readFileSync(signatures, "utf8"), found, ports }
}

answer["commands"] = commands()

process.stdout.write(`${JSON.stringify({ node: process.versions.node, failed, answer })}\n`)
