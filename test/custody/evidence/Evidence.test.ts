import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { createHash } from "node:crypto"
import { type Custodian, type CustodyFacts, Handle, NEVER_HELD } from "../../../src/custody/evidence/Evidence.ts"
import { own } from "../../../src/custody/evidence/Ownership.ts"
import type { Digest } from "../../../src/domain/Digest.ts"
import { categoryRank } from "../../../src/domain/Scent.ts"
import { type Severity, severityRank } from "../../../src/domain/Severity.ts"

const digestOf = (text: string) => createHash("sha256").update(text).digest("latin1") as Digest
const hexOf = (text: string) => createHash("sha256").update(text).digest("hex")

const facts: CustodyFacts = {
  category: categoryRank("malware"),
  severity: severityRank("low"),
  size: 3,
  captured: 12.5,
  hash: digestOf("content"),
  signed: digestOf("signed")
}

/**
 * A custodian of one slot, 5, which holds while its generation is 1; it writes down what it is
 * asked for.
 */
const makeCustodian = () => {
  const asked: Array<string> = []
  const buffer = new Uint8Array([1, 2, 3]).buffer
  const state = { generation: 1, severity: "low" as Severity }
  const leave = (way: string) => (slot: number) => {
    asked.push(`${way} ${slot}`)
    state.generation += 1
    return null
  }
  const custodian: Custodian = {
    holds: (slot, generation) => slot === 5 && generation === state.generation,
    severityOf: () => state.severity,
    scentOf: () => ({ id: "i", source: "s", timestamp: 1 }),
    expose: (slot) => {
      asked.push(`expose ${slot}`)
      return buffer
    },
    isDurable: () => false,
    whenDurable: () => Effect.void,
    transfer: leave("transfer"),
    neutralize: leave("neutralize"),
    evacuate: leave("evacuate")
  }
  return { asked, buffer, custodian, state }
}

describe("Handle", () => {
  it("RFC E1 shows the facts of the evidence, and the bytes of its custodian", () => {
    const { asked, buffer, custodian, state } = makeCustodian()
    const handle = new Handle(custodian, 5, 1, facts)
    assert.strictEqual(handle.size, 3)
    assert.strictEqual(handle.hash, hexOf("content"))
    assert.strictEqual(handle.signature, `malware:${hexOf("signed")}`)
    assert.strictEqual(handle.captured, 12.5)
    assert.isFalse(handle.disposed)
    assert.deepStrictEqual(asked, [])
    assert.strictEqual(handle.bytes, buffer)
    assert.deepStrictEqual(asked, ["expose 5"])
    state.severity = "critical"
    assert.strictEqual(handle.severity, "critical")
  })

  it("RFC E1 no property leads from a handle to its custodian", () => {
    const { custodian } = makeCustodian()
    const handle = new Handle(custodian, 5, 1, facts)
    assert.deepStrictEqual(Reflect.ownKeys(handle), [])
    assert.deepStrictEqual(JSON.parse(JSON.stringify(handle)), {
      signature: `malware:${hexOf("signed")}`,
      hash: hexOf("content"),
      category: "malware",
      severity: "low",
      size: 3,
      captured: 12.5,
      disposed: false,
      scent: { id: "i", source: "s", timestamp: 1 }
    })
  })

  for (const way of ["transfer", "neutralize", "evacuate"] as const) {
    it(`RFC E2 ${way} is asked of the custodian once, and of a dead handle never`, () => {
      const { asked, custodian } = makeCustodian()
      const handle = new Handle(custodian, 5, 1, facts)
      handle[way]()
      assert.deepStrictEqual(asked, [`${way} 5`])
      assert.isTrue(handle.disposed)
      assert.strictEqual(handle.bytes, null)
      assert.deepStrictEqual([handle.transfer(), handle.neutralize(), handle.evacuate()], [null, null, null])
      assert.deepStrictEqual(asked, [`${way} 5`])
      assert.strictEqual(handle.severity, "low", "as it was when the handle was made")
    })
  }

  it("RFC Q3 evidence that was never held has a dead handle with its facts", () => {
    const { asked, custodian } = makeCustodian()
    const handle = new Handle(custodian, NEVER_HELD, 0, facts)
    assert.isTrue(handle.disposed)
    assert.strictEqual(handle.neutralize(), null)
    assert.strictEqual(handle.signature, `malware:${hexOf("signed")}`)
    assert.deepStrictEqual(asked, [])
  })
})

describe("RFC E8 a scope owns evidence", () => {
  it.effect("RFC E8 closing the scope neutralizes what it still owns, however it closes", () =>
    Effect.gen(function*() {
      for (const exit of [Exit.void, Exit.fail("no"), Exit.die("bug")]) {
        const { asked, custodian } = makeCustodian()
        const scope = yield* Scope.make()
        const handle = yield* Scope.provide(own(new Handle(custodian, 5, 1, facts)), scope)
        assert.isFalse(handle.disposed)
        assert.deepStrictEqual(asked, [])
        yield* Scope.close(scope, exit)
        assert.deepStrictEqual(asked, ["neutralize 5"])
      }
    }))

  it.effect("RFC E8 evidence that left before is left alone", () =>
    Effect.gen(function*() {
      const { asked, custodian } = makeCustodian()
      const scope = yield* Scope.make()
      const handle = yield* Scope.provide(own(new Handle(custodian, 5, 1, facts)), scope)
      handle.transfer()
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(asked, ["transfer 5"])
    }))
})
