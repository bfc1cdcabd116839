import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Stream } from "effect"
import type * as zlib from "node:zlib"
import { gzipSync } from "node:zlib"
import { beforeEach, vi } from "vitest"
import * as NodeInflate from "../../../src/host/node/NodeInflate.ts"
import { gunzipIfNeeded, type GzipError, type Inflate } from "../../../src/intake/signal/index.ts"
import { random } from "../../support/random.ts"
import { chunksOf, concat, gunzipped, gzip, streamOf, utf8 } from "./bytes.ts"

/** Every engine that was made since the test began. */
const engines: Array<zlib.InflateRaw> = vi.hoisted(() => [])

vi.mock("node:zlib", async (importOriginal) => {
  const real = await importOriginal<typeof zlib>()
  const createInflateRaw = (options?: zlib.ZlibOptions): zlib.InflateRaw => {
    const engine = real.createInflateRaw(options)
    engines.push(engine)
    return engine
  }
  return { ...real, createInflateRaw }
})

const zeros = (length: number): Uint8Array => new Uint8Array(length)

/** Hardly compressible. */
const noise = (seed: number, length: number): Uint8Array => {
  const { below } = random(seed)
  return zeros(length).map(() => 33 + below(90))
}

describe("NodeInflate and its handles", () => {
  beforeEach(() => {
    engines.length = 0
  })

  const open = (): number => engines.filter((engine) => !engine.destroyed).length
  const run = <A, E>(stream: Stream.Stream<A, E, Inflate>) => Stream.runDrain(Stream.provide(stream, NodeInflate.layer))

  it.effect("opens them when there is something to inflate, and lets go of them at every end", () =>
    Effect.gen(function*() {
      const member = gzip(noise(5, 100_000))
      const inflated = gunzipIfNeeded(streamOf(chunksOf(member, 1000)))
      const damaged = concat(member.subarray(0, 5000), zeros(50), member.subarray(5050))
      const ends: ReadonlyArray<
        readonly [string, Stream.Stream<Uint8Array, GzipError | "disk" | "consumer", Inflate>]
      > = [
        ["the stream's own", inflated],
        ["the first chunk's", Stream.take(inflated, 1)],
        ["truncation", gunzipIfNeeded(Stream.make(member.subarray(0, 5000)))],
        ["damage", gunzipIfNeeded(Stream.make(damaged))],
        ["garbage", gunzipIfNeeded(Stream.make(member, utf8("garbage")))],
        [
          "a failure above",
          gunzipIfNeeded(Stream.concat(Stream.make(member.subarray(0, 500)), Stream.fail("disk" as const)))
        ],
        ["a failure below", Stream.mapEffect(inflated, () => Effect.fail("consumer" as const))],
        ["a defect below", Stream.mapEffect(inflated, () => Effect.die("consumer"))]
      ]
      for (const [name, stream] of ends) {
        yield* Effect.exit(run(stream))
        assert.strictEqual(engines.length, 2, name)
        assert.strictEqual(open(), 0, name)
        engines.length = 0
      }
    }))

  it.effect("lets go of them when it is interrupted, waiting above, below or for zlib", () =>
    Effect.gen(function*() {
      const member = gzip(noise(6, 1_000_000))
      const stuckAbove = gunzipIfNeeded(Stream.concat(Stream.make(member.subarray(0, 500)), Stream.never))
      const stuckBelow = Stream.mapEffect(gunzipIfNeeded(Stream.make(member)), () => Effect.never)
      for (const stream of [stuckAbove, stuckBelow, gunzipIfNeeded(Stream.make(member))]) {
        const fiber = yield* Effect.forkChild(run(stream))
        while (engines.length < 2) yield* Effect.yieldNow
        if (stream !== stuckAbove && stream !== stuckBelow) assert.strictEqual(open(), 2)
        yield* Fiber.interrupt(fiber)
        assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
        assert.strictEqual(open(), 0)
        engines.length = 0
      }
    }))

  it.effect("lets a bomb flow through in small chunks, and reads no input ahead of them", () =>
    Effect.gen(function*() {
      const size = 60_000_000
      const bomb = gzip(zeros(size))
      assert.isBelow(bomb.length, 60_000)
      let pulled = 0
      let largest = 0
      let waiting = 0
      let total = 0
      let pulledAtFirst = 0
      const input = streamOf(chunksOf(bomb, 1000)).pipe(Stream.tap(() => Effect.sync(() => pulled++)))
      yield* run(
        gunzipIfNeeded(input).pipe(
          Stream.runForEach((chunk) =>
            Effect.sync(() => {
              if (total === 0) pulledAtFirst = pulled
              total += chunk.length
              largest = Math.max(largest, chunk.length)
              waiting = Math.max(waiting, ...engines.map((engine) => engine.readableLength))
            })
          ),
          Stream.fromEffect
        )
      )
      assert.strictEqual(total, size)
      assert.strictEqual(pulledAtFirst, 1)
      assert.isAtMost(largest, 131_072)
      assert.isAtMost(waiting, 131_072)
    }))

  it.effect("opens one pair at a time, however many members there are", () =>
    Effect.gen(function*() {
      let most = 0
      const members = concat(...Array.from({ length: 50 }, (_, n) => gzip(noise(n, 30_000))))
      yield* run(Stream.tap(gunzipIfNeeded(Stream.make(members)), () =>
        Effect.sync(() => {
          most = Math.max(most, open())
        })))
      assert.strictEqual(engines.length, 100)
      assert.strictEqual(most, 2)
      assert.strictEqual(open(), 0)
    }))

  /** The bytes that come out, and how many inflaters that took. */
  const inflated = (chunks: ReadonlyArray<Uint8Array>) =>
    Effect.gen(function*() {
      engines.length = 0
      const { problem, text } = yield* gunzipped(streamOf(chunks))
      return { problem: problem?.reason, text, opened: engines.length }
    })

  it.effect("opens none for members that are small and whole, however many and whatever is in them", () =>
    Effect.gen(function*() {
      const empty = gzip("")
      const many = concat(...Array.from({ length: 20_000 }, () => empty), gzip("line\n"))
      assert.deepStrictEqual(yield* inflated([many]), { problem: undefined, text: "line\n", opened: 0 })
      const lines = Array.from({ length: 1000 }, (_, n) => `line ${n}\n`)
      const text = lines.join("")
      for (const level of [0, 1, 9]) {
        const members = concat(...lines.map((line) => gzipSync(line, { level })), zeros(9))
        assert.deepStrictEqual(yield* inflated([members]), { problem: undefined, text, opened: 0 })
      }
      // Only the member that the end of a chunk goes through opens a pair.
      const { opened, text: cut } = yield* inflated(chunksOf(concat(...lines.map(gzip)), 1000))
      assert.strictEqual(cut, text)
      assert.isAtMost(opened, 2 * 32)
    }))

  it.effect("gives the same of a member at the bounds of what is small, and of one past them", () =>
    Effect.gen(function*() {
      for (const size of [65_535, 65_536, 65_537, 1_000_000]) {
        const { problem, text } = yield* inflated([concat(gzip(zeros(size)), gzip("end"))])
        assert.deepStrictEqual([text.length, text.slice(size), problem], [size + 3, "end", undefined])
      }
      for (const size of [16_370, 16_379, 16_380, 16_384, 16_390]) {
        const member = gzipSync(noise(size, size), { level: 0 })
        const { problem, text } = yield* inflated([concat(member, gzip("end"))])
        assert.deepStrictEqual([text.length, text.slice(size), problem], [size + 3, "end", undefined])
      }
    }))

  it.effect("notices what is wrong with a small member, and gives what comes before", () =>
    Effect.gen(function*() {
      const member = gzip("hello\n")
      const wrong = Uint8Array.from(member)
      wrong[member.length - 1] = 1
      const foreign = concat(member, member.subarray(0, 10), Uint8Array.of(7), zeros(20))
      assert.deepStrictEqual(yield* inflated([concat(member, wrong, member)]), {
        problem: "corrupt",
        text: "hello\nhello\n",
        opened: 0
      })
      assert.deepStrictEqual(yield* inflated([foreign]), { problem: "corrupt", text: "hello\n", opened: 2 })
      assert.strictEqual((yield* inflated([member.subarray(0, -9)])).problem, "truncated")
      assert.deepStrictEqual((yield* inflated([concat(member, utf8("garbage"))])).problem, "garbage")
    }))
})
