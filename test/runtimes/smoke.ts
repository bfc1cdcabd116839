/**
 * The core's smoke test: the JavaScript runtime that runs this file walks through custody on
 * portable ports, twice. Once in rooms of the core alone, where nothing of Node is loaded, and once
 * in a whole Tracehound, as README.md says in "Other hosts".
 *
 * Prints one line of JSON: the runtime and its version, how many checks there were, which failed,
 * and an `answer` that must be the same on every runtime. Ends with a status that is not zero when
 * a check failed.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import auditFile from "../../spec/vectors/audit.json" with { type: "json" }
import envelopeFile from "../../spec/vectors/envelope.json" with { type: "json" }
import { ActorSystem } from "../../src/actor/ActorSystem.ts"
import { fromArgument, resolveConfig } from "../../src/config/ConfigSources.ts"
import { Settings } from "../../src/config/Settings.ts"
import type { TracehoundConfigInput } from "../../src/config/TracehoundConfig.ts"
import { AuditChain } from "../../src/custody/audit/AuditChain.ts"
import { verifyRecords } from "../../src/custody/audit/Verify.ts"
import { ColdStorage } from "../../src/custody/coldstorage/ColdStorage.ts"
import { ColdStorageEndpoint } from "../../src/custody/coldstorage/Endpoint.ts"
import { EnvelopeError, open, seal } from "../../src/custody/evidence/Envelope.ts"
import { SecureIds } from "../../src/custody/evidence/SecureIds.ts"
import { PurgeQueue } from "../../src/custody/quarantine/PurgeQueue.ts"
import { Quarantine } from "../../src/custody/quarantine/Quarantine.ts"
import type { AuditRecord } from "../../src/domain/Records.ts"
import type { Scent } from "../../src/domain/Scent.ts"
import { Compression } from "../../src/host/port/Compression.ts"
import { Hash } from "../../src/host/port/Hash.ts"
import { layer as portable } from "../../src/host/port/portable.ts"
import { HoundPool } from "../../src/hound/pool/HoundPool.ts"
import { Agent } from "../../src/intake/agent/Agent.ts"
import { Escalation } from "../../src/intake/agent/Escalation.ts"
import { RateLimiter } from "../../src/intake/gate/RateLimiter.ts"
import { Throughput } from "../../src/intake/gate/Throughput.ts"
import type { TracehoundSync } from "../../src/runtime/TracehoundSync.ts"
import { Alerts } from "../../src/safety/alert/Alerts.ts"
import { FailSafe } from "../../src/safety/failsafe/FailSafe.ts"

let checks = 0
const failed: Array<string> = []
const answer: Record<string, string> = {}

const check = (name: string, holds: boolean): void => {
  checks += 1
  if (!holds) failed.push(name)
}

const genesis = "0".repeat(64)
const utf8 = new TextEncoder()

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
const unbase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), (character) => character.charCodeAt(0))

const ran = (): never => {
  throw new Error("code of the payload ran")
}

/**
 * Of spec/canonical.md's examples, those whose bytes are all different, but for a Proxy, which
 * portable ports cannot tell, and for an Error, to which Bun adds members of its own.
 */
const examples: ReadonlyArray<readonly [payload: unknown, sha256: string]> = [
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["é", "4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c"],
  ["\u{1f600}", "f0443a342c5ef54783a111b51ba56c938e474c32324d90c3a60c9c8e3a37e2d9"],
  ["\ud800", "91a681b998555fb475479817b126c94e57e52011fa1842c5d188795a4a05226b"],
  [new Uint8Array([0, 255]), "06eb7d6a69ee19e5fbdf749018d3d2abfa04bcbd1365db312eb86dc7169389b8"],
  [new Uint16Array([1, 2]).buffer, "7b11c1133330cd161071bf23a0c9b6ce5320a8f3a0f83620035a72be46df4104"],
  [null, "74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b"],
  [true, "b5bea41b6c623f7c09f1bf24dcae58ebab3c0cdd90ad966bc43a45b44867e12b"],
  [0, "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"],
  [1e21, "241c4643fa70b1dcde1205b71be4e3bebb17e9f880c8e1a33d0ead6c27271d3c"],
  [0.000001, "159fb29a827ad04b260aa6c8ab6d8637f8f2b38af5c4f3cb49d6a21205e040f8"],
  [1e-7, "5b33e02f2c5103a05d32f6ba9cb058294452bfbf393967f68bb30c1bdcbbab22"],
  [[], "4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"],
  [{}, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"],
  [[1, "a", [null]], "707f9c9a6e6abb2af6fe7c901cf8c65c765c7f3e89df2e6752d529fbaff67278"],
  [{ b: 1, a: { d: 2, c: 3 } }, "78d48859c3252943aab7306f76c80f3f07783582e05ab8f944ce0696f2dbfc67"],
  [{ דּ: 1, "\u{1f600}": 2 }, "ec4e7d8c2963caa38dccc3d42693719ac9c6ecd783891b583d333565620ac2be"],
  [["\b\t\n\f\r\"\\/\u0000\u001f\u007f\u2028"], "1864069211776e48a51ffe72da0ab6dfd29923828d229622f9047ecb67857419"],
  [JSON.parse("{\"__proto__\":1}"), "5a01b4879e11f6261f39c2f190ffde6edb6b012c42064d68312ee2f6eaf1957a"],
  [undefined, "ca866db09c30888e504f4261d8196473e6e58cc1172f631a6371c09fa18e960c"],
  [[,], "8a3b6bb32d544ea68ca5c7ca21ffd23e88239e722f95975ec226142af15f978f"],
  [-0, "2ed21ea9d677321bf6d97a3842e57dacbd9b5af84437782a30c80ed70d228be2"],
  [[NaN, Infinity, -Infinity], "2431604a89db5ac2ca7fce6fbfb952ef6cea1393e8aec3e7651c89b277a00fb4"],
  [0n, "ce2970e1cdba0083ce63779db75df08da8eec18011ed5f3ce0901a12fa333ceb"],
  [-255n, "b09c92e10cd9ccc380663b0e8e1986b9fa236afede9424dfa7f940bc175f0dc8"],
  [2n ** 64n, "fa09238489eeb818bed73afb1ed339327ac31cb3513ff621c955124252f14f81"],
  [new Date(0), "c43e0cdc3437ce394c71ce0095d656f7f8758612df117b30ab92fdaba646f0fe"],
  [new Date(-1), "02fc647fbfa1e59fc92466f79ea6b365a29db1a3e35a6b3cbb4ba7b9d3ec9f73"],
  [new Date(NaN), "7b6688406829a39bd7ed2c9fa213fd6d2352de8c0c7fb04428567f15467040c8"],
  [new Map([["b", 1], ["a", 2]]), "f7b1f5c491d05d474d52226615695e1dfc14a8861d53201c4319fceea58b3c83"],
  [new Map([[10, 1], [9, 2]]), "747771918033ac5068607e4a51f523bd66b5526759a92277b4d687bbf1f97c39"],
  [new Map(), "0b9713548f664f10434de43ec6f8c800e4c79cc9b05a879f7cc3475aa56f4291"],
  [new Set<unknown>([3, "a", 12, 1]), "c2f072003316bb1017e33d4bb03a81dae23299d0bde18be096a09e31ad3de414"],
  [[new Uint8Array([0, 255])], "46d0fb4080d1b0d7df9719f36142aaa49a1935bf17f0f38268bf228f9d9d525a"],
  [[new DataView(new ArrayBuffer(1))], "1468a9ea1e27eec96963e71c627ae8a008403e2332614ce815f53e2501b3b1e1"],
  [[new ArrayBuffer(0)], "7710e640494ef5425b07ec8171edc1b80e81a9dd63fb4e18daae3734ce122b21"],
  [["\ud800"], "69119aac5ce42bc93c1667db0454297ffaa342c431efa2dfdf48af101c035106"],
  [{ "\udead": 1 }, "31cdae463fa1520ac755efb29a1a0a13309dc72c20c327524a14e6bc0dc10784"],
  [() => 1, "9cf9c89e3ff3275e52370a2a2e94ea33dca2bbeaf0af70c546f19d7c2c020e44"],
  [[Symbol("s")], "2afbefd20d38ecb36f76a1c841c5512dbf227b9130e69496bb638287ae902a2f"],
  [
    Object.defineProperty({}, "secret", { enumerable: true, get: ran }),
    "6f89b3a0672e25d1f487965426dde8cfcd9fbc97fe996d02b7ed0008fe5be091"
  ],
  [Object("ab"), "60ba917db1c1b325385f63a65e26491ea5861f47669481d7fc3fb463cf702599"],
  [[Object(1), Object(-0)], "6643af6ca89fc493794215455fec7df4e951a2f3c1fee74555d7481061772376"],
  [/x/gi, "7cebb004390afbf2274ce62627761302cf04aa67d75f5918d34a2bb6c47fc7e6"]
]

/** Of the same bytes as `{}`, whose evidence is held by then. */
const empty: ReadonlyArray<unknown> = [
  "{}",
  Object.create(null),
  Object.create({ inherited: 1 })
]

/** No two alike, and no example of any document: only that all runtimes agree is checked. */
const others: ReadonlyArray<unknown> = [
  [5e-324, 1 / 3, 2 ** 53, 1.7976931348623157e308, 123_456_789.125, -1e-7, 4.35, 0.1 + 0.2],
  [new Uint8ClampedArray([7]), new Int8Array([-1]), new Int16Array([-2]), new Uint32Array([3]), new Int32Array([-4])],
  [new Float32Array([0.5]), new Float64Array([-0.1]), new BigInt64Array([-1n]), new BigUint64Array([1n])],
  new Map<unknown, unknown>([[{}, 1], [[1], new Set([2])], [new Map([[1, 2]]), new Set([new Set(), {}])]]),
  new (class extends Map<string, number> {
    named = 1
  })([["a", 1]]),
  Array.from({ length: 300 }, (_, i) => ({ [`k${i % 7}`]: i / 7, z: "é\u{1f600}".repeat(i % 5) })),
  Object.fromEntries(Array.from({ length: 200 }, (_, i) => [String(i * 37 % 200), i]))
]

const config: TracehoundConfigInput = {
  maxPayloadSize: 20_000,
  maxDepth: 20,
  maxKeys: 500,
  rateLimit: { maxRequests: 70 },
  quarantine: { maxCount: 60 }
}

type House =
  & Pick<TracehoundSync, "flush" | "intercept" | "neutralize">
  & { readonly chain: Pick<TracehoundSync["auditChain"], "inspect" | "lastHash" | "records"> }

const scent = (payload: unknown, more: Partial<Scent> = {}): Scent => ({
  id: "request",
  source: "192.0.2.7",
  timestamp: 1_760_000_000_000,
  payload,
  threat: { category: "injection", severity: "low" },
  ...more
})

/**
 * Each status there is (but `escalated`, which nothing can be yet), evidence as it is held, and how
 * it leaves.
 */
const walk = (where: string, { chain, flush, intercept, neutralize }: House, hash: Hash["Service"]): void => {
  const checkIn = (name: string, holds: boolean): void => check(`${where}: ${name}`, holds)

  for (const [index, [payload, sha256]] of examples.entries()) {
    const result = intercept(scent(payload))
    checkIn(`example ${index}`, result.status === "quarantined" && result.handle.signature === `injection:${sha256}`)
  }
  for (const [index, payload] of empty.entries())
    checkIn(`as empty as {}, ${index}`, intercept(scent(payload)).status === "ignored")
  for (const [index, payload] of others.entries()) {
    const result = intercept(scent(payload))
    checkIn(`other ${index}`, result.status === "quarantined")
    answer[`${where} ${index}`] = result.status === "quarantined" ? result.handle.signature : result.status
  }

  const elsewhere = { source: "2001:db8::7" }
  const clean = intercept({ id: "1", source: "2001:db8::7", timestamp: 1, payload: "hello" })
  checkIn("clean", clean.status === "clean")
  const large = intercept(scent("x".repeat(20_001), elsewhere))
  checkIn("too large", large.status === "payload_too_large" && large.limit === 20_000)
  const cycle: Array<unknown> = []
  cycle.push(cycle)
  const deep = intercept(scent(cycle, elsewhere))
  checkIn("too deep", deep.status === "payload_too_large" && deep.bound === "maxDepth" && deep.limit === 20)
  const wide = intercept(scent(Object.fromEntries(Array.from({ length: 501 }, (_, i) => [i, i])), elsewhere))
  checkIn("too many keys", wide.status === "payload_too_large" && wide.bound === "maxKeys" && wide.limit === 500)
  // Anything may be passed.
  const none = intercept(JSON.parse("null") as Scent)
  checkIn("no scent", none.status === "error" && none.error.state === "agent")
  const hostile = intercept(scent(new Proxy({}, new Proxy({}, { get: ran })), elsewhere))
  checkIn("unreadable", hostile.status === "error")

  const flood = Array.from({ length: 71 }, () => intercept(scent("the same", { source: "198.51.100.1" })))
  checkIn("not limited", flood.slice(1, 70).every(({ status }) => status === "ignored"))
  const limited = flood[70]
  checkIn("rate limited", limited?.status === "rate_limited" && limited.retryAfter > 0)

  const text = "' OR 1=1 --"
  const result = intercept(scent(text, elsewhere))
  const handle = result.status === "quarantined" ? result.handle : undefined
  const view = new Uint8Array(handle?.bytes ?? new ArrayBuffer(0))
  checkIn("evidence", hex(view) === hex(utf8.encode(text)) && handle?.size === text.length)
  const record = neutralize(handle?.signature ?? "")
  checkIn(
    "neutralized",
    record?.status === "neutralized" && record.size === text.length &&
      record.hash === hash.sha256Hex(utf8.encode(text)) &&
      `injection:${record.hash}` === record.signature
  )
  checkIn("gone", handle?.disposed === true && handle.bytes === null && view.length === 0)
  checkIn("gone once", neutralize(handle?.signature ?? "") === null && handle?.neutralize() === null)

  for (let i = 0; i < 20; i++) intercept(scent(`pushes others out ${i}`, elsewhere))
  checkIn("full", flush().length === 60)

  const records = chain.records()
  const evicted = records.filter(({ entry }) => entry.status === "evicted").length
  checkIn("records", records.length === 61 + evicted && evicted === examples.length + others.length + 1 + 20 - 60)
  answer[`${where} left`] = hash.sha256Hex(
    utf8.encode(records.map(({ entry }) => `${entry.status} ${entry.signature} ${entry.size}`).join("\n"))
  )
  const head = chain.lastHash
  checkIn("the chain holds", chain.inspect(head).valid)
  checkIn("another head", chain.inspect(genesis).firstBroken === records.length)
  const verify = (run: ReadonlyArray<AuditRecord>) => verifyRecords(run, { anchor: genesis, from: 0, hash })
  checkIn("verifies", verify(records).valid && verify(records).head === head)
  const edited = records.map((each, i) =>
    i === 3 ? { ...each, entry: { ...each.entry, size: each.entry.size + 1 } } : each
  )
  checkIn("an edit", verify(edited).firstBroken === 3)
  checkIn("a deletion", verify(records.toSpliced(5, 1)).firstBroken === 5)
}

/** The rooms of the core, composed as `src/runtime/Rooms.ts` does. */
const rooms = Agent.layer.pipe(
  Layer.provide(Escalation.layer),
  Layer.provide(PurgeQueue.layer),
  Layer.provideMerge(Layer.mergeAll(Quarantine.layer, HoundPool.layerNone)),
  Layer.provideMerge(ColdStorage.layerNone),
  Layer.provide(FailSafe.layer),
  Layer.provideMerge(
    Layer.mergeAll(Alerts.layer, AuditChain.layer, RateLimiter.layer, SecureIds.layer, Throughput.layer)
  ),
  Layer.provideMerge(ActorSystem.layer()),
  Layer.provideMerge(Layer.effect(Settings, Effect.fromResult(resolveConfig([fromArgument(config)])))),
  Layer.provideMerge(portable)
)

const core = Effect.gen(function*() {
  const { interceptUnsafe: intercept } = yield* Agent
  const { flush, neutralize } = yield* Quarantine
  walk("core", { intercept, flush, neutralize, chain: yield* AuditChain }, yield* Hash)
})

/** Imports Tracehound here and not above, since its module imports those for Node. */
const whole = Effect.gen(function*() {
  const { Tracehound } = yield* Effect.promise(() => import("../../src/runtime/Tracehound.ts"))
  const hash = yield* Hash
  const layer = Tracehound.layerNoDeps({ ...config, hound: { enabled: false } })
  yield* Effect.gen(function*() {
    const { interceptScoped, sync } = yield* Tracehound
    walk("whole", { ...sync, chain: sync.auditChain }, hash)
    const scoped = yield* Effect.scoped(interceptScoped(scent("owned by a scope", { source: "192.0.2.8" })))
    check("whole: scoped", scoped.status === "quarantined" && scoped.handle.disposed)
  }).pipe(Effect.provide(layer))
})

/** Evidence on its way to cold storage: compressed, sealed, written once, and opened again. */
const coldStorage = Effect.gen(function*() {
  const written: Array<Uint8Array> = []
  const endpoint = Layer.succeed(ColdStorageEndpoint, {
    destination: "file:./memory",
    open: Effect.void,
    write: (_name, bytes) =>
      Effect.sync(() => {
        written.push(bytes.slice())
      })
  })
  const settings = Layer.effect(
    Settings,
    Effect.fromResult(resolveConfig([fromArgument({ audit: { coldStorage: { endpoint: "file:./memory" } } })]))
  )
  const layer = Agent.layer.pipe(
    Layer.provide(Escalation.layer),
    Layer.provide(PurgeQueue.layer),
    Layer.provideMerge(Layer.mergeAll(Quarantine.layer, HoundPool.layerNone)),
    Layer.provideMerge(ColdStorage.layer(() => endpoint)),
    Layer.provide(FailSafe.layer),
    Layer.provideMerge(
      Layer.mergeAll(Alerts.layer, AuditChain.layer, RateLimiter.layer, SecureIds.layer, Throughput.layer)
    ),
    Layer.provide(ActorSystem.layer()),
    Layer.provide(settings)
  )
  const text = "evidence ".repeat(1_000)
  yield* Effect.gen(function*() {
    const { settled, start } = yield* ColdStorage
    yield* start
    const result = (yield* Agent).interceptUnsafe(scent(text))
    const record = result.status === "quarantined" ? result.handle.evacuate() : null
    check("cold storage: evacuated", record?.destination === "file:./memory" && record.size === text.length)
    yield* settled
  }).pipe(Effect.provide(layer))
  const [envelope = new Uint8Array(0)] = written
  const opened = open(envelope, text.length, { hash: yield* Hash, compression: yield* Compression })
  check("cold storage: written", written.length === 1 && envelope.length < 1_000)
  check("cold storage: opened", new TextDecoder().decode(opened.content) === text && opened.record.severity === "low")
})

/** Known envelopes under the codecs that portable ports have, and one of its own. */
const envelopes = Effect.gen(function*() {
  const hash = yield* Hash
  const compression = yield* Compression
  const reasonOf = (envelope: Uint8Array, limit?: number): string => {
    try {
      open(envelope, limit ?? 1_000_000, { hash, compression })
      return "opened"
    } catch (error) {
      return error instanceof EnvelopeError ? error.reason : String(error)
    }
  }
  const vectors: ReadonlyArray<EnvelopeVector> = [...envelopeFile.good, ...envelopeFile.bad]
  for (const { envelope, limit, name, needs, reason = "opened" } of vectors) {
    const isLacking = needs !== undefined && !compression.codecs.some((codec) => codec === needs)
    // What is wrong with it before its body is looked at is found without the codec, too.
    const said = reasonOf(unbase64(envelope), limit)
    check(`envelope: ${name}: ${said}`, said === reason || (isLacking && said === "codec_unavailable"))
  }
  const content = Uint8Array.from({ length: 5_000 }, (_, i) => (i * i) >>> 5)
  const digest = hash.sha256Hex(content)
  const record = {
    signature: `malware:${digest}`,
    hash: digest,
    category: "malware",
    severity: "high",
    size: content.length,
    captured: 1_760_000_000_001.5,
    scent: { id: "é", source: "192.0.2.7", timestamp: -1 }
  } as const
  const sealed = seal(record, "gzip", compression.compressSync("gzip", content), hash)
  const opened = open(sealed, content.length, { hash, compression })
  check("envelope: its own", hex(opened.content) === hex(content) && opened.record.signature === record.signature)
  const broken = Array.from({ length: 50 }, (_, i) => {
    const copy = sealed.slice()
    const at = Math.floor(i * copy.length / 50)
    copy[at] = (copy[at] ?? 0) ^ 1
    return reasonOf(copy)
  })
  check("envelope: a flipped bit", broken.every((reason) => reason !== "opened"))
  answer["envelope"] = hex(sealed)
})

interface EnvelopeVector {
  readonly name: string
  readonly envelope: string
  readonly limit?: number
  readonly needs?: string
  readonly reason?: string
}

/** Known runs of records, good and bad. */
const chains = Effect.gen(function*() {
  const hash = yield* Hash
  const vectors: ReadonlyArray<ChainVector> = [...auditFile.good, ...auditFile.bad]
  for (const { anchor = genesis, firstBroken = null, from = 0, head, name, records } of vectors) {
    // Records of any origin, as they were read.
    const report = verifyRecords(records as ReadonlyArray<AuditRecord>, { anchor, from, hash })
    const found = report.valid && head !== undefined && report.head !== head
      ? from + report.checked
      : report.firstBroken
    check(`chain: ${name}`, found === firstBroken)
  }
})

interface ChainVector {
  readonly name: string
  readonly anchor?: string
  readonly from?: number
  readonly head?: string
  readonly firstBroken?: number
  readonly records: ReadonlyArray<unknown>
}

/** Enough for several milliseconds and several fillings of the pool. */
const ids = Effect.gen(function*() {
  const { next } = yield* SecureIds
  const made = Array.from({ length: 20_000 }, next)
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}-[0-9a-f]{8}$/
  check("ids: form", made.every((id) => form.test(id)))
  check("ids: ascending", made.every((id, i) => i === 0 || id > (made[i - 1] ?? id)))
  check("ids: random", new Set(made.map((id) => id.slice(-8))).size > 19_900)
})

const host = Layer.mergeAll(portable, Path.layer, FileSystem.layerNoop({}))

await Effect.runPromise(core.pipe(Effect.provide(rooms)))
await Effect.runPromise(
  Effect.all([coldStorage, envelopes, chains, ids, whole], { discard: true }).pipe(
    Effect.provide(SecureIds.layer.pipe(Layer.provideMerge(host)))
  )
)

/** `Node.js/26`, `Bun/1.4.5`, `Deno/2.9.6`. */
const [runtime = "", version = ""] = globalThis.navigator.userAgent.split("/")
console.log(JSON.stringify({ runtime, version, checks, failed, answer }))
if (failed.length > 0) throw new Error(`failed on ${runtime} ${version}: ${failed.join("; ")}`)
