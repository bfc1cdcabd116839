import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { BoundedString, fitsUtf8, isWellFormed } from "../../src/domain/Text.ts"

const encoder = new TextEncoder()

/**
 * Text of every kind of code unit that UTF-8 treats differently. Of two surrogates in a row, about
 * every fourth time they form a pair.
 */
const CodeUnit = Schema.Union([
  Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0x7f })),
  Schema.Int.check(Schema.isBetween({ minimum: 0x80, maximum: 0x7ff })),
  Schema.Int.check(Schema.isBetween({ minimum: 0x800, maximum: 0xd7ff })),
  Schema.Int.check(Schema.isBetween({ minimum: 0xd800, maximum: 0xdbff })),
  Schema.Int.check(Schema.isBetween({ minimum: 0xdc00, maximum: 0xdfff })),
  Schema.Int.check(Schema.isBetween({ minimum: 0xe000, maximum: 0xffff }))
])
const text = Arbitrary.map(
  Arbitrary.array(Arbitrary.schema(CodeUnit), { maxLength: 130 }),
  (units) => String.fromCharCode(...units)
)

describe("fitsUtf8", () => {
  it.prop(
    "RFC D1 agrees with TextEncoder on any text, at its length and one byte more or less",
    [text],
    ([sample]) => {
      const bytes = encoder.encode(sample).length
      assert.isTrue(fitsUtf8(sample, bytes))
      assert.isTrue(fitsUtf8(sample, bytes + 1))
      assert.strictEqual(fitsUtf8(sample, bytes - 1), false)
    },
    { arbitrary: { runs: 500, size: 130 } }
  )

  it.prop(
    "RFC D1 agrees with TextEncoder at 256 bytes",
    { sample: text, at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 130 })) },
    ({ at, sample }) => {
      // Padded to reach the boundary, or nearly, with the padding at either end or in between.
      const head = sample.slice(0, at)
      const tail = sample.slice(at)
      for (const off of [-1, 0, 1]) {
        const missing = 256 + off - encoder.encode(sample).length
        const padded = head + "a".repeat(Math.max(0, missing)) + tail
        assert.strictEqual(fitsUtf8(padded, 256), encoder.encode(padded).length <= 256)
      }
    },
    { arbitrary: { runs: 300, size: 130 } }
  )

  const boundaries: ReadonlyArray<readonly [name: string, text: string, bytes: number]> = [
    ["nothing", "", 0],
    ["256 of ASCII", "a".repeat(256), 256],
    ["128 of two bytes", "é".repeat(128), 256],
    ["85 of three bytes and one", "€".repeat(85) + "a", 256],
    ["64 pairs", "😀".repeat(64), 256],
    ["a lone high surrogate at the end", "a".repeat(253) + "\ud800", 256],
    ["a lone low surrogate at the start", "\udc00" + "a".repeat(253), 256],
    ["a pair the wrong way round", "\udc00\ud800" + "a".repeat(250), 256],
    ["a high surrogate before a pair", "\ud800😀" + "a".repeat(249), 256],
    ["U+FFFF, which is no surrogate", "\uffff" + "a".repeat(253), 256]
  ]
  it.each(boundaries)("RFC D1 counts %s", (_name, sample, bytes) => {
    assert.strictEqual(encoder.encode(sample).length, bytes)
    assert.isTrue(fitsUtf8(sample, bytes))
    assert.isFalse(fitsUtf8(sample + "a", bytes))
    if (bytes > 0) assert.isFalse(fitsUtf8(sample, bytes - 1))
  })

  it("reads no more than the limit, however long the text is", () => {
    let reads = 0
    const spied = (length: number): string => ({
      length,
      charCodeAt: (index: number) => {
        reads += 1
        return index % 2 === 0 ? 0xd83d : 0xde00
      }
    } as unknown as string)
    assert.isFalse(fitsUtf8(spied(1_000_000_000), 256))
    assert.strictEqual(reads, 0)
    assert.isTrue(fitsUtf8(spied(85), 256))
    assert.strictEqual(reads, 0)
    assert.isFalse(fitsUtf8(spied(256), 256))
    assert.isAtMost(reads, 256)
  })
})

describe("string schemas", () => {
  it("RFC D1 BoundedString refuses by bytes, not by characters", () => {
    const is = Schema.is(BoundedString(256))
    assert.isTrue(is("é".repeat(128)))
    assert.isFalse(is("é".repeat(129)))
    assert.isFalse(is(new Uint8Array(1)))
  })

  it.prop("isWellFormed is what TextEncoder and TextDecoder give back", [text], ([sample]) => {
    const survives = new TextDecoder("utf-8", { ignoreBOM: true }).decode(encoder.encode(sample)) === sample
    assert.strictEqual(Schema.is(Schema.String.check(isWellFormed))(sample), survives)
  }, { arbitrary: { runs: 500, size: 130 } })
})
