import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import { constants, gunzipSync } from "node:zlib"
import * as NodeInflate from "../../../src/host/node/NodeInflate.ts"
import {
  decodeModSecurity,
  decoderFor,
  decodeScent,
  formats,
  GzipError,
  type ScentEvent,
  scents
} from "../../../src/intake/signal/index.ts"
import { random, Seed } from "../../support/random.ts"
import { chunksOf, concat, eventsOf, gzip, randomChunks, scentLine, streamOf, utf8 } from "./bytes.ts"

/** Events as `line:id` and `line!message`, a message by its beginning. */
const brief = (events: ReadonlyArray<ScentEvent>): ReadonlyArray<string> =>
  events.map((event) =>
    event._tag === "Scent" ? `${event.line}:${event.scent.id}` : `${event.line}!${event.message.split(/[:,]/)[0]}`
  )

const many = (count: number): string => Array.from({ length: count }, (_, n) => `${scentLine(n)}\n`).join("")

const scentEvent = (n: number): ScentEvent => ({
  _tag: "Scent",
  line: n + 1,
  scent: { id: `r-${n}`, source: "192.0.2.7", timestamp: n, payload: Math.sin(n + 1).toString(36) }
})

const firstScents = (count: number): ReadonlyArray<ScentEvent> => Array.from({ length: count }, (_, n) => scentEvent(n))

/** How many lines of scents are whole in a text, a last one without its line break too. */
const wholeLines = (text: string): number => text.split("\n").filter((line) => line.endsWith("}")).length

describe("formats", () => {
  it("has a decoder for each, under its own name", () => {
    assert.deepStrictEqual(formats.map((format) => decoderFor(format).name), [...formats])
    assert.deepStrictEqual(formats.map((format) => decoderFor(format).decode), [decodeScent, decodeModSecurity])
    for (const format of formats) assert.match(decoderFor(format).description, /^\S.{10,80}\S$/)
  })
})

describe("scents", () => {
  it.effect("gives an event for each line that is not blank, with its number", () =>
    Effect.gen(function*() {
      const bytes = utf8(`\ufeff${scentLine(0)}\r\n\n \nnot a scent\n{}\n${scentLine(1)}`)
      for (const form of [bytes, gzip(bytes)]) {
        assert.deepStrictEqual(brief(yield* eventsOf([form])), [
          "1:r-0",
          "4!expected JSON",
          "5!missing key at id",
          "6:r-1"
        ])
      }
    }))

  it.effect("loses no scent to what log files have between their lines", () =>
    Effect.gen(function*() {
      const mark = Uint8Array.of(0xef, 0xbb, 0xbf)
      const line = (n: number) => utf8(`${scentLine(n)}\n`)
      const copied = concat(new Uint8Array(5000), line(0), mark, line(1), new Uint8Array(3), mark, line(2))
      const whole = concat(copied, utf8(scentLine(3)), new Uint8Array(5000))
      for (const form of [whole, gzip(whole)])
        assert.deepStrictEqual(yield* eventsOf([form]), firstScents(4))
    }))

  it.effect("gives nothing for nothing", () =>
    Effect.gen(function*() {
      for (const bytes of ["", "\n", "\r\n\r\n", " ", "\ufeff", gzip(""), gzip("\n\n")])
        assert.deepStrictEqual(yield* eventsOf([typeof bytes === "string" ? utf8(bytes) : bytes]), [])
      assert.deepStrictEqual(yield* eventsOf([]), [])
    }))

  it.effect("reads each line by the format that it was given", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(brief(yield* eventsOf([utf8(scentLine(0))], "modsecurity")), [
        "1!missing key at transaction"
      ])
    }))

  it.effect("reports a line that is too long, and goes on", () =>
    Effect.gen(function*() {
      const bytes = utf8(`${scentLine(0)}\n${"x".repeat(500)}\n${scentLine(1)}\n`)
      for (const size of [1, 100, 10_000]) {
        const stream = scents(streamOf(chunksOf(bytes, size)), { format: "scent", maxLineBytes: 200 })
        const events = yield* Stream.runCollect(Stream.provide(stream, NodeInflate.layer))
        assert.deepStrictEqual(brief(events), ["1:r-0", "2!the line has 500 bytes and the limit is 200", "3:r-1"])
      }
    }))

  it.effect("gives its events in arrays", () =>
    Effect.gen(function*() {
      const sizes: Array<number> = []
      yield* scents(streamOf(chunksOf(gzip(many(5000)), 65_536)), { format: "scent" }).pipe(
        Stream.provide(NodeInflate.layer),
        Stream.runForEachArray((events) => Effect.sync(() => sizes.push(events.length)))
      )
      assert.strictEqual(sizes.reduce((sum, size) => sum + size, 0), 5000)
      assert.isAtMost(sizes.length, 20)
    }))

  it.effect.prop(
    "gives the same events however the bytes are cut, plain or compressed",
    { seed: Seed },
    ({ seed }) =>
      Effect.gen(function*() {
        const choice = random(seed)
        const text = Array.from(
          { length: choice.below(20) },
          (_, n) => choice.pick([scentLine(n), "", "  ", "{", "\u00e9", "\0", `${scentLine(n)}\r`, "\ufeff{}"])
        ).join("\n")
        const bytes = concat(utf8(text), Uint8Array.of(...(choice.chance(0.5) ? [0xff, 0x0a, 0xf0] : [])))
        const expected = yield* eventsOf([bytes])
        const middle = choice.below(bytes.length)
        for (
          const form of [bytes, gzip(bytes), concat(gzip(bytes.subarray(0, middle)), gzip(bytes.subarray(middle)))]
        ) {
          assert.deepStrictEqual(yield* eventsOf(randomChunks(form, choice)), expected)
        }
      }),
    { arbitrary: { runs: 100 } }
  )

  it.effect("says of a last line whether the recording was cut off in it", () =>
    Effect.gen(function*() {
      const isCutOff = (text: string) =>
        Effect.map(eventsOf([utf8(text)]), (events) =>
          events.map((event) => event._tag === "Invalid" && event.isCutOff === true))
      assert.deepStrictEqual(yield* isCutOff(`${scentLine(0)}\n${scentLine(1)}`), [false, false])
      assert.deepStrictEqual(yield* isCutOff(`${scentLine(0)}\n${scentLine(1).slice(0, -1)}`), [false, true])
      assert.deepStrictEqual(yield* isCutOff(`${scentLine(0)}\n{\n`), [false, false])
      assert.deepStrictEqual(yield* isCutOff(`{\n${scentLine(0)}\n{}`), [false, false, false])
      assert.deepStrictEqual(yield* isCutOff("{"), [true])
    }))

  it.effect("dies of a maxLineBytes out of range, when it runs", () =>
    Effect.gen(function*() {
      const stream = scents(Stream.make(utf8("{}")), { format: "scent", maxLineBytes: 0 })
      const exit = yield* Effect.exit(Stream.runDrain(Stream.provide(stream, NodeInflate.layer)))
      assert.isTrue(Exit.hasDies(exit))
    }))

  it.effect("fails as the byte stream fails, after the events before", () =>
    Effect.gen(function*() {
      const seen: Array<ScentEvent> = []
      const failing = Stream.concat(Stream.make(utf8(`${scentLine(0)}\n${scentLine(1)}`)), Stream.fail("disk"))
      const exit = yield* scents(failing, { format: "scent" }).pipe(
        Stream.provide(NodeInflate.layer),
        Stream.runForEach((event) => Effect.sync(() => seen.push(event))),
        Effect.exit
      )
      assert.deepStrictEqual(seen, firstScents(1))
      assert.deepStrictEqual(exit, Exit.fail("disk"))
    }))
})

describe("scents of a gzip stream that breaks", () => {
  it.effect("gives every scent that could be read, then one problem with its line, wherever it was truncated", () =>
    Effect.gen(function*() {
      const bytes = gzip(many(12).trimEnd())
      for (let end = 2; end < bytes.length; end++) {
        const cut = bytes.subarray(0, end)
        const whole = wholeLines(gunzipSync(cut, { finishFlush: constants.Z_SYNC_FLUSH }).toString())
        const place = whole === 0 ? "before the end of its first line" : `after line ${whole}`
        assert.deepStrictEqual(yield* eventsOf([cut]), [...firstScents(whole), {
          _tag: "Invalid",
          line: whole + 1,
          message:
            `the gzip stream ends before its end ${place}: get the rest of the file and read it again from its start`,
          isCutOff: true
        }], `${end} of ${bytes.length} bytes`)
      }
      assert.deepStrictEqual(yield* eventsOf([bytes]), firstScents(12))
    }))

  it.effect("gives every scent before the damage, then one problem, wherever a byte was changed", () =>
    Effect.gen(function*() {
      const bytes = gzip(many(12))
      for (let at = 10; at < bytes.length; at++) {
        const wrong = Uint8Array.from(bytes)
        wrong[at] = (wrong[at] ?? 0) ^ 0xff
        const before = gunzipSync(bytes.subarray(0, at), { finishFlush: constants.Z_SYNC_FLUSH }).toString()
        const whole = before.split("\n").length - 1
        const events = yield* eventsOf([wrong])
        assert.deepStrictEqual(events.slice(0, whole), firstScents(whole), `byte ${at}`)
        const problems = events.filter((event) => event._tag === "Invalid" && event.message.includes("gzip stream"))
        assert.lengthOf(problems, 1, `byte ${at}`)
        assert.strictEqual(events.at(-1), problems[0])
      }
    }))

  it.effect("reports a CRC that does not match, after the last line", () =>
    Effect.gen(function*() {
      const bytes = Uint8Array.from(gzip(many(3)))
      bytes.fill(0, -8, -4)
      assert.deepStrictEqual(yield* eventsOf([bytes]), [...firstScents(3), {
        _tag: "Invalid",
        line: 4,
        message: "the gzip stream is damaged after line 3: check it with gzip -t and get a fresh copy",
        isCutOff: true
      }])
    }))

  it.effect("reports garbage after the last member, and takes zeros for padding", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* eventsOf([gzip(many(3)), new Uint8Array(1000)]), firstScents(3))
      assert.deepStrictEqual(yield* eventsOf([gzip(many(3)), utf8(scentLine(9))]), [...firstScents(3), {
        _tag: "Invalid",
        line: 4,
        message: "something that is not gzip follows the gzip stream after line 3: " +
          "cut it off, or read it as a file of its own",
        isCutOff: true
      }])
    }))

  it.effect("takes a last line that was cut off for a scent only where it is one", () =>
    Effect.gen(function*() {
      const cutIn = (text: string) => eventsOf([gzip(text), utf8("garbage")])
      const garbage = "something that is not gzip follows the gzip stream"
      assert.deepStrictEqual(brief(yield* cutIn(`${scentLine(0)}\n${scentLine(1)}`)), [
        "1:r-0",
        "2:r-1",
        `3!${garbage} after line 2`
      ])
      assert.deepStrictEqual(brief(yield* cutIn(`${scentLine(0)}\n${scentLine(1).slice(0, -1)}`)), [
        "1:r-0",
        `2!${garbage} after line 1`
      ])
      assert.deepStrictEqual(brief(yield* cutIn(`${scentLine(0)}\n   `)), ["1:r-0", `2!${garbage} after line 1`])
    }))

  it.effect("names the line of the break, though lines before it are blank, too long or no scents", () =>
    Effect.gen(function*() {
      const text = `\n{\n${"x".repeat(300)}\n${scentLine(0)}\n\n`
      const stream = scents(Stream.make(gzip(text), utf8("garbage")), { format: "scent", maxLineBytes: 200 })
      assert.deepStrictEqual(brief(yield* Stream.runCollect(Stream.provide(stream, NodeInflate.layer))), [
        "2!expected JSON",
        "3!the line has 300 bytes and the limit is 200",
        "4:r-0",
        "6!something that is not gzip follows the gzip stream after line 5"
      ])
    }))

  it.effect("takes a GzipError of the byte stream itself for the same", () =>
    Effect.gen(function*() {
      const broken = Stream.fail(new GzipError({ reason: "truncated", message: "by another" }))
      const events = yield* Stream.runCollect(
        Stream.provide(
          scents(Stream.concat(Stream.make(utf8(many(2))), broken), { format: "scent" }),
          NodeInflate.layer
        )
      )
      assert.deepStrictEqual(brief(events), ["1:r-0", "2:r-1", "3!the gzip stream ends before its end after line 2"])
    }))
})
