import { assert, describe, it } from "@effect/vitest"
import { Array as Arr, Cause, Effect, Exit, Stream } from "effect"
import { type Line, lines } from "../../../src/intake/signal/index.ts"
import { defaultMaxLineBytes, LineSplitter } from "../../../src/intake/signal/LineSplitter.ts"
import { random, Seed } from "../../support/random.ts"
import { chunksOf, randomChunks, streamOf, utf8 } from "./bytes.ts"

const split = (chunks: ReadonlyArray<Uint8Array>, maxLineBytes?: number): ReadonlyArray<Line> => {
  const splitter = new LineSplitter(maxLineBytes)
  return [...chunks.flatMap((chunk) => splitter.push(chunk)), ...splitter.end()]
}

/** Lines as `number:text`, rejected ones as `number!bytes`. */
const brief = (found: ReadonlyArray<Line>): ReadonlyArray<string> =>
  found.map((line) => line._tag === "Text" ? `${line.line}:${line.text}` : `${line.line}!${line.bytes}`)

const splitText = (text: string): ReadonlyArray<string> => brief(split([utf8(text)]))

/** The same, computed another way: from all bytes as one string of bytes. */
const reference = (bytes: Uint8Array, maxLineBytes: number): ReadonlyArray<string> => {
  const parts = Buffer.from(bytes).toString("latin1").split("\n")
  if (parts.at(-1) === "") parts.pop()
  return parts.flatMap((part, index) => {
    const begun = part.replace(/^\0+/, "")
    const content = begun.endsWith("\r") ? begun.slice(0, -1) : begun
    if (content.length > maxLineBytes) return [`${index + 1}!${content.length}`]
    const decoded = new TextDecoder("utf-8").decode(Buffer.from(content, "latin1"))
    const text = decoded.replace(/^\0+/, "").replace(/\0+$/, "")
    return /^[\0\t\n\v\f\r ]*$/.test(text) ? [] : [`${index + 1}:${text}`]
  })
}

/** Bytes with many line breaks, halves of characters and byte order marks. */
const hostileBytes = (seed: number): Uint8Array => {
  const { below, pick } = random(seed)
  const parts = Array.from({ length: below(40) }, () =>
    pick<string | ReadonlyArray<number>>([
      "\n",
      "\r\n",
      "\r",
      " ",
      "\t",
      "\0",
      "a",
      "line of text",
      "é",
      "漢",
      "😀",
      [0xef, 0xbb, 0xbf],
      [0xef, 0xbb],
      [0xf0, 0x9f],
      [0x80],
      [0xff],
      [0xed, 0xa0, 0x80]
    ]))
  return Buffer.concat(parts.map((part) => typeof part === "string" ? Buffer.from(part) : Buffer.from(part)))
}

describe("lines", () => {
  it.each<readonly [string, string, ReadonlyArray<string>]>([
    ["nothing", "", []],
    ["only a line break", "\n", []],
    ["only a CRLF", "\r\n", []],
    ["a line without a line break", "a", ["1:a"]],
    ["LF and CRLF", "a\nb\r\nc\n", ["1:a", "2:b", "3:c"]],
    ["a last line after CRLF", "a\r\nb", ["1:a", "2:b"]],
    ["blank lines, which count", "\n \t\na\n\r\n\v\f\nb\n\n", ["3:a", "6:b"]],
    ["a CR by itself, which ends nothing", "a\rb\rc", ["1:a\rb\rc"]],
    ["a CR at the very end, which is half a line break", "a\r", ["1:a"]],
    ["only one CR before an LF", "a\r\r\n", ["1:a\r"]],
    ["white space around a line, which stays", "  a  \n", ["1:  a  "]],
    ["NULs around a line, which are dropped", "\0\n\0\0a\0b\0\r\n\0 \0\n\0\0", ["2:a\0b"]],
    ["a line that a truncated file begins with", `${"\0".repeat(5000)}a\nb`, ["1:a", "2:b"]],
    ["Unicode white space and line separators, which are text", "\u00a0\n\u2028\n\u0085", [
      "1:\u00a0",
      "2:\u2028",
      "3:\u0085"
    ]],
    ["a byte order mark at the start of any line", "\ufeffa\n\ufeffb\n\0\ufeff\0c", ["1:a", "2:b", "3:c"]],
    ["a byte order mark within a line, which stays", "a\ufeff\n \ufeffb", ["1:a\ufeff", "2: \ufeffb"]],
    ["one byte order mark of two", "\ufeff\ufeffa", ["1:\ufeffa"]],
    ["a first line of nothing but a byte order mark", "\ufeff\r\na", ["2:a"]]
  ])("reads %s", (_, text, expected) => {
    assert.deepStrictEqual(splitText(text), expected)
    assert.deepStrictEqual(brief(split(chunksOf(utf8(text), 1))), expected)
  })

  it("decodes invalid UTF-8 as the WHATWG says, each line by itself", () => {
    const bytes = Uint8Array.of(
      0x61,
      0xff,
      0x62,
      0x0a,
      0xf0,
      0x9f,
      0x98,
      0x0a,
      0x80,
      0x0a,
      0xed,
      0xa0,
      0x80,
      0x0a,
      0xc3
    )
    assert.deepStrictEqual(brief(split([bytes])), [
      "1:a\ufffdb",
      "2:\ufffd",
      "3:\ufffd",
      "4:\ufffd\ufffd\ufffd",
      "5:\ufffd"
    ])
  })

  it.prop(
    "gives the same lines however the bytes are cut, those that another way gives",
    { seed: Seed },
    ({ seed }) => {
      const bytes = hostileBytes(seed)
      const limit = 1 + random(seed).below(30)
      const expected = reference(bytes, limit)
      assert.deepStrictEqual(brief(split([bytes], limit)), expected)
      assert.deepStrictEqual(brief(split(chunksOf(bytes, 1), limit)), expected)
      assert.deepStrictEqual(brief(split(randomChunks(bytes, random(seed)), limit)), expected)
    },
    { arbitrary: { runs: 2000 } }
  )

  it.effect.prop("is the same as a stream", { seed: Seed }, ({ seed }) =>
    Effect.gen(function*() {
      const bytes = hostileBytes(seed)
      const chunks = randomChunks(bytes, random(seed))
      const expected = reference(bytes, 7)
      const options = { maxLineBytes: 7 }
      assert.deepStrictEqual(brief(yield* Stream.runCollect(lines(streamOf(chunks), options))), expected)
      assert.deepStrictEqual(brief(yield* Stream.runCollect(lines(Stream.fromArray(chunks), options))), expected)
    }), { arbitrary: { runs: 300 } })

  it("keeps no view of a chunk, so that its owner may write to it again", () => {
    const splitter = new LineSplitter()
    const chunk = utf8("first ")
    const found = [...splitter.push(chunk)]
    chunk.set(utf8("second"))
    found.push(...splitter.push(chunk), ...splitter.push(utf8("\n")))
    assert.deepStrictEqual(brief(found), ["1:first second"])
  })

  it("lets a line be exactly as long as the limit, its line break not counted", () => {
    for (const ending of ["\n", "\r\n", ""]) {
      for (const size of [1, 3, 100]) {
        const chunks = chunksOf(utf8(`12345${ending}`), size)
        assert.deepStrictEqual(brief(split(chunks, 5)), ["1:12345"])
        assert.deepStrictEqual(brief(split(chunks, 4)), ["1!5"])
      }
    }
    const [rejected] = split([utf8("12345")], 4)
    assert(rejected?._tag === "Rejected")
    assert.strictEqual(
      rejected.problem,
      "the line has 5 bytes and the limit is 4: split it, or allow longer lines with maxLineBytes"
    )
  })

  it("skips a line of 50 MB without holding it, and the next line is fine", () => {
    const splitter = new LineSplitter()
    const chunk = new Uint8Array(10_000).fill(0x61)
    const found: Array<Line> = []
    let held = 0
    for (let written = 0; written < 50_000_000; written += chunk.length) {
      found.push(...splitter.push(chunk))
      held = Math.max(held, splitter.retainedBytes)
    }
    assert.isAtMost(held, defaultMaxLineBytes + 1)
    assert.strictEqual(splitter.retainedBytes, 0)
    found.push(...splitter.push(utf8("\r\nnext\n")), ...splitter.end())
    assert.deepStrictEqual(brief(found), ["1!50000000", "2:next"])
  })

  it("counts no NULs before a line, however many, and holds none of them", () => {
    const splitter = new LineSplitter(10)
    const zeros = new Uint8Array(65_536)
    for (let n = 0; n < 300; n++) {
      assert.deepStrictEqual(splitter.push(zeros), [])
      assert.strictEqual(splitter.retainedBytes, 0)
    }
    const found = [...splitter.push(utf8("\0first\n\0\0")), ...splitter.push(utf8("0123456789\r\n\x000123456789a"))]
    assert.deepStrictEqual(brief([...found, ...splitter.end()]), ["1:first", "2:0123456789", "3!11"])
  })

  it("lets go of the memory of a long line when it ends", () => {
    const splitter = new LineSplitter()
    for (let i = 0; i < 100; i++) splitter.push(new Uint8Array(10_000).fill(0x61))
    assert.isAtLeast(splitter.retainedBytes, 1_000_000)
    assert.lengthOf(splitter.push(utf8("\n")), 1)
    assert.isAtMost(splitter.retainedBytes, 65_536)
  })

  it("holds no more than the limit while lines of every length come in small chunks", () => {
    const splitter = new LineSplitter(1000)
    const rejected: Array<Line> = []
    for (let length = 0; length < 1100; length++) {
      for (const chunk of chunksOf(utf8(`${"x".repeat(length)}\n`), 7)) {
        rejected.push(...splitter.push(chunk).filter(({ _tag }) => _tag === "Rejected"))
        assert.isAtMost(splitter.retainedBytes, 1001)
      }
    }
    assert.lengthOf(rejected, 99)
  })

  it.effect("gives lines in arrays of 64 KiB of input, however large a chunk is", () =>
    Effect.gen(function*() {
      const sizes: Array<number> = []
      yield* lines(Stream.make(utf8("123456789\n".repeat(100_000)))).pipe(
        Stream.runForEachArray((found) => Effect.sync(() => sizes.push(found.length)))
      )
      assert.strictEqual(sizes.reduce((sum, size) => sum + size, 0), 100_000)
      assert.isAtMost(Math.max(...sizes), 6554)
      assert.isAtMost(sizes.length, 16)
    }))

  it.effect("fails as the byte stream fails, after the lines before, without the line that was cut off", () =>
    Effect.gen(function*() {
      const seen: Array<Line> = []
      const failing = Stream.concat(Stream.make(utf8("a\nb\nhalf a li")), Stream.fail("disk"))
      const exit = yield* lines(failing).pipe(
        Stream.runForEach((line) => Effect.sync(() => seen.push(line))),
        Effect.exit
      )
      assert.deepStrictEqual(brief(seen), ["1:a", "2:b"])
      assert.deepStrictEqual(exit, Exit.fail("disk"))
    }))

  it.effect("asks nothing of the byte stream after its end", () =>
    Effect.gen(function*() {
      let asked = 0
      const bytes = Stream.fromPull(
        Effect.succeed(Effect.suspend(() => asked++ === 0 ? Effect.succeed(Arr.of(utf8("a\nb"))) : Cause.done()))
      )
      assert.deepStrictEqual(brief(yield* Stream.runCollect(lines(bytes))), ["1:a", "2:b"])
      assert.strictEqual(asked, 2)
    }))

  it.effect("can be run twice", () =>
    Effect.gen(function*() {
      const stream = lines(Stream.make(utf8("\ufeffa\nb")))
      assert.deepStrictEqual(brief(yield* Stream.runCollect(stream)), ["1:a", "2:b"])
      assert.deepStrictEqual(brief(yield* Stream.runCollect(stream)), ["1:a", "2:b"])
    }))

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 268_435_457])(
    "refuses maxLineBytes %s",
    (maxLineBytes) => {
      assert.throws(() => new LineSplitter(maxLineBytes), RangeError, "maxLineBytes must be a whole number from 1 to")
    }
  )
})
