/**
 * `npm run bench`: what a call of `intercept` costs, each line beside its floor in the same run. `--quick` takes a fifth of the
 * time, `--json` prints one object.
 */
import { createHash, hash } from "node:crypto"
import { createTracehound } from "tracehound"
import { compare, type Timing, type Variant } from "./runner.ts"

const quick = process.argv.includes("--quick")
const asJson = process.argv.includes("--json")
const options = quick ? { rounds: 11, turnMs: 5 } : { rounds: 41, turnMs: 20 }

const threat = { category: "injection", severity: "high" } as const
const roomy = { rateLimit: { maxRequests: 1_000_000_000 }, quarantine: { maxCount: 10_000_000, maxBytes: 1e15 } }

/** Bytes that are different for every counter. */
const bytesOf = (size: number) => {
  const bytes = new Uint8Array(size).fill(97)
  const view = new DataView(bytes.buffer)
  return (i: number): Uint8Array => {
    view.setFloat64(0, i)
    return bytes
  }
}

/** About a KiB of JSON, different for every counter. */
const objectOf = (i: number) => ({
  id: i,
  method: "POST",
  uri: "/login?next=%2Fadmin",
  headers: {
    host: "example.org",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64)",
    accept: "*/*",
    "content-type": "application/json"
  },
  body: { user: "admin' OR 1=1 --", password: "x".repeat(700), remember: true, tries: [1, 2, 3] }
})

const scent = (i: number, payload: unknown) => ({
  id: "1",
  source: `192.0.2.${i & 0xff}`,
  timestamp: i,
  payload,
  threat
})

const copyAndHash = (bytes: Uint8Array) => [hash("sha256", bytes, "hex"), bytes.slice()]

const clean = createTracehound(roomy)
const limited = createTracehound({ rateLimit: { maxRequests: 1, blockDurationMs: 2_000_000_000 } })
const small = createTracehound({ ...roomy, maxPayloadSize: 16 })
const held = createTracehound(roomy)
// Full from the start: every new threat evicts one.
const evicting = createTracehound({ ...roomy, quarantine: { maxCount: 10_000, maxBytes: 1e15 } })
// Emptied as it goes, so that memory is not what is measured.
const fresh = createTracehound({ ...roomy, quarantine: { maxCount: 1000, maxBytes: 1e15 } })

const sources = new Map([["192.0.2.1", 1]])
const request = { id: "1", source: "192.0.2.1", timestamp: 1, payload: "x" }
limited.intercept(request)
const known = "a known attack, again and again"
held.intercept(scent(1, known))

const kib = bytesOf(1024)
for (let i = 1; i <= 10_000; i++) evicting.intercept(scent(i, kib(-i)))
const large = bytesOf(262_144)
const variants: ReadonlyArray<Variant> = [
  { name: "floor: clock + Map.get", run: () => Date.now() + (sources.get("192.0.2.1") ?? 0) },
  { name: "clean", run: () => clean.intercept(request), floor: "floor: clock + Map.get" },
  { name: "rate limited", run: () => limited.intercept(request), floor: "floor: clock + Map.get" },
  { name: "too large (bytes)", run: (i) => small.intercept(scent(i, large(i))), floor: "floor: clock + Map.get" },
  { name: "floor: SHA-256 + copy, 1 KiB", run: (i) => copyAndHash(kib(i)) },
  {
    name: "new, bytes, 1 KiB, evicting",
    run: (i) => fresh.intercept(scent(i, kib(i))),
    floor: "floor: SHA-256 + copy, 1 KiB"
  },
  {
    name: "new, evicting one of 10,000",
    run: (i) => evicting.intercept(scent(i, kib(i))),
    floor: "floor: SHA-256 + copy, 1 KiB"
  },
  { name: "duplicate, 31 bytes", run: (i) => held.intercept(scent(i, known)), floor: "floor: SHA-256 + copy, 1 KiB" },
  { name: "floor: SHA-256 + copy, 256 KiB", run: (i) => copyAndHash(large(i)) },
  {
    name: "new, bytes, 256 KiB, evicting",
    run: (i) => fresh.intercept(scent(i, large(i))),
    floor: "floor: SHA-256 + copy, 256 KiB"
  },
  {
    name: "floor: JSON.stringify + SHA-256, 1 KiB object",
    run: (i) => createHash("sha256").update(JSON.stringify(objectOf(i))).digest("hex")
  },
  {
    name: "new, object, 1 KiB, evicting",
    run: (i) => fresh.intercept(scent(i, objectOf(i))),
    floor: "floor: JSON.stringify + SHA-256, 1 KiB object"
  }
]

const nanos = (ns: number): string => (ns < 10_000 ? `${ns.toFixed(0)} ns` : `${(ns / 1000).toFixed(1)} us`)

const table = (timings: ReadonlyArray<Timing>): string =>
  ["variant".padEnd(48) + "p10".padStart(12) + "median".padStart(12) + "ratio".padStart(10)]
    .concat(
      timings.map(({ median, name, p10, ratio }) =>
        name.padEnd(48) + nanos(p10).padStart(12) + nanos(median).padStart(12) +
        (ratio === null ? "" : `${ratio.toFixed(2)}x`).padStart(10)
      )
    )
    .join("\n")

const timings = compare(variants, options)
await Promise.all([clean, limited, small, held, evicting, fresh].map((tracehound) => tracehound.dispose()))
console.log(asJson ? JSON.stringify({ node: process.version, arch: process.arch, timings }) : table(timings))
