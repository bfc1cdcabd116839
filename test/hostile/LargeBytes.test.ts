/**
 * Passes large raw payloads that stand on classes, buffers and prototypes of their own through the
 * whole runtime: their memory is the content until custody has copied it (CONFORMANCE D4, E5).
 */
import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { createTracehound, type InterceptResult, type TracehoundInstance } from "tracehound"
import { making, rawKinds } from "../../src/testing/arbitraries/hostile.ts"
import { memoryOf, scribble } from "./equality.ts"

/** Around the sizes from which bytes stay where they are, and live outside of the arena. */
const sizes = [64_512, 64_513, 65_536, 65_537, 100_000]

const threat = { category: "malware", severity: "critical" } as const

const open = (key?: string): TracehoundInstance =>
  createTracehound({
    hound: { enabled: false },
    quarantine: { maxCount: 3 },
    rateLimit: { maxRequests: 1_000_000_000 },
    ...(key === undefined ? {} : { signature: { key } })
  })

const intercept = (tracehound: TracehoundInstance, payload: unknown): InterceptResult =>
  tracehound.intercept({ id: "1", source: "s", timestamp: 0, payload, threat })

describe("large bytes of every kind", () => {
  for (const [name, make] of Object.entries(rawKinds)) {
    it(`RFC D4 E5 ${name}: nothing runs, and what is held is a copy of what was signed`, async () => {
      for (const key of [undefined, "0123456789abcdef0123456789abcdef"]) {
        const tracehound = open(key)
        for (const size of sizes) {
          const touched: Array<string> = []
          const payload = make(making(undefined, (wire) => touched.push(wire)), size)
          const before = memoryOf(payload)
          const result = intercept(tracehound, payload)
          assert.deepStrictEqual(touched, [])
          if (result.status !== "quarantined") return assert.fail(result.status)
          assert.strictEqual(intercept(tracehound, payload).status, "ignored")
          assert.deepStrictEqual(touched, [], "as a duplicate")
          const { handle } = result
          assert.strictEqual(handle.hash, createHash("sha256").update(before).digest("hex"))
          scribble(payload)
          assert.isTrue(Buffer.from(handle.bytes ?? new ArrayBuffer(0)).equals(before), "the evidence is shared")
          assert.strictEqual(Object.getPrototypeOf(handle.bytes), ArrayBuffer.prototype)
          assert.deepStrictEqual(touched, [])
          assert.strictEqual(handle.neutralize()?.status, "neutralized")
          assert.deepStrictEqual([tracehound.quarantine.count, tracehound.quarantine.bytes], [0, 0])
        }
        assert.notInclude(tracehound.watcher.snapshot().errors.map(({ code }) => code), "evidence_tampered")
        assert.isTrue(tracehound.auditChain.verify())
        await tracehound.dispose()
      }
    })
  }

  it("RFC Q1 a quarantine that is full of them takes new evidence, is flushed and disposed of", async () => {
    const tracehound = open()
    for (const [i, make] of Object.values(rawKinds).entries()) {
      const wanted = [make(making(undefined, () => undefined), 70_000 + i), `another ${i}`]
      for (const payload of wanted) assert.strictEqual(intercept(tracehound, payload).status, "quarantined")
    }
    assert.strictEqual(tracehound.quarantine.count, 3)
    assert.strictEqual(tracehound.flush().length, 3)
    await tracehound.dispose()
  })
})

describe("a handle's buffer in hostile hands", () => {
  it("RFC E2 E3 leaves custody by every way, whatever was hung on it", async () => {
    const arm = (bytes: ArrayBuffer | null): void => {
      for (const key of ["transfer", "slice", "detached", "byteLength", "constructor"]) {
        Object.defineProperty(bytes, key, {
          get: () => {
            throw new Error(key)
          }
        })
      }
      Object.setPrototypeOf(bytes, new Proxy({}, { get: () => assert.fail("a trap ran") }))
    }
    const tracehound = open()
    for (const size of [10, 100_000]) {
      const ways = [
        (at: string) => tracehound.quarantine.get(at)?.neutralize(),
        (at: string) => tracehound.quarantine.get(at)?.transfer(),
        () => tracehound.flush()
      ]
      for (const leave of ways) {
        const result = intercept(tracehound, new Uint8Array(size).fill(7))
        if (result.status !== "quarantined") return assert.fail(result.status)
        arm(result.handle.bytes)
        leave(result.handle.signature)
        assert.isTrue(result.handle.disposed)
        assert.strictEqual(tracehound.quarantine.count, 0)
      }
    }
    await tracehound.dispose()
  })
})
