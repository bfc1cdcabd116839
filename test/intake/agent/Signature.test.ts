import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { createHash, createHmac } from "node:crypto"
import { type Digest, digestHex } from "../../../src/domain/Digest.ts"
import { makeSigner } from "../../../src/intake/agent/Signature.ts"
import { random } from "../../support/random.ts"

const sha256Into = (bytes: Uint8Array, target: Uint8Array): void => {
  target.set(createHash("sha256").update(bytes).digest())
}
const sha256Text = (bytes: Uint8Array): Digest => createHash("sha256").update(bytes).digest("latin1") as Digest

const bytesOf = (length: number, seed: number): Uint8Array => {
  const { below } = random(seed)
  return Uint8Array.from({ length }, () => below(256))
}

/** The canonical writer's view of this content. */
const written = (prefix: Uint8Array, content: Uint8Array) => {
  const prefixed = new Uint8Array(prefix.length + content.length)
  prefixed.set(prefix)
  prefixed.set(content, prefix.length)
  return { content, prefixed }
}

const Length = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 300 }))

describe("Signature", () => {
  it.prop(
    "RFC D8 with a key is HMAC-SHA-256, for a key and a content of any length",
    [Length, Length],
    ([keyLength, length]) => {
      const key = bytesOf(keyLength, keyLength + 1)
      const signer = makeSigner({ sha256Into, sha256Text }, key)
      assert.strictEqual(signer.prefix.length, 64)
      for (const content of [bytesOf(length, 7), bytesOf(300 - length, 8)]) {
        const payload = written(signer.prefix, content)
        const signed = signer.sign(payload)
        assert.strictEqual(digestHex(signed), createHmac("sha256", key).update(content).digest("hex"))
        assert.strictEqual(digestHex(signer.hash(payload, signed)), createHash("sha256").update(content).digest("hex"))
      }
    }
  )

  it("RFC D8 gives the vectors of RFC 4231", () => {
    const vectors = [
      ["0b".repeat(20), "4869205468657265", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"],
      [
        "4a656665",
        "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
      ],
      ["aa".repeat(20), "dd".repeat(50), "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"],
      [
        "aa".repeat(131),
        "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6579204669727374",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
      ]
    ] as const
    for (const [key, data, mac] of vectors) {
      const signer = makeSigner({ sha256Into, sha256Text }, Buffer.from(key, "hex"))
      assert.strictEqual(digestHex(signer.sign(written(signer.prefix, Buffer.from(data, "hex")))), mac)
    }
  })

  it.prop("RFC D3 without a key is the SHA-256, which is hashed once", [Length], ([length]) => {
    let hashed = 0
    const signer = makeSigner({
      sha256Into,
      sha256Text: (bytes) => {
        hashed += 1
        return sha256Text(bytes)
      }
    }, undefined)
    const payload = written(signer.prefix, bytesOf(length, 3))
    assert.strictEqual(signer.prefix.length, 0)
    const signed = signer.sign(payload)
    assert.strictEqual(digestHex(signed), createHash("sha256").update(payload.content).digest("hex"))
    assert.strictEqual(signer.hash(payload, signed), signed)
    assert.strictEqual(hashed, 1)
  })
})
