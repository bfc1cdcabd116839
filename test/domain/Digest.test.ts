import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { createHash } from "node:crypto"
import { type Digest, DigestBuffer, digestHex, hexOf } from "../../src/domain/Digest.ts"

const sha256 = (text: string) => createHash("sha256").update(text).digest()

describe("Digest", () => {
  it.prop("RFC D3 gives the digest's own hexadecimal, from bytes, words and text alike", [Schema.String], ([text]) => {
    const hex = sha256(text).toString("hex")
    const buffer = new DigestBuffer()
    buffer.bytes.set(sha256(text))
    assert.strictEqual(hexOf(buffer.bytes), hex)
    const digest = sha256(text).toString("latin1") as Digest
    assert.strictEqual(digestHex(digest), hex)
    assert.strictEqual(buffer.digest(), digest)
    const copy = new DigestBuffer()
    copy.copy(digest)
    assert.deepStrictEqual(copy.words, buffer.words)
    const read = new DigestBuffer()
    assert.isTrue(read.read(`spam:${hex}`, 5))
    assert.deepStrictEqual(read.words, buffer.words)
  })

  it("copies a digest from the middle of a column", () => {
    const column = new Int32Array(24)
    const bytes = new Uint8Array(column.buffer)
    bytes.set(sha256("a"), 32)
    const buffer = new DigestBuffer()
    buffer.copyFrom(column, 8)
    assert.strictEqual(hexOf(buffer.bytes), sha256("a").toString("hex"))
    const other = new Int32Array(24)
    buffer.copyTo(other, 8)
    assert.deepStrictEqual(other, column)
  })

  it("reads nothing but 64 lowercase hexadecimal characters", () => {
    const hex = sha256("x").toString("hex")
    for (
      const wrong of [
        "",
        hex.slice(1),
        `${hex}0`,
        hex.toUpperCase(),
        `${hex.slice(1)}g`,
        `${hex.slice(1)}/`,
        `${hex.slice(1)}:`,
        `${hex.slice(1)}\``
      ]
    ) {
      assert.isFalse(new DigestBuffer().read(wrong, 0), wrong)
    }
    assert.isTrue(new DigestBuffer().read(hex, 0))
  })
})
