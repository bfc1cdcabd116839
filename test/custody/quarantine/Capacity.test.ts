import { assert, describe, it } from "@effect/vitest"
import { Capacity } from "../../../src/custody/quarantine/Capacity.ts"
import { Vault, vaultSeedWords } from "../../../src/custody/quarantine/Vault.ts"
import { DigestBuffer } from "../../../src/domain/Digest.ts"
import type { EvictionStrategy } from "../../../src/domain/FailSafe.ts"
import { categoryRank } from "../../../src/domain/Scent.ts"
import { type Severity, severityRank } from "../../../src/domain/Severity.ts"
import { equalBytes } from "../../../src/host/port/Memory.ts"

/**
 * A vault of at most 4 pieces and 100 bytes; `told` is what the fail-safe and the evictions heard.
 */
const makeWorld = (strategy: EvictionStrategy = "evict") => {
  const seed = new Int32Array(vaultSeedWords).fill(7)
  const vault = new Vault({ policy: "priority", keyed: false, seed, equal: equalBytes })
  const told: Array<string> = []
  const capacity = new Capacity({
    bounds: { maxCount: 4, maxBytes: 100 },
    vault,
    failSafe: {
      fullUnsafe: (stats) => {
        told.push(`full at ${stats().count}`)
        return strategy
      },
      roomUnsafe: () => {
        told.push("room")
      }
    },
    evictions: {
      evict: (slot) => {
        told.push(`evict ${vault.severityOf(slot)} ${vault.sizeOf(slot)}`)
        vault.remove(slot)
      }
    }
  })
  let made = 0
  const hold = (severity: Severity, size: number): boolean => {
    const rank = severityRank(severity)
    if (!capacity.makeRoom(rank, size, 0)) return false
    const digest = new DigestBuffer()
    digest.words[0] = ++made
    const content = new Uint8Array(size)
    const scent = { id: "", source: "", timestamp: 0 }
    vault.insert({
      ...scent,
      category: categoryRank("spam"),
      severity: rank,
      content,
      captured: 0,
      size: content.length,
      hash: digest.digest(),
      signed: digest.digest()
    })
    return true
  }
  return { capacity, hold, told, vault }
}

describe("Capacity", () => {
  it("RFC Q1 fills to both bounds exactly, and asks nothing until then", () => {
    const { capacity, hold, told } = makeWorld()
    assert.strictEqual(capacity.fill(), 0)
    for (const size of [10, 20, 30]) assert.isTrue(hold("low", size))
    assert.strictEqual(capacity.fill(), 0.75)
    assert.isTrue(hold("low", 40))
    assert.strictEqual(capacity.fill(), 1)
    assert.deepStrictEqual(told, [])
  })

  it("RFC Q1 Q3 evicts the least severe and oldest, as many as it needs", () => {
    const { hold, told } = makeWorld()
    for (const [severity, size] of [["high", 30], ["low", 10], ["medium", 30], ["low", 20]] as const)
      hold(severity, size)
    assert.isTrue(hold("medium", 60))
    assert.deepStrictEqual(told, ["full at 4", "evict low 10", "evict low 20", "evict medium 30"])
  })

  it("RFC Q3 evicts nothing for an arrival that only worse evidence could make room for", () => {
    const { hold, told } = makeWorld()
    hold("critical", 80)
    hold("low", 10)
    assert.isFalse(hold("high", 30))
    assert.isFalse(hold("critical", 101))
    assert.deepStrictEqual(told, ["full at 2", "full at 2"])
  })

  it("RFC F1 evicts nothing where the fail-safe turns arrivals away", () => {
    const { hold, told, vault } = makeWorld("turn_away")
    hold("low", 100)
    assert.isFalse(hold("critical", 1))
    assert.deepStrictEqual([told, vault.count], [["full at 1"], 1])
  })

  it("RFC F1 tells of room only when the largest arrival that found none would fit", () => {
    const { capacity, hold, told, vault } = makeWorld("turn_away")
    hold("low", 40)
    hold("low", 40)
    assert.isFalse(hold("low", 50))
    assert.isTrue(hold("low", 20), "a small one fits all the same")
    vault.remove(vault.first())
    assert.isTrue(capacity.makeRoom(severityRank("low"), 1, 0))
    assert.deepStrictEqual(told, ["full at 2"], "60 bytes are held: 50 would not fit")
    vault.remove(vault.first())
    assert.isTrue(capacity.makeRoom(severityRank("low"), 1, 0))
    assert.deepStrictEqual(told, ["full at 2", "room"])
  })
})
