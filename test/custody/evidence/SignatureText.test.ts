import { assert, describe, it } from "@effect/vitest"
import { parseSignature, signatureOf } from "../../../src/custody/evidence/SignatureText.ts"
import { DigestBuffer, hexOf } from "../../../src/domain/Digest.ts"
import { categoryRank, threatCategories } from "../../../src/domain/Scent.ts"

const words = Int32Array.from({ length: 8 }, (_, i) => Math.imul(i + 1, 0x9e37_79b1))

describe("SignatureText", () => {
  it("RFC D3 reads back every signature that it writes", () => {
    for (const category of threatCategories) {
      const read = new DigestBuffer()
      const written = new DigestBuffer()
      written.copyFrom(words, 0)
      const signature = signatureOf(category, hexOf(written.bytes))
      assert.match(signature, /^[a-z]+:[0-9a-f]{64}$/)
      assert.strictEqual(parseSignature(signature, read), categoryRank(category))
      assert.deepStrictEqual(read.words, words)
    }
  })

  it("RFC D3 takes nothing else for a signature, and does not throw", () => {
    const hex = "0".repeat(64)
    for (
      const wrong of [
        undefined,
        null,
        7,
        {},
        Symbol("s"),
        "",
        ":",
        hex,
        `:${hex}`,
        "spam:",
        `spam${hex}`,
        `Spam:${hex}`
      ]
        .concat([`spa:${hex}`, `spam:${hex}0`, `spam:${hex.slice(1)}`, `spam:${hex.slice(1)}A`, `spam::${hex}`])
    ) {
      assert.isNull(parseSignature(wrong, new DigestBuffer()), String(wrong))
    }
  })
})
