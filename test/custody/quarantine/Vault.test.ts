import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { createHash } from "node:crypto"
import { type Arrival, Vault, vaultSeedWords } from "../../../src/custody/quarantine/Vault.ts"
import { type Digest, DigestBuffer, digestHex } from "../../../src/domain/Digest.ts"
import { type CategoryRank, categoryRank, threatCategories } from "../../../src/domain/Scent.ts"
import { severities, type SeverityRank, severityRank } from "../../../src/domain/Severity.ts"
import { equalBytes } from "../../../src/host/port/Memory.ts"

const seed = Int32Array.from({ length: vaultSeedWords }, (_, i) => Math.imul(i + 1, 0x9e37_79b1))

const vaultOf = (policy: "priority" | "lru" = "priority", keyed = false) =>
  new Vault({ policy, keyed, seed, equal: equalBytes })

const textOf = (...parts: ReadonlyArray<string | Uint8Array>): Digest => {
  const hash = createHash("sha256")
  for (const part of parts) hash.update(part)
  return hash.digest("latin1") as Digest
}

const digestOf = (...parts: ReadonlyArray<string | Uint8Array>): DigestBuffer => {
  const digest = new DigestBuffer()
  digest.copy(textOf(...parts))
  return digest
}

const injection = categoryRank("injection")
const ddos = categoryRank("ddos")

const arrivalOf = (content: Uint8Array, more: Partial<Arrival> = {}): Arrival => ({
  category: injection,
  severity: severityRank("low"),
  content,
  size: content.length,
  captured: 1,
  id: "id",
  source: "source",
  timestamp: 2,
  hash: textOf(content),
  signed: textOf(content),
  ...more
})

const bytes = (length: number, byte: number) => new Uint8Array(length).fill(byte)

/** Sizes on both sides of where content gets a buffer of its own. */
const inside = 64_512
const sizes = [0, 1, 100, inside, inside + 1, 200_000]

const Steps = Schema.Array(Schema.Struct({
  what: Schema.Literals(["insert", "insert", "insert", "remove", "raise", "touch", "expose", "take", "find"]),
  n: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 })),
  severity: Schema.Literals(severities),
  category: Schema.Literals(threatCategories),
  text: Schema.String
}))

/** Evidence in the model. */
interface Held {
  readonly slot: number
  readonly n: number
  readonly rank: SeverityRank
  readonly category: CategoryRank
  readonly size: number
  readonly text: string
}

describe("Vault", () => {
  it("SYS L6 wipes everything, after which no generation of before is held, and takes evidence again", () => {
    const vault = vaultOf("priority", true)
    const held = sizes.map((size, n) => {
      const slot = vault.insert(arrivalOf(bytes(size, n + 1), { signed: textOf(bytes(size, n + 1), "key") }))
      return { slot, generation: vault.generationOf(slot), memory: vault.contentOf(slot) }
    })
    const exposed = vault.expose(held[2]?.slot ?? 0)
    vault.wipe()
    assert.strictEqual(vault.stats().count, 0)
    assert.strictEqual(vault.stats().bytes, 0)
    assert.isTrue(exposed.detached)
    for (const { generation, memory, slot } of held) {
      assert.isTrue(memory.every((byte) => byte === 0))
      assert.isFalse(vault.holds(slot, generation))
      assert.deepStrictEqual(vault.factsOf(slot), {
        category: injection,
        severity: severityRank("low"),
        size: 0,
        captured: 0,
        hash: "\0".repeat(32) as Digest,
        signed: "\0".repeat(32) as Digest
      })
    }
    const again = vault.insert(arrivalOf(bytes(100, 9)))
    assert.deepStrictEqual(new Uint8Array(vault.contentOf(again)), bytes(100, 9))
    assert.isTrue(held.every(({ generation, slot }) => !vault.holds(slot, generation)))
  })

  for (const size of sizes) {
    it(`RFC E5 holds a copy of ${size} bytes, and the facts of them`, () => {
      const vault = vaultOf()
      const content = bytes(size, 7)
      const slot = vault.insert(
        arrivalOf(content, {
          category: categoryRank("spam"),
          severity: severityRank("high"),
          id: "é",
          source: "a\ud800Ā"
        })
      )
      content.fill(9)
      assert.deepStrictEqual(new Uint8Array(vault.contentOf(slot)), bytes(size, 7))
      const { hash, ...facts } = vault.factsOf(slot)
      assert.strictEqual(digestHex(hash), createHash("sha256").update(bytes(size, 7)).digest("hex"))
      assert.deepStrictEqual(facts, {
        category: categoryRank("spam"),
        severity: severityRank("high"),
        size,
        captured: 1,
        signed: hash
      })
      assert.deepStrictEqual(vault.scentOf(slot), { id: "é", source: "a\ud800Ā", timestamp: 2 })
      assert.deepStrictEqual([vault.count, vault.bytes], [1, size])
    })

    it(`RFC E3 gives ${size} bytes away, and leaves no trace of them`, () => {
      const vault = vaultOf()
      const slot = vault.insert(arrivalOf(bytes(size, 7)))
      const memory = vault.contentOf(slot)
      assert.deepStrictEqual(new Uint8Array(vault.take(slot)), bytes(size, 7))
      vault.remove(slot)
      assert.isTrue(memory.buffer.detached || memory.every((byte) => byte === 0))
      assert.strictEqual(vault.find(digestOf(bytes(size, 7)), injection), -1)
      assert.deepStrictEqual([vault.count, vault.bytes], [0, 0])
    })

    it(`RFC E2 the live buffer of ${size} bytes is the evidence, and is wiped and detached with it`, () => {
      const vault = vaultOf()
      const slot = vault.insert(arrivalOf(bytes(size, 7)))
      const where = vault.contentOf(slot)
      const buffer = vault.expose(slot)
      assert.deepStrictEqual(new Uint8Array(buffer), bytes(size, 7))
      assert.strictEqual(vault.expose(slot), buffer)
      assert.strictEqual(vault.contentOf(slot).buffer, buffer)
      if (size <= inside) assert.isTrue(where.every((byte) => byte === 0), "nothing stays where it was")
      assert.deepStrictEqual(vault.scentOf(slot), { id: "id", source: "source", timestamp: 2 })
      vault.remove(slot)
      assert.isTrue(buffer.detached)
    })

    it(`RFC D7 knows ${size} bytes again without their hash, in their own category alone`, () => {
      const vault = vaultOf()
      const slot = vault.insert(arrivalOf(bytes(size, 7)))
      assert.strictEqual(vault.findSame(bytes(size, 7), size, injection), slot)
      assert.strictEqual(vault.findSame(bytes(size, 7), size, ddos), -1)
      assert.strictEqual(vault.findSame(bytes(size + 1, 7), size + 1, injection), -1)
      if (size > 0) {
        const almost = bytes(size, 7)
        almost[size - 1] = 8
        assert.strictEqual(vault.findSame(almost, size, injection), -1)
      }
      vault.remove(slot)
      assert.strictEqual(vault.findSame(bytes(size, 7), size, injection), -1)
    })
  }

  it("RFC E2 uses the memory of long content again, wiped, and never what somebody was given", () => {
    const vault = vaultOf()
    const size = 200_000
    const kept = vault.contentOf(vault.insert(arrivalOf(bytes(size, 7)))).buffer
    vault.remove(0)
    assert.isTrue(new Uint8Array(kept).every((byte) => byte === 0))
    const slot = vault.insert(arrivalOf(bytes(size - 1, 8)))
    assert.strictEqual(vault.contentOf(slot).buffer, kept)
    assert.deepStrictEqual(new Uint8Array(vault.contentOf(slot)), bytes(size - 1, 8))
    const given = vault.expose(slot)
    assert.strictEqual(given.byteLength, size - 1)
    assert.isTrue(new Uint8Array(kept).every((byte) => byte === 0), "nothing stays where it was")
    vault.remove(slot)
    assert.isTrue(given.detached)
    assert.strictEqual(vault.contentOf(vault.insert(arrivalOf(bytes(size, 9)))).buffer, kept)
  })

  it("RFC D7 does not find exposed bytes without their hash, as their holder may have changed them", () => {
    const vault = vaultOf()
    const slot = vault.insert(arrivalOf(bytes(64, 7)))
    new Uint8Array(vault.expose(slot)).fill(8)
    assert.strictEqual(vault.findSame(bytes(64, 8), 64, injection), -1)
    assert.strictEqual(vault.findSame(bytes(64, 7), 64, injection), -1)
    assert.strictEqual(vault.find(digestOf(bytes(64, 7)), injection), slot)
  })

  it("RFC D8 with a key keeps the hash beside the signature's digest", () => {
    const vault = vaultOf("priority", true)
    const content = bytes(10, 1)
    const signed = digestOf("key", content)
    const slot = vault.insert(arrivalOf(content, { signed: textOf("key", content) }))
    assert.strictEqual(vault.find(signed, injection), slot)
    assert.strictEqual(vault.find(digestOf(content), injection), -1)
    const facts = vault.factsOf(slot)
    assert.notStrictEqual(facts.hash, facts.signed)
    const [a, b] = [new DigestBuffer(), new DigestBuffer()]
    vault.readDigests(slot, a, b)
    assert.deepStrictEqual([a.words, b.words], [signed.words, digestOf(content).words])
  })

  it("RFC Q1 takes nothing where a copy cannot be made: no slot, no memory of the arena", () => {
    const vault = vaultOf()
    const first = vault.insert(arrivalOf(bytes(1, 1)))
    vault.remove(first)
    // Longer than any memory: what the host throws when it has no room for a copy.
    const endless = { length: 2 ** 53 } as Uint8Array
    for (let time = 0; time < 100; time++) {
      assert.throws(() =>
        vault.insert({
          ...arrivalOf(bytes(1, 1)),
          content: endless,
          size: endless.length,
          id: "i".repeat(256),
          source: "s".repeat(256)
        })
      )
    }
    assert.deepStrictEqual([vault.count, vault.bytes, [...vault.all()]], [0, 0, []])
    assert.strictEqual(vault.insert(arrivalOf(bytes(1, 2))), first)
    for (let n = 0; n < 2_000; n++) {
      const slot = vault.insert(arrivalOf(bytes(1, n), { signed: textOf(`${n}`) }))
      assert.throws(() => vault.insert({ ...arrivalOf(bytes(1, 1)), content: endless, size: endless.length }))
      vault.remove(slot)
    }
    assert.isAtMost(vault.reserved, 3 * 1_048_576)
    assert.strictEqual(vault.count, 1)
  })

  it("a slot is used again, and its generation tells", () => {
    const vault = vaultOf()
    const first = vault.insert(arrivalOf(bytes(1, 1)))
    const generation = vault.generationOf(first)
    assert.isTrue(vault.holds(first, generation))
    vault.remove(first)
    assert.isFalse(vault.holds(first, generation))
    const second = vault.insert(arrivalOf(bytes(1, 2)))
    assert.strictEqual(second, first)
    assert.isFalse(vault.holds(second, generation))
    assert.isTrue(vault.holds(second, vault.generationOf(second)))
  })

  it("has no bytes to give where the holder of the live buffer took it away", () => {
    const vault = vaultOf()
    const slot = vault.insert(arrivalOf(bytes(5, 1)))
    vault.expose(slot).transfer()
    assert.strictEqual(vault.contentOf(slot).length, 0)
    assert.strictEqual(vault.take(slot).byteLength, 0)
    vault.remove(slot)
    assert.strictEqual(vault.count, 0)
  })

  for (const policy of ["priority", "lru"] as const) {
    it.prop(`RFC Q1 is what a list of plain objects is, after every step, under ${policy}`, [Steps], ([steps]) => {
      const vault = vaultOf(policy)
      const model: Array<Held> = []
      for (const { n, text, what, ...step } of steps) {
        const category = categoryRank(step.category)
        const rank = severityRank(step.severity)
        const at = model.findIndex((held) => held.n === n)
        const held = model[at]
        const content = bytes(n * 40, n)
        if (what === "insert") {
          if (held !== undefined) continue
          const slot = vault.insert(
            arrivalOf(content, { category, severity: rank, id: text, source: text, signed: textOf(`${n}`) })
          )
          model.push({ slot, n, rank, category, size: n * 40, text })
        } else if (held === undefined) assert.strictEqual(vault.find(digestOf(`${n}`), category), -1)
        else if (what === "remove") {
          vault.remove(held.slot)
          model.splice(at, 1)
        } else if (what === "raise") {
          vault.raise(held.slot, rank)
          model.splice(at, 1)
          model.push({ ...held, rank })
        } else if (what === "touch") {
          vault.touch(held.slot)
          if (policy === "lru") model.push(...model.splice(at, 1))
        } else if (what === "expose") assert.strictEqual(vault.expose(held.slot).byteLength, held.size)
        else if (what === "take") {
          assert.deepStrictEqual(new Uint8Array(vault.take(held.slot)), content)
          vault.remove(held.slot)
          model.splice(at, 1)
        } else assert.strictEqual(vault.find(digestOf(`${n}`), held.category), held.slot)

        const order = policy === "lru" ? model : model.toSorted((a, b) => a.rank - b.rank)
        assert.deepStrictEqual([...vault.all()], order.map(({ slot }) => slot))
        assert.strictEqual(vault.first(), order[0]?.slot ?? -1)
        assert.strictEqual(vault.count, model.length)
        assert.strictEqual(vault.bytes, model.reduce((sum, { size }) => sum + size, 0))
        severities.forEach((_, severity) => {
          const of = model.filter((one) => one.rank === severity)
          assert.strictEqual(vault.counts[severity], of.length)
          assert.strictEqual(vault.byteCounts[severity], of.reduce((sum, { size }) => sum + size, 0))
        })
        for (const one of model) {
          assert.isTrue(Buffer.alloc(one.size, one.n).equals(vault.contentOf(one.slot)))
          assert.deepStrictEqual(vault.scentOf(one.slot), { id: one.text, source: one.text, timestamp: 2 })
        }
      }
    }, { arbitrary: { runs: 60, size: 60 } })
  }
})
