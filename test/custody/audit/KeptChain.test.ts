/**
 * A chain whose records another place keeps as well.
 */
import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { factsOf } from "../../../src/custody/audit/AuditFacts.ts"
import { type ChainEnd, genesis, makeHashChain } from "../../../src/custody/audit/HashChain.ts"
import { custody } from "../../domain/samples.ts"
import { entries, hash } from "./entries.ts"

const makeKept = (end: ChainEnd, maxRecords = 4) => {
  const chain = makeHashChain({ chainEnabled: true, maxRecords, hash })
  const texts: Array<string> = []
  const pieces: Array<number | undefined> = []
  const begin = (): number =>
    chain.continueFrom(end, {
      keep: (sequence, text, piece) => {
        assert.strictEqual(sequence, end.size + texts.length)
        texts.push(Buffer.from(text).toString())
        pieces.push(piece)
      },
      durable: () => end.size + 1
    })
  return { begin, chain, pieces, texts }
}

const leafHash = (text: string): string => createHash("sha256").update(`\0${text}`).digest("hex")

describe("a chain that goes on from another end", () => {
  it.prop("RFC A5 links each record behind that end, keeps each text, and verifies", [entries(12)], ([given]) => {
    const end = { size: 1_021, head: "ab".repeat(32) }
    const { begin, chain, texts } = makeKept(end)
    const early = given.slice(0, 2)
    for (const entry of early) chain.append(factsOf(entry))
    assert.strictEqual(begin(), early.length)
    for (const entry of given.slice(2)) chain.append(factsOf(entry))
    assert.strictEqual(chain.length, end.size + given.length)
    assert.strictEqual(texts.length, given.length)
    assert.isTrue(chain.inspect(chain.lastHash).valid)
    let head = end.head
    for (const text of texts) {
      assert.strictEqual((JSON.parse(text) as { previous: string }).previous, head)
      head = leafHash(text)
    }
    assert.strictEqual(chain.lastHash, head)
    const [oldest] = chain.records()
    assert.strictEqual(oldest?.previousHash ?? end.head, chain.checkpoint.head)
    assert.strictEqual(chain.checkpoint.length, oldest?.sequence ?? end.size)
  }, { arbitrary: { runs: 40, size: 12 } })

  it("RFC A5 tells which piece of the journal a record ends", () => {
    const { begin, chain, pieces } = makeKept({ size: 0, head: genesis })
    begin()
    chain.append({ ...factsOf(custody.neutralized), piece: 7 })
    chain.append(factsOf(custody.neutralized))
    assert.deepStrictEqual(pieces, [7, undefined])
  })

  it("RFC A5 says how many records are on disk: none where no other place keeps them", () => {
    const { begin, chain } = makeKept({ size: 5, head: "ab".repeat(32) })
    assert.strictEqual(chain.durable(), 0)
    begin()
    assert.strictEqual(chain.durable(), 6)
  })
})
