/**
 * What every implementation of a port must do. One suite for each port, run against each host's implementation.
 */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, type Layer, Schema } from "effect"
import * as zlib from "node:zlib"
import { Compression, CompressionError } from "../../src/port/Compression.ts"
import { Hash } from "../../src/port/Hash.ts"
import { Introspection } from "../../src/port/Introspection.ts"
import { Randomness } from "../../src/port/Randomness.ts"
import { random } from "../support/random.ts"

/** Incompressible bytes that are the same every time. */
export const noise = (length: number, seed = 1): Uint8Array<ArrayBuffer> => {
  const { below } = random(seed)
  return Uint8Array.from({ length }, () => below(256))
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** Some KB of bytes, from all alike to all different. */
export const content = Arbitrary.map(
  Arbitrary.all({
    seed: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xffff }))),
    length: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 6_000 }))),
    kinds: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 256 })))
  }),
  ({ kinds, length, seed }) => noise(length, seed).map((byte) => byte % kinds)
)

/** Plain bytes in memory of their own: no class of the host's, and nothing kept alive besides. */
const assertOwn = (bytes: Uint8Array): void => {
  assert.strictEqual(Object.getPrototypeOf(bytes), Uint8Array.prototype)
  assert.strictEqual(bytes.buffer.byteLength, bytes.length)
}

/** The reason of the CompressionError that this throws; anything else that it throws fails the test. */
export const refusal = (open: () => unknown): CompressionError["reason"] | "none" => {
  try {
    open()
    return "none"
  } catch (error) {
    assert.instanceOf(error, CompressionError)
    return error.reason
  }
}

/** `others` are the hosts that must be able to open what this one presses. */
export const compressionContract = (
  layer: Layer.Layer<Compression>,
  others: ReadonlyArray<Layer.Layer<Compression>>
): void => {
  const of = (from: Layer.Layer<Compression>) => Effect.runSync(Effect.provide(Compression, from))
  const compression = of(layer)
  const openers = [layer, ...others].map(of)
  const small = new TextEncoder().encode("evidence evidence evidence evidence ".repeat(3))
  const pressed = compression.gzipSync(small)

  describe("Compression", () => {
    it.effect.prop(
      "RFC E6 every host opens what this one presses, to the same bytes",
      { content },
      (given) =>
        Effect.gen(function*() {
          const before = given.content.slice()
          for (const stream of [compression.gzipSync(given.content), yield* compression.gzip(given.content)]) {
            assertOwn(stream)
            assert.deepStrictEqual([...stream.subarray(0, 3)], [0x1f, 0x8b, 8], "RFC 1952, deflate")
            assert.deepStrictEqual([...stream.subarray(4, 8)], [0, 0, 0, 0], "no time in it")
            for (const { gunzipSync } of openers) {
              assert.strictEqual(hex(gunzipSync(stream, given.content.length)), hex(given.content))
            }
          }
          assert.deepStrictEqual(given.content, before, "the input is left as it was")
        }),
      { arbitrary: { runs: 40 } }
    )

    it("RFC E6 a stream of many steps, of noise and of one byte alone", () => {
      for (const long of [noise(150_000), new Uint8Array(1_000_000).fill(65)]) {
        const stream = compression.gzipSync(long)
        for (const { gunzipSync } of openers) {
          assert.strictEqual(Buffer.compare(gunzipSync(stream, long.length), long), 0)
          assert.strictEqual(refusal(() => gunzipSync(stream, long.length - 1)), "too_large")
        }
      }
    })

    it("a limit is met to the byte, down to none", () => {
      const { gunzipSync } = compression
      assert.strictEqual(gunzipSync(pressed, small.length).length, small.length)
      assert.strictEqual(gunzipSync(pressed, 2 ** 32 - 1).length, small.length)
      for (const limit of [small.length - 1, 1, 0])
        assert.strictEqual(refusal(() => gunzipSync(pressed, limit)), "too_large")
      assert.strictEqual(refusal(() => gunzipSync(compression.gzipSync(Uint8Array.of(1)), 0)), "too_large")
      assert.strictEqual(gunzipSync(compression.gzipSync(new Uint8Array(0)), 0).length, 0)
    })

    it("RFC E6 a bomb is refused at its limit", () => {
      const bomb = zlib.gzipSync(new Uint8Array(4_000_000))
      assert.isBelow(bomb.length, 20_000)
      for (const limit of [0, 1, 1_000, 3_999_999]) {
        assert.strictEqual(refusal(() => compression.gunzipSync(bomb, limit)), "too_large")
      }
    })

    it("RFC E6 every truncation is refused as corrupt", () => {
      for (const stream of [pressed, compression.gzipSync(noise(40_000))]) {
        for (let length = 0; length < stream.length; length += stream === pressed || length < 40 ? 1 : 997) {
          assert.strictEqual(
            refusal(() => compression.gunzipSync(stream.subarray(0, length), 40_000)),
            "corrupt",
            `${length}`
          )
        }
        assert.strictEqual(refusal(() => compression.gunzipSync(stream.subarray(0, -1), 40_000)), "corrupt")
      }
    })

    it("RFC E6 a flipped bit is refused, or is one that says nothing of the content", () => {
      let refused = 0
      for (let bit = 0; bit < pressed.length * 8; bit++) {
        const bent = pressed.slice()
        bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        let opened: Uint8Array | undefined
        if (refusal(() => opened = compression.gunzipSync(bent, small.length)) === "none") {
          assert.strictEqual(hex(opened ?? assert.fail("nothing")), hex(small), `bit ${bit}`)
        } else refused += 1
      }
      // Without meaning are the time, the hints and the host (RFC 1952 section 2.3.1), and what pads deflate's last byte.
      assert.isAtLeast(refused, (pressed.length - 9) * 8)
    })

    it.prop("garbage is refused as corrupt, and nothing comes out that its CRC and size do not vouch for", [content], ([
      garbage
    ]) => {
      assert.strictEqual(refusal(() => compression.gunzipSync(garbage, 1_000_000)), "corrupt")
      // As far as it can be like a stream: its beginning, and the CRC and size of nothing.
      garbage.set([0x1f, 0x8b, 8, 0].slice(0, garbage.length))
      garbage.fill(0, Math.max(0, garbage.length - 8))
      let opened = new Uint8Array(0)
      if (refusal(() => opened = new Uint8Array(compression.gunzipSync(garbage, 1_000_000))) !== "corrupt") {
        assert.strictEqual(opened.length, 0)
      }
    }, { arbitrary: { runs: 60 } })

    it("takes a view into a larger buffer, and gives back memory of its own", () => {
      const around = new Uint8Array(pressed.length + 20).fill(0xee)
      around.set(pressed, 7)
      const opened = compression.gunzipSync(around.subarray(7, 7 + pressed.length), 1_000)
      around.fill(0)
      assert.strictEqual(hex(opened), hex(small))
      assertOwn(opened)
      assert.strictEqual(hex(compression.gzipSync(around.subarray(0, 3))), hex(compression.gzipSync(new Uint8Array(3))))
    })
  })
}

export const hashContract = (layer: Layer.Layer<Hash>): void => {
  const { sha256, sha256Hex, timingSafeEqual } = Effect.runSync(Effect.provide(Hash, layer))
  const utf8 = new TextEncoder()
  // FIPS 180-4 and NIST's examples of SHA-256.
  const vectors: ReadonlyArray<readonly [name: string, message: Uint8Array, digest: string]> = [
    ["nothing", new Uint8Array(0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    ["abc", utf8.encode("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
    [
      "two blocks",
      utf8.encode("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ],
    [
      "a million of a",
      new Uint8Array(1_000_000).fill(97),
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
    ]
  ]

  describe("Hash", () => {
    it.each(vectors)("RFC D3 SHA-256 of %s", (_name, message, digest) => {
      assert.strictEqual(sha256Hex(message), digest)
      assert.strictEqual(hex(sha256(message)), digest)
    })

    it("hashes a view, not the buffer behind it", () => {
      const around = utf8.encode("xxabcxx").subarray(2, 5)
      assert.strictEqual(sha256Hex(around), sha256Hex(utf8.encode("abc")))
    })

    it("gives a digest of its own: 32 bytes that nobody else writes to", () => {
      const message = utf8.encode("abc")
      const first = sha256(message)
      const kept = hex(first)
      message.fill(0)
      sha256(message)
      assert.strictEqual(hex(first), kept)
      assert.strictEqual(first.length, 32)
      assertOwn(first)
    })

    it("RFC A2 timingSafeEqual tells equal from unequal at every byte, and unequal lengths without an exception", () => {
      const digest = sha256(utf8.encode("abc"))
      assert.isTrue(timingSafeEqual(digest, digest.slice()))
      for (let i = 0; i < digest.length; i++) {
        const bent = digest.slice()
        bent[i] = (bent[i] ?? 0) ^ 1
        assert.isFalse(timingSafeEqual(digest, bent), `byte ${i}`)
      }
      assert.isFalse(timingSafeEqual(digest, digest.subarray(1)))
      assert.isFalse(timingSafeEqual(digest, new Uint8Array(0)))
      assert.isTrue(timingSafeEqual(new Uint8Array(0), new Uint8Array(0)))
    })
  })
}

export const randomnessContract = (layer: Layer.Layer<Randomness>): void => {
  const { fill } = Effect.runSync(Effect.provide(Randomness, layer))

  describe("Randomness", () => {
    it.each([1, 16, 4_096, 65_535, 65_536, 65_537, 200_000])("RFC D9 overwrites every one of %d bytes", (length) => {
      // By chance a byte stays as it was once in 256 fills: in 16 fills no byte always does.
      const changed = new Uint8Array(length)
      for (let round = 0; round < 16; round++) {
        const target = new Uint8Array(length)
        fill(target)
        for (let i = 0; i < length; i++) changed[i] = (changed[i] ?? 0) | (target[i] ?? 0)
      }
      assert.strictEqual(changed.indexOf(0), -1, "a byte that no fill reached")
    })

    it("RFC D9 never fills with zeros alone, nor twice with the same", () => {
      const seen = new Set<string>()
      for (let round = 0; round < 200; round++) {
        const target = new Uint8Array(16)
        fill(target)
        seen.add(hex(target))
      }
      assert.strictEqual(seen.size, 200)
      assert.isFalse(seen.has("0".repeat(32)))
    })

    it("overwrites the target and nothing beside it; an empty one is no mistake", () => {
      const around = new Uint8Array(64)
      fill(around.subarray(16, 48))
      assert.isTrue(around.subarray(0, 16).every((byte) => byte === 0))
      assert.isTrue(around.subarray(48).every((byte) => byte === 0))
      assert.isTrue(around.subarray(16, 48).some((byte) => byte !== 0))
      fill(new Uint8Array(0))
    })
  })
}

/** `tells` is whether this host can tell a Proxy from what it pretends to be. */
export const introspectionContract = (layer: Layer.Layer<Introspection>, tells: boolean): void => {
  const { isProxy } = Effect.runSync(Effect.provide(Introspection, layer))

  describe("Introspection", () => {
    it("RFC D4 asks a Proxy without running one of its traps", () => {
      const ran: Array<string> = []
      const traps = new Proxy({}, {
        get: (_, trap) => () => {
          ran.push(String(trap))
          throw new Error(String(trap))
        }
      })
      for (const target of [{}, [], () => 1, new Map()]) assert.strictEqual(isProxy(new Proxy(target, traps)), tells)
      const { proxy, revoke } = Proxy.revocable({}, traps)
      revoke()
      assert.strictEqual(isProxy(proxy), tells)
      assert.deepStrictEqual(ran, [])
    })

    it("RFC D4 calls nothing else a Proxy", () => {
      const mimic = Object.defineProperty({}, Symbol.toStringTag, { value: "Proxy" })
      for (const value of [{}, [], () => 1, new Map(), new Uint8Array(1), Object.create(null), mimic]) {
        assert.isFalse(isProxy(value as object))
      }
    })
  })
}
