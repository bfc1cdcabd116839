import { afterEach, assert, describe, it, vi } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { createHash } from "node:crypto"
import type { NeutralizationRecord } from "../../src/domain/Records.ts"
import {
  type Custodian,
  type Custody,
  describe as tell,
  Handle,
  isIntact,
  release,
  wipe
} from "../../src/evidence/Evidence.ts"
import { custody as records, evidence } from "../domain/samples.ts"

const sha256Hex = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex")

const custodyOf = (content: Uint8Array): Custody => ({
  record: { ...evidence, hash: sha256Hex(content), size: content.length },
  severity: evidence.severity,
  bytes: Uint8Array.from(content).buffer,
  exposed: false
})

/** A custodian that does what the handle asks and writes down that it was asked. */
const custodianOf = (asked: Array<string>): Custodian<Custody> => ({
  transfer: (custody) => {
    asked.push("transfer")
    return release(custody)
  },
  neutralize: (custody): NeutralizationRecord | null => {
    asked.push("neutralize")
    const content = release(custody)
    if (content === null) return null
    wipe(content)
    return records.neutralized
  },
  evacuate: (custody) => {
    asked.push("evacuate")
    return release(custody) === null ? null : records.evacuated
  }
})

const someBytes = Arbitrary.map(
  Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))), {
    maxLength: 64
  }),
  (values) => Uint8Array.from(values)
)

afterEach(() => {
  vi.restoreAllMocks()
})

describe("Handle", () => {
  it("RFC E1 shows the evidence and what is known of it", () => {
    const custody = custodyOf(Uint8Array.of(1, 2, 3))
    const handle = new Handle(custody, custodianOf([]))
    assert.strictEqual(handle.size, 3)
    assert.strictEqual(handle.hash, sha256Hex(Uint8Array.of(1, 2, 3)))
    assert.strictEqual(handle.signature, evidence.signature)
    assert.strictEqual(handle.captured, evidence.captured)
    assert.strictEqual(handle.severity, "high")
    assert.isFalse(handle.disposed)
    custody.severity = "critical"
    assert.strictEqual(handle.severity, "critical")
  })

  it("RFC E1 bytes is the live buffer, and reading it marks the custody as exposed", () => {
    const custody = custodyOf(Uint8Array.of(1, 2, 3))
    const handle = new Handle(custody, custodianOf([]))
    assert.isFalse(handle.disposed, "asking whether it is disposed exposes nothing")
    assert.isFalse(custody.exposed)
    assert.strictEqual(handle.bytes, custody.bytes)
    assert.isTrue(custody.exposed)
  })

  it("RFC E1 no property leads from a handle to its custody", () => {
    const custody = custodyOf(Uint8Array.of(1))
    const handle = new Handle(custody, custodianOf([]))
    const reachable = [...Reflect.ownKeys(handle), ...Reflect.ownKeys(Handle.prototype)]
      .map((key): unknown => Reflect.get(handle, key))
    assert.notInclude(reachable, custody)
    assert.deepStrictEqual(Reflect.ownKeys(handle), [])
  })

  it("RFC E1 as JSON a handle is its record, never its bytes", () => {
    const custody = custodyOf(Uint8Array.of(1, 2, 3))
    custody.severity = "critical"
    const handle = new Handle(custody, custodianOf([]))
    const shown: unknown = JSON.parse(JSON.stringify({ handle }))
    assert.deepStrictEqual(shown, { handle: { ...custody.record, severity: "critical", disposed: false } })
    assert.isFalse(custody.exposed, "telling exposes nothing")
  })

  it("RFC E1 each way out is the custodian's", () => {
    for (const way of ["transfer", "neutralize", "evacuate"] as const) {
      const asked: Array<string> = []
      const handle = new Handle(custodyOf(Uint8Array.of(7)), custodianOf(asked))
      assert.isNotNull(handle[way]())
      assert.isTrue(handle.disposed)
      assert.isNull(handle.bytes)
      assert.isNull(handle.transfer(), `transfer after ${way}`)
      assert.isNull(handle.neutralize(), `neutralize after ${way}`)
      assert.isNull(handle.evacuate(), `evacuate after ${way}`)
      assert.deepStrictEqual(asked, [way, "transfer", "neutralize", "evacuate"])
    }
  })

  it("RFC E2 every view that was kept has length 0 afterwards, whichever way the evidence left", () => {
    for (const way of ["transfer", "neutralize", "evacuate"] as const) {
      const handle = new Handle(custodyOf(Uint8Array.of(1, 2, 3, 4)), custodianOf([]))
      const kept = handle.bytes ?? assert.fail("no bytes")
      const views = [new Uint8Array(kept), new Uint16Array(kept, 2), Buffer.from(kept)]
      handle[way]()
      for (const view of views) assert.strictEqual(view.length, 0, way)
      assert.isTrue(kept.detached)
      assert.strictEqual(kept.byteLength, 0)
    }
  })
})

describe("release", () => {
  it.prop("RFC E3 moves the bytes out as they are, once", [someBytes], ([content]) => {
    const custody = custodyOf(content)
    const before = custody.bytes
    const moved = release(custody) ?? assert.fail("nothing moved")
    assert.deepStrictEqual(new Uint8Array(moved), content)
    assert.isNull(custody.bytes)
    assert.isTrue(before?.detached)
    assert.isNull(release(custody))
  }, { arbitrary: { size: 64 } })

  it("RFC E2 a buffer that its holder detached leaves as nothing", () => {
    const custody = custodyOf(Uint8Array.of(1, 2, 3))
    structuredClone(custody.bytes, { transfer: [custody.bytes ?? assert.fail("no bytes")] })
    assert.strictEqual(release(custody)?.byteLength, 0)
    assert.isNull(custody.bytes)
    assert.isNull(release(custody))
  })
})

describe("wipe", () => {
  it("RFC E2 overwrites before it detaches", () => {
    const bytes = Uint8Array.of(1, 2, 3).buffer
    const seen: Array<ReadonlyArray<number>> = []
    const { transfer } = ArrayBuffer.prototype
    // What the memory holds at the moment in which it is given up.
    vi.spyOn(ArrayBuffer.prototype, "transfer").mockImplementation(function(this: ArrayBuffer, length?: number) {
      seen.push([...new Uint8Array(this)])
      return transfer.call(this, length)
    })
    wipe(bytes)
    assert.deepStrictEqual(seen, [[0, 0, 0]])
    assert.isTrue(bytes.detached)
  })

  it("RFC E2 leaves every view with length 0", () => {
    const bytes = new ArrayBuffer(1_000_003)
    const view = new Uint8Array(bytes).fill(0xff)
    wipe(bytes)
    assert.strictEqual(view.length, 0)
    assert.strictEqual(view[0], undefined)
  })

  it("RFC E2 wiping what is detached already, or empty, does nothing and does not throw", () => {
    const bytes = new ArrayBuffer(8)
    wipe(bytes)
    wipe(bytes)
    wipe(new ArrayBuffer(0))
    assert.isTrue(bytes.detached)
  })
})

describe("isIntact", () => {
  it("hashes nothing as long as nobody was given the buffer", () => {
    let hashed = 0
    const custody = custodyOf(Uint8Array.of(1))
    assert.isTrue(isIntact(custody, () => {
      hashed += 1
      return ""
    }))
    assert.strictEqual(hashed, 0)
  })

  it.prop(
    "RFC E5 finds any byte that was changed through the live buffer",
    { content: someBytes, at: Schema.Natural, bit: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 7 })) },
    ({ at, bit, content }) => {
      const custody = custodyOf(content)
      const live = new Uint8Array(new Handle(custody, custodianOf([])).bytes ?? assert.fail("no bytes"))
      assert.isTrue(isIntact(custody, sha256Hex))
      if (live.length === 0) return
      const index = at % live.length
      live[index] = (live[index] ?? 0) ^ (1 << bit)
      assert.isFalse(isIntact(custody, sha256Hex))
    },
    { arbitrary: { size: 64 } }
  )

  it("a buffer that its holder detached is not intact, and asking does not throw", () => {
    const custody = custodyOf(Uint8Array.of(1, 2, 3))
    new Handle(custody, custodianOf([])).bytes?.transfer()
    assert.isFalse(isIntact(custody, sha256Hex))
  })

  it("evidence that left is nobody's to judge", () => {
    const custody = custodyOf(Uint8Array.of(1))
    release(custody)
    assert.isTrue(isIntact({ ...custody, exposed: true }, sha256Hex))
  })
})

describe("describe", () => {
  it("tells the severity as it stands now, and the rest as it was taken in", () => {
    const custody = custodyOf(Uint8Array.of(1))
    custody.severity = "critical"
    assert.deepStrictEqual(tell(custody), { ...custody.record, severity: "critical" })
    assert.strictEqual(custody.record.severity, "high")
  })
})
