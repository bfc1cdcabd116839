import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as zlib from "node:zlib"
import { DeflateBody } from "../../../src/host/node/DeflateBody.ts"
import { noise } from "../port/contract.ts"

/** All output of the piece that the reader was given, and its step. */
const readAll = (body: DeflateBody) =>
  Effect.gen(function*() {
    const output: Array<Uint8Array> = []
    for (;;) {
      const next = yield* body.read
      if (typeof next === "string") return { output: Buffer.concat(output), step: next }
      output.push(next)
    }
  })

const opened = Effect.acquireRelease(Effect.sync(() => new DeflateBody()), (body) => Effect.sync(() => body.close()))

describe("DeflateBody", () => {
  it.live("a piece that the scout came through gives all its output, with CRC and size", () =>
    Effect.gen(function*() {
      const content = noise(200_000)
      const stream = zlib.deflateRawSync(content)
      const body = yield* opened
      assert.deepStrictEqual(yield* body.scout(stream), { step: "used", passed: stream.length })
      body.give(stream)
      const { output, step } = yield* readAll(body)
      assert.strictEqual(step, "used")
      assert.isTrue(output.equals(content))
      assert.strictEqual(body.crc, zlib.crc32(content))
      assert.strictEqual(body.size, content.length)
    }))

  it.live("the scout says where in a piece the stream ended", () =>
    Effect.gen(function*() {
      const stream = zlib.deflateRawSync(noise(100))
      const body = yield* opened
      const piece = Uint8Array.from([...stream, 1, 2, 3])
      assert.deepStrictEqual(yield* body.scout(piece), { step: "ended", passed: stream.length })
    }))

  it.live("an end that comes with the piece is found with the next byte, of which nothing is consumed", () =>
    Effect.gen(function*() {
      const stream = zlib.deflateRawSync(noise(100))
      const body = yield* opened
      yield* body.scout(stream)
      assert.deepStrictEqual(yield* body.scout(Uint8Array.of(9)), { step: "ended", passed: 0 })
    }))

  it.live("damage that stops the scout costs no output: the reader gives all before it, byte by byte", () =>
    Effect.gen(function*() {
      const content = noise(500)
      // A stored block, whole, and then a block of the reserved type.
      const stream = Uint8Array.from([0, 0xf4, 0x01, 0x0b, 0xfe, ...content, 0b110])
      const body = yield* opened
      assert.strictEqual((yield* body.scout(stream)).step, "damaged")
      const output: Array<Uint8Array> = []
      let step = "used"
      for (let at = 0; at < stream.length && step === "used"; at++) {
        body.give(stream.subarray(at, at + 1))
        const read = yield* readAll(body)
        output.push(read.output)
        step = read.step
      }
      assert.strictEqual(step, "damaged")
      assert.isTrue(Buffer.concat(output).equals(content))
    }))

  it.live("can be closed twice, and before its end", () =>
    Effect.gen(function*() {
      const body = yield* opened
      yield* body.scout(zlib.deflateRawSync(noise(100)))
      body.close()
      body.close()
    }))
})
