/**
 * The built-in analyzer's own inflate, held against zlib: it takes what zlib takes, and nothing
 * else.
 */
import { assert, describe, it as every } from "@effect/vitest"
import * as zlib from "node:zlib"
import { crc32, inflate, limits, makeSink, makeWork } from "../../../src/hound/analyzers/builtin.mjs"
import { random, Seed } from "../../support/random.ts"
import { sampleOf } from "../../support/tiers.ts"
import { anySettings, anything, Bits, bytesOf, ours, theirs } from "./streams.ts"

const it = sampleOf(every, 4)

const runs = 200

/** Text of which every code length, and every length and distance, is likely to occur. */
const rich = (): Uint8Array => {
  const { below } = random(11)
  const bytes = new Uint8Array(300_000)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor((below(1000) / 1000) ** 4 * 256)
  for (let i = 1000; i < bytes.length - 300; i += 700) {
    const back = 1 + below(Math.min(i, 32_768))
    const length = 3 + below(256)
    for (let k = 0; k < length; k++) bytes[i + k] = bytes[i + k - back] ?? 0
  }
  return bytes
}

describe("inflate", () => {
  it.prop("gives what was deflated, at any level and strategy", { seed: Seed }, ({ seed }) => {
    const choice = random(seed)
    const content = anything(choice, 100_000)
    const raw = zlib.deflateRawSync(content, anySettings(choice))
    assert.deepStrictEqual(ours(raw), { size: content.length, crc: zlib.crc32(content), used: raw.length })
  }, { arbitrary: { runs } })

  it("every level and strategy, over content that uses all of the format", () => {
    const content = rich()
    for (let level = 0; level < 10; level++) {
      for (let strategy = 0; strategy < 5; strategy++) {
        const raw = zlib.deflateRawSync(content, { level, strategy })
        assert.deepStrictEqual(ours(raw), { size: content.length, crc: zlib.crc32(content), used: raw.length })
      }
    }
  })

  it.prop("takes a stream that was changed if zlib does, and for the same", { seed: Seed }, ({ seed }) => {
    const choice = random(seed)
    const { below, chance } = choice
    const raw = new Uint8Array(zlib.deflateRawSync(anything(choice, choice.pick([20, 500, 5000])), anySettings(choice)))
    for (let n = below(4); n >= 0; n--) {
      // The beginning, where the codes are, more often than the rest.
      const at = below(chance(0.5) ? Math.min(raw.length, 60) : raw.length)
      raw[at] = chance(0.5) ? below(256) : (raw[at] ?? 0) ^ (1 << below(8))
    }
    const changed = chance(0.2) ? raw.subarray(0, below(raw.length + 1)) : chance(0.2) ? bytesOf(raw, raw) : raw
    assert.deepStrictEqual(ours(changed), theirs(changed))
  }, { arbitrary: { runs: 2500 } })

  it.prop("takes bytes that are no stream at all if zlib does", { seed: Seed }, ({ seed }) => {
    const { below } = random(seed)
    const bytes = Uint8Array.from({ length: below(120) }, () => below(256))
    // A last block with codes of its own, more often than chance has one.
    if (bytes[0] !== undefined && below(2) === 0) bytes[0] = (bytes[0] & 0xf8) | 5
    assert.deepStrictEqual(ours(bytes), theirs(bytes))
  }, { arbitrary: { runs: 2500 } })

  it("cut off anywhere it is no stream", () => {
    const raw = zlib.deflateRawSync(rich().subarray(0, 3000))
    for (let end = 0; end < raw.length; end++) {
      assert.isNull(ours(raw.subarray(0, end)))
      assert.isNull(theirs(raw.subarray(0, end)))
    }
  })

  /** A block with codes of these lengths: for literals, and the last ones for distances. */
  const codes = (lengths: ReadonlyArray<number>, distances = 1) => {
    // Lengths 0, 1, 2 and 15 have codes of two bits: 00, 01, 10, 11.
    const bits = new Bits().put(5, 3).put(lengths.length - distances - 257, 5).put(distances - 1, 5).put(15, 4)
    for (const symbol of [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15])
      bits.put([0, 1, 2, 15].includes(symbol) ? 2 : 0, 3)
    for (const length of lengths) bits.code([0, 1, 2, 15].indexOf(length), 2)
    return bits
  }
  const zeros = (n: number) => Array.from({ length: n }, () => 0)

  const repeating = (first: number) => {
    const bits = new Bits().put(5, 3).put(0, 10).put(14, 4)
    for (const length of [2, 0, 2, 2, ...zeros(13), 2]) bits.put(length, 3)
    return bits.code(first, 2)
  }
  /** The end of block and distance 0, and then the end. */
  const ending = (bits: Bits) => bits.code(1, 2).code(1, 2).code(0, 1).done()

  /** Streams that no library writes, and what RFC 1951 and zlib make of them. */
  const odd: ReadonlyArray<readonly [name: string, stream: Uint8Array, isTaken: boolean]> = [
    ["one literal code of one bit", codes([...zeros(256), 1, 0]).code(0, 1).done(), true],
    [
      "one literal code, and the bit that it does not use",
      codes([...zeros(256), 1, 0]).code(1, 1).put(0, 16).done(),
      false
    ],
    ["one literal code of two bits", codes([...zeros(256), 2, 0]).code(0, 2).done(), false],
    ["no end of block", codes([1, 1, ...zeros(255), 0]).put(0, 20).done(), false],
    ["over-subscribed literals", codes([1, 1, ...zeros(254), 1, 0]).put(0, 20).done(), false],
    ["incomplete literals", codes([2, 2, ...zeros(254), 2, 0]).put(0, 20).done(), false],
    ["one distance code of one bit", codes([1, ...zeros(255), 1, 1]).code(1, 1).done(), true],
    ["one distance code of two bits", codes([1, ...zeros(255), 1, 2]).code(1, 1).done(), false],
    ["one distance code of fifteen bits", codes([1, ...zeros(255), 1, 15]).code(1, 1).done(), false],
    ["no distance code, and none is used", codes([1, ...zeros(255), 1, 0]).code(0, 1).code(1, 1).done(), true],
    [
      "no distance code, and one is used",
      codes([1, ...zeros(255), 2, 2, 0]).code(0, 1).code(3, 2).put(0, 30).done(),
      false
    ],
    [
      "the one distance code",
      codes([1, ...zeros(255), 2, 2, 1]).code(0, 1).code(3, 2).code(0, 1).code(2, 2).done(),
      true
    ],
    // Lengths 0, 1, 16 and 18 have codes of two bits: 00, 01, 10, 11.
    ["a repetition of nothing", ending(repeating(2).put(0, 2).code(3, 2).put(127, 7).code(3, 2).put(104, 7)), false],
    [
      "a repetition of zeros",
      ending(repeating(0).code(2, 2).put(0, 2).code(3, 2).put(127, 7).code(3, 2).put(103, 7)),
      true
    ],
    ["fixed codes: literal 286", new Bits().put(3, 3).code(0b11000110, 8).put(0, 40).done(), false],
    [
      "fixed codes: a distance of code 30",
      new Bits().put(3, 3).code(0x30, 8).code(1, 7).code(30, 5).put(0, 40).done(),
      false
    ],
    [
      "fixed codes: one byte further back than there is",
      new Bits().put(3, 3).code(0x30, 8).code(1, 7).code(1, 5).code(0, 7).done(),
      false
    ],
    [
      "fixed codes: as far back as there is",
      new Bits().put(3, 3).code(0x30, 8).code(1, 7).code(0, 5).code(0, 7).done(),
      true
    ],
    ["a block of type 3", Uint8Array.of(7, 0, 0, 0), false],
    ["a stored block of nothing", Uint8Array.of(1, 0, 0, 255, 255), true],
    ["a stored block whose length is not its complement's", Uint8Array.of(1, 0, 0, 254, 255), false],
    ["many stored blocks of nothing", bytesOf(...Array.from({ length: 50 }, () => [0, 0, 0, 255, 255]), [3, 0]), true],
    ["286 literals", codes([1, ...zeros(255), 1, ...zeros(29), 1]).code(1, 1).done(), true],
    ["287 literals", codes([1, ...zeros(255), 1, ...zeros(30), 1]).code(1, 1).done(), false],
    ["30 distances", codes([1, ...zeros(255), 1, 1, ...zeros(29)], 30).code(1, 1).done(), true],
    ["31 distances", codes([1, ...zeros(255), 1, 1, ...zeros(30)], 31).code(1, 1).done(), false],
    ["the last bit of the last byte", new Bits().put(3, 3).code(0, 7).done(), true]
  ]
  it.each(odd)("%s", (_name, stream, isTaken) => {
    assert.deepStrictEqual(ours(stream), theirs(stream))
    assert.strictEqual(ours(stream) !== null, isTaken)
  })

  it("reaches back exactly a whole window, and no further", () => {
    const content = new Uint8Array(32_768 + 600)
    const { below } = random(5)
    for (let i = 0; i < 32_768; i++) content[i] = below(256)
    content.copyWithin(32_768, 0, 600)
    const raw = zlib.deflateRawSync(content, { level: 9 })
    assert.deepStrictEqual(ours(raw)?.crc, zlib.crc32(content))
    // By hand: zlib itself never goes back by all of 32,768.
    const bits = new Bits().put(0, 3).align()
    bits.bytes.push(0x00, 0x80, 0xff, 0x7f, ...content.subarray(0, 32_768))
    const reach = bits.put(3, 3).code(0b11000101, 8).code(29, 5).put(8191, 13).code(0, 7).done()
    assert.deepStrictEqual(ours(reach), theirs(reach))
    assert.strictEqual(ours(reach)?.size, 32_768 + 258)
  })

  it("stops at its limit, at its budget, and where it becomes a bomb", () => {
    const raw = zlib.deflateRawSync(new Uint8Array(50_000_000))
    const status = (work: ReturnType<typeof makeWork>, limit = Infinity) => {
      const sink = makeSink(work, { limit })
      return [inflate(raw, 0, raw.length, sink), work.output] as const
    }
    assert.deepStrictEqual(status(makeWork(1e9), 100_000), ["over", 131_072])
    assert.deepStrictEqual(status(makeWork(1e9, { output: 1_000_000, steps: 1e9 })), ["budget", 1_015_808])
    assert.deepStrictEqual(status(makeWork(raw.length)), ["bomb", Math.ceil((200 * raw.length + 1) / 32_768) * 32_768])
    assert.strictEqual(status(makeWork(1e9, { output: 1e9, steps: 10_000 }))[0], "budget")
  })

  it("does no more work than its output and so much for each byte of input", () => {
    // Nothing costs more than a block with long codes of its own and nothing in it: the same one
    // again and again.
    const content = rich().subarray(0, 400)
    const block = zlib.deflateRawSync(content, {
      strategy: zlib.constants.Z_HUFFMAN_ONLY,
      finishFlush: zlib.constants.Z_SYNC_FLUSH
    })
    const raw = bytesOf(...Array.from({ length: 500 }, () => block), [3, 0])
    const bits = new Bits()
    // The shortest block that has codes: no symbol but its end.
    for (let i = 0; i < 20_000; i++) {
      bits.put(4, 3).put(0, 5).put(0, 5).put(14, 4)
      for (const length of [0, 0, 1, ...zeros(14), 1]) bits.put(length, 3)
      bits.code(1, 1).put(127, 7).code(1, 1).put(107, 7).code(0, 1).code(0, 1).code(0, 1)
    }
    const small = bits.put(3, 3).code(0, 7).done()
    assert.deepStrictEqual(ours(small), theirs(small))
    assert.strictEqual(ours(small)?.size, 0)
    for (const stream of [raw, small]) {
      const work = makeWork(1e9)
      const sink = makeSink(work)
      inflate(stream, 0, stream.length, sink)
      assert.isBelow(work.steps, 2 * work.output + 200 * stream.length)
      assert.isBelow(work.steps, limits(stream.length).steps)
    }
  })

  it.prop("CRC-32 is zlib's, of any part and in any pieces", { seed: Seed }, ({ seed }) => {
    const choice = random(seed)
    const bytes = anything(choice, 1000)
    const from = choice.below(bytes.length + 1)
    const to = from + choice.below(bytes.length - from + 1)
    const cut = from + choice.below(to - from + 1)
    assert.strictEqual(crc32(crc32(0, bytes, from, cut), bytes, cut, to), zlib.crc32(bytes.subarray(from, to)))
  })
})
