import { assert, describe, it } from "@effect/vitest"
import { Duplicates } from "../../../src/custody/quarantine/Duplicates.ts"
import { Vault, vaultSeedWords } from "../../../src/custody/quarantine/Vault.ts"
import { DigestBuffer } from "../../../src/domain/Digest.ts"
import { categoryRank } from "../../../src/domain/Scent.ts"
import { severityRank } from "../../../src/domain/Severity.ts"
import { equalBytes } from "../../../src/host/port/Memory.ts"

const low = severityRank("low")
const high = severityRank("high")

const makeWorld = () => {
  const vault = new Vault({ policy: "lru", keyed: false, seed: new Int32Array(vaultSeedWords), equal: equalBytes })
  const insert = (n: number): number => {
    const digest = new DigestBuffer()
    digest.words[0] = n
    const scent = { id: "", source: "", timestamp: 0 }
    const content = Uint8Array.of(n)
    return vault.insert({
      ...scent,
      category: categoryRank("spam"),
      severity: low,
      content,
      captured: 0,
      size: content.length,
      hash: digest.digest(),
      signed: digest.digest()
    })
  }
  return { duplicates: new Duplicates(vault), insert, vault }
}

describe("Duplicates", () => {
  it("RFC D7 answers all duplicates of one piece of evidence with one frozen object, and counts them", () => {
    const { duplicates, insert, vault } = makeWorld()
    const slot = insert(1)
    const answer = duplicates.answer(slot, low)
    assert.deepStrictEqual(answer, { status: "ignored", signature: vault.signatureOf(slot) })
    assert.isTrue(Object.isFrozen(answer))
    assert.strictEqual(duplicates.answer(slot, low), answer)
    assert.strictEqual(duplicates.count, 2)
  })

  it("RFC D7 answers for the evidence that is in the slot now", () => {
    const { duplicates, insert, vault } = makeWorld()
    const slot = insert(1)
    const before = duplicates.answer(slot, low)
    vault.remove(slot)
    duplicates.forget(slot)
    assert.strictEqual(insert(2), slot)
    assert.notStrictEqual(duplicates.answer(slot, low).signature, before.signature)
  })

  it("RFC Q1 makes the evidence the newest under lru", () => {
    const { duplicates, insert, vault } = makeWorld()
    const [first, second] = [insert(1), insert(2)]
    duplicates.answer(first, low)
    assert.deepStrictEqual([...vault.all()], [second, first])
  })

  it("RFC H7 tells each listener of a raise, and of nothing else", () => {
    const { duplicates, insert, vault } = makeWorld()
    const slot = insert(1)
    const heard: Array<string> = []
    for (const name of ["a", "b"]) {
      duplicates.onRaised((at, before, severity) => {
        heard.push(`${name} ${at} ${before} ${severity} ${vault.severityOf(at)}`)
      })
    }
    duplicates.answer(slot, low)
    duplicates.answer(slot, high)
    duplicates.answer(slot, high)
    duplicates.answer(slot, low)
    assert.deepStrictEqual(heard, [`a ${slot} 0 2 high`, `b ${slot} 0 2 high`])
    assert.strictEqual(vault.severityOf(slot), "high")
  })
})
