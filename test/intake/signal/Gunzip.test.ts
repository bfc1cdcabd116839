import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import zlib from "node:zlib"
import * as NodeInflate from "../../../src/host/node/NodeInflate.ts"
import { gunzipIfNeeded, GzipError, Inflate } from "../../../src/intake/signal/index.ts"
import { random, Seed } from "../../support/random.ts"
import { chunksOf, concat, gunzipped, gzip, randomChunks, streamOf, utf8 } from "./bytes.ts"

const reasonOf = (problem: unknown): string | undefined =>
  problem instanceof GzipError ? problem.reason : problem === undefined ? undefined : String(problem)

/**
 * The bytes that come out and the reason of an early end, which every way of cutting must agree on.
 */
const inflate = (bytes: Uint8Array): Effect.Effect<readonly [string, string | undefined]> =>
  Effect.gen(function*() {
    const whole = yield* gunzipped(Stream.make(bytes))
    for (const size of [1, 2, 7, 1000])
      assert.deepStrictEqual(yield* gunzipped(streamOf(chunksOf(bytes, size))), whole, `in chunks of ${size}`)
    assert.deepStrictEqual(yield* gunzipped(Stream.fromArray(chunksOf(bytes, 3))), whole)
    return [whole.text, reasonOf(whole.problem)] as const
  })

const crc16 = (bytes: Uint8Array): Uint8Array => {
  const crc = zlib.crc32(bytes)
  return Uint8Array.of(crc & 0xff, (crc >>> 8) & 0xff)
}

/**
 * A member with this header: its flags, and the fields that they announce after the ten fixed
 * bytes.
 */
const memberWith = (flags: number, extra: Uint8Array): Uint8Array =>
  concat(Uint8Array.of(0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 0, 3), extra, gzip("hello\n").subarray(10))

const zeros = (length: number): Uint8Array => new Uint8Array(length)

/** Text that hardly compresses. */
const noise = (seed: number, length: number): string => {
  const { below } = random(seed)
  return Array.from({ length }, () => String.fromCharCode(33 + below(90))).join("")
}

describe("gunzipIfNeeded", () => {
  it.effect.each<readonly [string, Uint8Array, string, string | undefined]>([
    ["nothing", zeros(0), "", undefined],
    ["plain text", utf8("hello\n"), "hello\n", undefined],
    ["one byte", utf8("h"), "h", undefined],
    ["the first byte of gzip and no more", Uint8Array.of(0x1f), "\x1f", undefined],
    ["the first byte of gzip and another", Uint8Array.of(0x1f, 0x8a), "\x1f\x8a", undefined],
    ["a member", gzip("hello\n"), "hello\n", undefined],
    ["an empty member", gzip(""), "", undefined],
    ["members that follow one another", concat(gzip("hel"), gzip(""), gzip("lo\nyou\n")), "hello\nyou\n", undefined],
    ["stored blocks", zlib.gzipSync("hello\n", { level: 0 }), "hello\n", undefined],
    ["gzip inside gzip, once", gzip(gzip("hello\n")), Buffer.from(gzip("hello\n")).toString("latin1"), undefined],
    ["zeros after the last member", concat(gzip("hello\n"), zeros(1)), "hello\n", undefined],
    ["a block of zeros after the last member", concat(gzip("hello\n"), zeros(5000)), "hello\n", undefined],
    ["a member after padding", concat(gzip("hel"), zeros(3), gzip("lo\n")), "hello\n", undefined],
    ["text after the last member", concat(gzip("hello\n"), utf8("more\n")), "hello\n", "garbage"],
    ["text after padding", concat(gzip("hello\n"), zeros(9), utf8("more\n")), "hello\n", "garbage"],
    ["almost a member after a member", concat(gzip("hello\n"), Uint8Array.of(0x1f, 0x8a)), "hello\n", "garbage"],
    ["half a header after a member", concat(gzip("hello\n"), Uint8Array.of(0x1f)), "hello\n", "truncated"],
    ["a header and no more", gzip("hello\n").subarray(0, 10), "", "truncated"],
    ["two bytes", Uint8Array.of(0x1f, 0x8b), "", "truncated"],
    ["another method than deflate", Uint8Array.of(0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0), "", "corrupt"],
    ["reserved flags", memberWith(0x20, zeros(0)), "", "corrupt"],
    ["a block of a kind that does not exist", concat(gzip("").subarray(0, 10), Uint8Array.of(7)), "", "corrupt"],
    ["an extra field", memberWith(4, concat(Uint8Array.of(3, 0), utf8("abc"))), "hello\n", undefined],
    ["a long extra field", memberWith(4, concat(Uint8Array.of(0, 1), zeros(256))), "hello\n", undefined],
    ["a name", memberWith(8, utf8("audit.log\0")), "hello\n", undefined],
    ["a name and a comment", memberWith(24, utf8("audit.log\0of today\0")), "hello\n", undefined],
    [
      "a header with its CRC",
      memberWith(10, concat(utf8("n\0"), crc16(Uint8Array.of(0x1f, 0x8b, 8, 10, 1, 2, 3, 4, 0, 3, 0x6e, 0)))),
      "hello\n",
      undefined
    ],
    ["a header with another CRC", memberWith(2, Uint8Array.of(1, 2)), "", "corrupt"]
  ])("reads %s", ([, bytes, text, reason]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* inflate(bytes), [text, reason])
    }))

  it.effect("checks the CRC and the length of each member", () =>
    Effect.gen(function*() {
      const member = gzip("hello\n")
      for (let back = 1; back <= 8; back++) {
        const wrong = Uint8Array.from(member)
        wrong[member.length - back] = (wrong[member.length - back] ?? 0) ^ 1
        assert.deepStrictEqual(yield* inflate(wrong), ["hello\n", "corrupt"])
        assert.deepStrictEqual(yield* inflate(concat(member, wrong, member)), ["hello\nhello\n", "corrupt"])
      }
    }))

  it.effect.prop("inflates any members, however they are cut", { seed: Seed }, ({ seed }) =>
    Effect.gen(function*() {
      const choice = random(seed)
      const texts = Array.from({ length: 1 + choice.below(4) }, () => noise(choice.below(1000), choice.below(3000)))
      const bytes = concat(...texts.map(gzip), zeros(choice.below(3)))
      const { problem, text } = yield* gunzipped(streamOf(randomChunks(bytes, choice)))
      assert.isUndefined(problem)
      assert.strictEqual(text, texts.join(""))
    }), { arbitrary: { runs: 40 } })

  it.effect("gives all that a truncated stream inflates to, wherever it was cut", () =>
    Effect.gen(function*() {
      const member = gzip(noise(1, 400))
      const bytes = concat(gzip("first"), member)
      for (let end = 2; end < bytes.length; end++) {
        const cut = bytes.subarray(0, end)
        const { problem, text } = yield* gunzipped(Stream.make(cut))
        if (end === gzip("first").length) {
          assert.deepStrictEqual([text, problem], ["first", undefined])
          continue
        }
        assert.strictEqual(reasonOf(problem), "truncated")
        assert.strictEqual(text, zlib.gunzipSync(cut, { finishFlush: zlib.constants.Z_SYNC_FLUSH }).toString("latin1"))
      }
    }))

  it.effect("gives all that the bytes before the damage inflate to, wherever it is", () =>
    Effect.gen(function*() {
      const bytes = gzip(noise(2, 400))
      const sync = { finishFlush: zlib.constants.Z_SYNC_FLUSH }
      for (let at = 10; at < bytes.length; at++) {
        const wrong = Uint8Array.from(bytes)
        wrong[at] = (wrong[at] ?? 0) ^ 0xff
        const before = zlib.gunzipSync(bytes.subarray(0, at), sync).toString("latin1")
        const { problem, text } = yield* gunzipped(Stream.make(wrong))
        assert.instanceOf(problem, GzipError, `byte ${at}`)
        assert.notStrictEqual(reasonOf(problem), "garbage")
        assert.isTrue(text.startsWith(before), `byte ${at}: ${text.length} of ${before.length}`)
      }
    }))

  it.effect("gives a large part of a large stream that is damaged late", () =>
    Effect.gen(function*() {
      const bytes = gzip(noise(3, 200_000))
      const at = 100_000
      const wrong = concat(bytes.subarray(0, at), zeros(50).fill(0xff), bytes.subarray(at + 50))
      const before = zlib.gunzipSync(bytes.subarray(0, at), { finishFlush: zlib.constants.Z_SYNC_FLUSH })
      const { problem, text } = yield* gunzipped(streamOf(chunksOf(wrong, 65_536)))
      assert.strictEqual(reasonOf(problem), "corrupt")
      assert.isTrue(text.startsWith(before.toString("latin1")))
    }))

  it.effect("takes a name of 64 KiB, and gives up on a longer one", () =>
    Effect.gen(function*() {
      const named = (length: number) => memberWith(8, concat(zeros(length).fill(0x61), zeros(1)))
      assert.deepStrictEqual(yield* gunzipped(Stream.make(named(65_536))), { text: "hello\n", problem: undefined })
      const { problem, text } = yield* gunzipped(Stream.make(named(65_537)))
      assert.deepStrictEqual([text, reasonOf(problem)], ["", "corrupt"])
    }))

  it.effect("loses not a byte before the one that is damaged", () =>
    Effect.gen(function*() {
      for (const text of ["h", "he", "hel", "hell", "hello"]) {
        const stored = Uint8Array.of(0, text.length, 0, ~text.length, 0xff)
        const noBlock = Uint8Array.of(7)
        const bytes = concat(gzip("").subarray(0, 10), stored, utf8(text), noBlock, zeros(20))
        assert.deepStrictEqual(yield* inflate(bytes), [text, "corrupt"])
      }
    }))

  it.effect("inflates members that end where a buffer does", () =>
    Effect.gen(function*() {
      for (const size of [65_535, 65_536, 65_537, 131_072, 196_608]) {
        for (const level of [0, 9]) {
          const bytes = concat(zlib.gzipSync(zeros(size), { level }), gzip("end"))
          const { problem, text } = yield* gunzipped(Stream.make(bytes))
          assert.deepStrictEqual([text.length, text.slice(size), problem], [size + 3, "end", undefined])
        }
      }
    }))

  it.effect("drops empty chunks before the first two bytes", () =>
    Effect.gen(function*() {
      const empty = zeros(0)
      const chunks = [empty, utf8("a"), empty, utf8("b"), utf8("c")]
      const kept = yield* Stream.runCollect(gunzipIfNeeded(streamOf(chunks)).pipe(Stream.provide(NodeInflate.layer)))
      assert.deepStrictEqual(kept, [utf8("a"), utf8("b"), utf8("c")])
    }))

  it.effect("fails as the byte stream fails, after what came before", () =>
    Effect.gen(function*() {
      const failing = (bytes: Uint8Array) => Stream.concat(streamOf([bytes]), Stream.fail("disk" as const))
      assert.deepStrictEqual(yield* gunzipped(failing(utf8("plain"))), { text: "plain", problem: "disk" as const })
      assert.deepStrictEqual(yield* gunzipped(failing(utf8("p"))), { text: "", problem: "disk" as const })
      const { problem, text } = yield* gunzipped(failing(gzip(noise(4, 3000)).subarray(0, 2000)))
      assert.strictEqual(problem, "disk")
      assert.isAbove(text.length, 1000)
    }))
})

describe("Inflate by itself", () => {
  it.effect("calls an empty stream truncated and plain text corrupt", () =>
    Effect.gen(function*() {
      const { gunzip } = yield* Inflate
      const reason = (stream: Stream.Stream<Uint8Array>) =>
        Effect.map(Effect.flip(Stream.runDrain(gunzip(stream))), ({ reason }) => reason)
      assert.strictEqual(yield* reason(Stream.empty), "truncated")
      assert.strictEqual(yield* reason(Stream.make(utf8("hello"))), "corrupt")
    }).pipe(Effect.provide(NodeInflate.layer)))
})
