/**
 * The core's smoke test: a walk through custody on portable ports, by whatever runtime runs this file. It imports nothing of Node.
 *
 * Prints one line of JSON: the runtime, and everything that must be the same on each of them.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import { verifyRecords } from "../../src/audit/Verify.ts"
import type { Scent } from "../../src/domain/Scent.ts"
import { SecureIds } from "../../src/evidence/SecureIds.ts"
import { Compression } from "../../src/port/Compression.ts"
import { Hash } from "../../src/port/Hash.ts"
import { layer as portable } from "../../src/port/portable.ts"
import { Tracehound } from "../../src/Tracehound.ts"

const host = Layer.mergeAll(portable, Path.layer, FileSystem.layerNoop({}))
const config = { maxPayloadSize: 1_000, quarantine: { maxCount: 20 }, rateLimit: { maxRequests: 40 } }

const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)

/** One of each kind that canonical bytes tell apart, but for a Proxy, which not every runtime can tell. */
const payloads: Readonly<Record<string, unknown>> = {
  text: "GET / HTTP/1.1",
  surrogates: "\ud83d\ude00\ud800",
  bytes,
  view: new DataView(bytes.buffer, 3, 100),
  json: { b: [1, 2.5, -1e21, true, null], a: { é: "\u0000\"", "": "x" } },
  numbers: [-0, NaN, Infinity, 5e-324, 1 / 3, 2 ** 53],
  more: [undefined, 10n ** 40n, new Date(0), new Map([["k", new Set([2, 1])]]), Symbol("s"), () => 1],
  nested: [new Uint16Array([1, 2]), new ArrayBuffer(2)],
  accessor: Object.defineProperty({}, "secret", {
    enumerable: true,
    get: () => {
      throw new Error("ran")
    }
  })
}

const hex = (content: Uint8Array): string => Array.from(content, (byte) => byte.toString(16).padStart(2, "0")).join("")

const walk = Effect.gen(function*() {
  const { interceptScoped, sync } = yield* Tracehound
  const hash = yield* Hash
  const { openSync, pressSync } = yield* Compression
  const ids = yield* SecureIds
  const timestamp = yield* Clock.currentTimeMillis
  const scent = (payload: unknown, more: Partial<Scent> = {}): Scent => ({
    id: "request",
    source: "192.0.2.7",
    timestamp,
    payload,
    threat: { category: "injection", severity: "low" },
    ...more
  })

  const signatures: Record<string, string> = {}
  for (const [name, payload] of Object.entries(payloads)) {
    const result = sync.intercept(scent(payload))
    signatures[name] = result.status === "quarantined" ? result.handle.signature : JSON.stringify(result)
  }
  const held = sync.quarantine.get(signatures["bytes"] ?? "")
  const live = new Uint8Array(held?.bytes ?? new ArrayBuffer(0))
  const content = live.slice()
  const statuses = {
    duplicate: sync.intercept(scent(payloads["json"])).status,
    clean: sync.intercept({ id: "request", source: "192.0.2.7", timestamp, payload: "x" }).status,
    tooLarge: sync.intercept(scent("x".repeat(1_001))).status,
    // Anything may be passed.
    noScent: sync.intercept(JSON.parse("null") as Scent).status
  }
  const neutralized = sync.neutralize(signatures["text"] ?? "")
  const scoped = yield* Effect.scoped(interceptScoped(scent("owned by a scope")))
  for (let i = 0; i < 20; i++) sync.intercept(scent(`pushes others out ${i}`))
  const flushed = sync.flush().length
  let limited = 0
  for (let i = 0; i < 40; i++) if (sync.intercept(scent("again")).status === "rate_limited") limited += 1

  const pressed = pressSync("gzip", bytes)
  const made = Array.from({ length: 2_000 }, () => ids.next())
  const { auditChain } = sync
  return {
    signatures,
    statuses,
    evidence: hex(content),
    neutralized: [neutralized?.status, neutralized?.size],
    scoped: scoped.status,
    flushed,
    wiped: held?.disposed === true && live.length === 0,
    limited,
    left: auditChain.records().map(({ entry }) => `${entry.status} ${entry.signature}`),
    verified: auditChain.verify() &&
      verifyRecords(auditChain.records(), { anchor: "0".repeat(64), from: 0, hash }).head === auditChain.lastHash,
    gzip: hex(openSync("gzip", pressed, 256)) === hex(bytes),
    ascending: made.every((id, i) => i === 0 || id > (made[i - 1] ?? "")) && new Set(made).size === made.length
  }
})

const answer = await Effect.runPromise(
  walk.pipe(
    Effect.provide(Tracehound.layerNoDeps(config)),
    Effect.provide(SecureIds.layer),
    Effect.provide(host)
  )
)
const runtime = "Bun" in globalThis ? "Bun" : "Deno" in globalThis ? "Deno" : "Node"
console.log(JSON.stringify({ runtime, answer }))
