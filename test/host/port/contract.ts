/**
 * The contract of each port: one suite, run against every host's implementation.
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { Arbitrary, Context, Effect, Exit, Fiber, Layer, Schema, Scope } from "effect"
import { createHash } from "node:crypto"
import * as zlib from "node:zlib"
import { Compression, CompressionError } from "../../../src/host/port/Compression.ts"
import { Ed25519 } from "../../../src/host/port/Ed25519.ts"
import { Hash } from "../../../src/host/port/Hash.ts"
import { Introspection, type Slots } from "../../../src/host/port/Introspection.ts"
import { Randomness } from "../../../src/host/port/Randomness.ts"
import { random } from "../../support/random.ts"

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

/** Asserts a plain Uint8Array in memory of its own: no class of the host's, no larger buffer. */
const assertOwn = (bytes: Uint8Array): void => {
  assert.strictEqual(Object.getPrototypeOf(bytes), Uint8Array.prototype)
  assert.strictEqual(bytes.buffer.byteLength, bytes.length)
}

/**
 * The reason of the CompressionError that this throws; anything else that it throws fails the test.
 */
export const refusal = (open: () => unknown): CompressionError["reason"] | "none" => {
  try {
    open()
    return "none"
  } catch (error) {
    assert.instanceOf(error, CompressionError)
    return error.reason
  }
}

/** `others` are the hosts that must be able to open what this one compresses. */
export const compressionContract = (
  layer: Layer.Layer<Compression>,
  others: ReadonlyArray<Layer.Layer<Compression>>
): void => {
  const scope = Effect.runSync(Scope.make())
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  const of = (from: Layer.Layer<Compression>) =>
    Context.get(Effect.runSync(Layer.buildWithScope(from, scope)), Compression)
  const compression = of(layer)
  const openers = [layer, ...others].map(of)
  const small = new TextEncoder().encode("evidence evidence evidence evidence ".repeat(3))
  const compressed = compression.compressSync("gzip", small)

  describe("Compression", () => {
    it.effect.prop(
      "RFC E6 every host opens what this one compresses, to the same bytes",
      { content },
      (given) =>
        Effect.gen(function*() {
          const before = given.content.slice()
          for (
            const stream of [
              compression.compressSync("gzip", given.content),
              yield* compression.compressUnsafe("gzip", given.content)
            ]
          ) {
            assertOwn(stream)
            assert.deepStrictEqual([...stream.subarray(0, 3)], [0x1f, 0x8b, 8], "RFC 1952, deflate")
            assert.deepStrictEqual([...stream.subarray(4, 8)], [0, 0, 0, 0], "no time in it")
            for (const { openSync } of openers)
              assert.strictEqual(hex(openSync("gzip", stream, given.content.length)), hex(given.content))
          }
          assert.deepStrictEqual(given.content, before, "the input is left as it was")
        }),
      { arbitrary: { runs: 40 } }
    )

    it("RFC E6 a stream of many steps, of noise and of one byte alone", () => {
      for (const long of [noise(150_000), new Uint8Array(1_000_000).fill(65)]) {
        const stream = compression.compressSync("gzip", long)
        for (const { openSync } of openers) {
          assert.strictEqual(Buffer.compare(openSync("gzip", stream, long.length), long), 0)
          assert.strictEqual(refusal(() => openSync("gzip", stream, long.length - 1)), "too_large")
        }
      }
    })

    it("a limit is met to the byte, down to none", () => {
      const { openSync } = compression
      assert.strictEqual(openSync("gzip", compressed, small.length).length, small.length)
      assert.strictEqual(openSync("gzip", compressed, 2 ** 32 - 1).length, small.length)
      for (const limit of [small.length - 1, 1, 0])
        assert.strictEqual(refusal(() => openSync("gzip", compressed, limit)), "too_large")
      assert.strictEqual(
        refusal(() => openSync("gzip", compression.compressSync("gzip", Uint8Array.of(1)), 0)),
        "too_large"
      )
      assert.strictEqual(openSync("gzip", compression.compressSync("gzip", new Uint8Array(0)), 0).length, 0)
    })

    it("RFC E6 a bomb is refused at its limit", () => {
      const bomb = zlib.gzipSync(new Uint8Array(4_000_000))
      assert.isBelow(bomb.length, 20_000)
      for (const limit of [0, 1, 1_000, 3_999_999])
        assert.strictEqual(refusal(() => compression.openSync("gzip", bomb, limit)), "too_large")
    })

    it("RFC E6 every truncation is refused as corrupt", () => {
      for (const stream of [compressed, compression.compressSync("gzip", noise(40_000))]) {
        for (let length = 0; length < stream.length; length += stream === compressed || length < 40 ? 1 : 997) {
          assert.strictEqual(
            refusal(() => compression.openSync("gzip", stream.subarray(0, length), 40_000)),
            "corrupt",
            `${length}`
          )
        }
        assert.strictEqual(refusal(() => compression.openSync("gzip", stream.subarray(0, -1), 40_000)), "corrupt")
      }
    })

    it("RFC E6 a flipped bit is refused, unless it has no influence on the content", () => {
      let refused = 0
      for (let bit = 0; bit < compressed.length * 8; bit++) {
        const bent = compressed.slice()
        bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        let opened: Uint8Array | undefined
        if (refusal(() => opened = compression.openSync("gzip", bent, small.length)) === "none")
          assert.strictEqual(hex(opened ?? assert.fail("nothing")), hex(small), `bit ${bit}`)
        else refused += 1
      }
      // Bits without influence: the time, the hints and the host (RFC 1952 section 2.3.1), and the
      // padding of deflate's last byte.
      assert.isAtLeast(refused, (compressed.length - 9) * 8)
    })

    it.prop("garbage is refused as corrupt, and nothing comes out that its CRC and size do not vouch for", [content], ([
      garbage
    ]) => {
      assert.strictEqual(refusal(() => compression.openSync("gzip", garbage, 1_000_000)), "corrupt")
      // Made as much like a stream as possible: a header, and the CRC and size of no bytes.
      garbage.set([0x1f, 0x8b, 8, 0].slice(0, garbage.length))
      garbage.fill(0, Math.max(0, garbage.length - 8))
      let opened = new Uint8Array(0)
      if (refusal(() => opened = new Uint8Array(compression.openSync("gzip", garbage, 1_000_000))) !== "corrupt")
        assert.strictEqual(opened.length, 0)
    }, { arbitrary: { runs: 60 } })

    it("takes a view into a larger buffer, and gives back memory of its own", () => {
      const around = new Uint8Array(compressed.length + 20).fill(0xee)
      around.set(compressed, 7)
      const opened = compression.openSync("gzip", around.subarray(7, 7 + compressed.length), 1_000)
      around.fill(0)
      assert.strictEqual(hex(opened), hex(small))
      assertOwn(opened)
      assert.strictEqual(
        hex(compression.compressSync("gzip", around.subarray(0, 3))),
        hex(compression.compressSync("gzip", new Uint8Array(3)))
      )
    })
  })
}

/** The contract of every codec that the host has; `others` as above. */
export const codecContract = (
  layer: Layer.Layer<Compression>,
  others: ReadonlyArray<Layer.Layer<Compression>>
): void => {
  const of = (from: Layer.Layer<Compression>) => Effect.runSync(Effect.provide(Compression, from))
  const compression = of(layer)
  const text = new TextEncoder().encode("evidence evidence evidence evidence ".repeat(3))

  describe.each(compression.codecs)("Compression with %s", (codec) => {
    const openers = [layer, ...others].map(of).filter(({ codecs }) => codecs.includes(codec))
    const compressed = compression.compressSync(codec, text)

    it.live("RFC E7 R5 compresses now or later to what every host opens, and leaves the input as it was", () =>
      Effect.gen(function*() {
        const { compressSync, compressUnsafe } = Context.get(yield* Layer.build(layer), Compression)
        for (const length of [0, 1, 63, 1_000, 70_000, 400_000]) {
          const given = noise(length, 3).map((byte) => byte % 9)
          const before = given.slice()
          for (const stream of [compressSync(codec, given), yield* compressUnsafe(codec, given)]) {
            for (const { openSync } of openers)
              assert.isTrue(Buffer.from(openSync(codec, stream, length)).equals(given))
          }
          assert.isTrue(Buffer.from(before).equals(given))
        }
      }).pipe(Effect.scoped))

    it.live("RFC E5 takes its copy at once: what the caller does to the bytes afterwards changes nothing", () =>
      Effect.gen(function*() {
        const { compressUnsafe } = Context.get(yield* Layer.build(layer), Compression)
        const given = [100, 300_000].map((length) => noise(length))
        const pending = given.map((bytes) => compressUnsafe(codec, bytes))
        for (const bytes of given) bytes.fill(0)
        for (const [i, form] of pending.entries()) {
          const { length } = given[i] ?? []
          const opened = compression.openSync(codec, yield* form, length ?? 0)
          assert.isTrue(Buffer.from(opened).equals(noise(length ?? 0)))
        }
      }).pipe(Effect.scoped))

    it("RFC E6 meets its limit to the byte, and gives back memory of its own", () => {
      for (const { openSync } of openers) {
        const opened = openSync(codec, compressed, text.length)
        assert.strictEqual(hex(opened), hex(text))
        assertOwn(opened)
        for (const limit of [text.length - 1, 1, 0])
          assert.strictEqual(refusal(() => openSync(codec, compressed, limit)), "too_large", `${limit}`)
        assert.strictEqual(openSync(codec, compression.compressSync(codec, new Uint8Array(0)), 0).length, 0)
      }
    })

    it("RFC E6 refuses a stream that ends early, or is followed by other bytes", () => {
      if (codec === "stored") return
      for (const { openSync } of openers) {
        for (let length = 0; length < compressed.length; length++) {
          assert.strictEqual(
            refusal(() => openSync(codec, compressed.subarray(0, length), 1_000)),
            "corrupt",
            `${length}`
          )
        }
        for (const tail of [[0], [1, 2, 3], [...compressed], new Array<number>(40).fill(0)]) {
          const longer = Uint8Array.from([...compressed, ...tail])
          // zlib reads two zstd frames as one stream: the content is then too large.
          const reason = refusal(() => openSync(codec, longer, text.length))
          assert.isTrue(reason === "corrupt" || reason === "too_large", `${tail.length}: ${reason}`)
        }
      }
    })

    it("RFC E6 a bomb is stopped at its limit", () => {
      if (codec === "stored") return
      const bomb = compression.compressSync(codec, new Uint8Array(8_000_000))
      assert.isBelow(bomb.length, 40_000)
      for (const { openSync } of openers) {
        for (const limit of [0, 1, 1_000, 7_999_999])
          assert.strictEqual(refusal(() => openSync(codec, bomb, limit)), "too_large")
      }
    })
  })

  it.each(["zstd", "brotli"] as const)("RFC E7 says that it lacks %s, where it does, and what to do", (codec) => {
    if (compression.codecs.includes(codec)) return
    assert.strictEqual(refusal(() => compression.compressSync(codec, text)), "unsupported")
    assert.strictEqual(refusal(() => compression.openSync(codec, text, 1_000)), "unsupported")
    const error = Effect.runSync(Effect.flip(compression.compressUnsafe(codec, text)))
    assert.strictEqual(error.reason, "unsupported")
    assert.include(error.message, "choose stored or gzip")
  })
}

export const hashContract = (layer: Layer.Layer<Hash>): void => {
  const { sha256, sha256Hex, sha256Into, sha256Text, timingSafeEqual } = Effect.runSync(Effect.provide(Hash, layer))
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

    it("RFC R5 gives the same digest in each of four ways, of any length, and writes nothing beside it", () => {
      for (const length of [...Array(300).keys(), 4_096, 65_537, 1_000_003]) {
        const message = noise(length, length + 1)
        const digest = createHash("sha256").update(message).digest("hex")
        assert.strictEqual(sha256Hex(message), digest)
        assert.strictEqual(hex(sha256(message)), digest)
        assert.strictEqual(Buffer.from(sha256Text(message), "latin1").toString("hex"), digest)
        assert.strictEqual(sha256Text(message).length, 32)
        const target = new Uint8Array(40).fill(0xee)
        sha256Into(message, target)
        assert.strictEqual(hex(target), `${digest}${"ee".repeat(8)}`)
      }
    })

    it("RFC R5 hashes Buffers, views and shared memory alike", () => {
      const bytes = noise(100)
      const shared = new Uint8Array(new SharedArrayBuffer(120)).subarray(7, 107)
      shared.set(bytes)
      for (const form of [Buffer.from(bytes), Buffer.concat([Buffer.alloc(3), bytes]).subarray(3), shared]) {
        assert.strictEqual(sha256Hex(form), sha256Hex(bytes))
        assert.strictEqual(sha256Text(form), sha256Text(bytes))
        const target = Buffer.alloc(32)
        sha256Into(form, target)
        assert.strictEqual(hex(target), sha256Hex(bytes))
      }
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

/** `tells`: whether this host can tell a Proxy from its target. */
export const introspectionContract = (layer: Layer.Layer<Introspection>, tells: boolean): void => {
  const { isProxy, slots } = Effect.runSync(Effect.provide(Introspection, layer))

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

    it("RFC D4 asks for slots, of whatever realm, without running anything, or says that it cannot", () => {
      assert.strictEqual(slots !== null, tells)
      if (slots === null) return
      const fail = (): never => assert.fail("a trap ran")
      const objects: Record<keyof Slots, object> = {
        isMap: new Map(),
        isSet: new Set(),
        isDate: new Date(),
        isArrayBuffer: new ArrayBuffer(1),
        isSharedArrayBuffer: new SharedArrayBuffer(1),
        isRegExp: /x/,
        isNativeError: new RangeError("x"),
        isBoxedPrimitive: Object(1),
        isNumberObject: Object(1),
        isStringObject: Object("x"),
        isBooleanObject: Object(true),
        isBigIntObject: Object(1n),
        isSymbolObject: Object(Symbol("x"))
      }
      for (const [asked, is] of Object.entries(slots)) {
        for (const [name, object] of Object.entries(objects)) {
          const expected = asked === name ||
            (asked === "isBoxedPrimitive" && name.endsWith("Object")) ||
            (asked === "isNumberObject" && name === "isBoxedPrimitive")
          for (
            const prototype of [
              Object.getPrototypeOf(object),
              null,
              Map.prototype,
              new Proxy({}, new Proxy({}, { get: fail }))
            ]
          ) {
            Object.setPrototypeOf(object, prototype)
            assert.strictEqual(is(object), expected, `${asked} of ${name}`)
          }
          assert.isFalse(is(Object.create(object)))
          assert.isFalse(is(new Proxy(object, new Proxy({}, { get: fail }))))
        }
      }
    })

    it("RFC D4 takes nothing else for a Proxy", () => {
      const mimic = Object.defineProperty({}, Symbol.toStringTag, { value: "Proxy" })
      for (const value of [{}, [], () => 1, new Map(), new Uint8Array(1), Object.create(null), mimic])
        assert.isFalse(isProxy(value as object))
    })
  })
}

/** RFC 8032 7.1: seed, public key, message, signature. */
const ed25519Vectors = [
  [
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "",
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
  ],
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
  ]
] as const

const unhex = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text, "hex"))

/**
 * The order of the curve, little-endian: what a signature's second half is below (RFC 8032 5.1.7).
 */
const curveOrder = 0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3edn

export const ed25519Contract = (layer: Layer.Layer<Ed25519>): void => {
  const withPort = <A, E>(use: (port: Ed25519["Service"]) => Effect.Effect<A, E>) =>
    Effect.provide(Effect.flatMap(Ed25519, use), layer)

  describe("Ed25519", () => {
    it.effect.each(ed25519Vectors)(
      "SYS L1 gives RFC 8032's answers: %#",
      ([seed, publicKey, message, signature]) =>
        withPort((port) =>
          Effect.gen(function*() {
            const key = yield* port.publicKey(unhex(seed))
            const signed = yield* port.sign(unhex(seed), unhex(message))
            assert.strictEqual(hex(key), publicKey)
            assert.strictEqual(hex(signed), signature)
            assertOwn(key)
            assertOwn(signed)
            assert.isTrue(yield* port.verify(unhex(publicKey), unhex(message), unhex(signature)))
          })
        )
    )

    it.effect("SYS L1 refuses another message, another key, and every flipped byte of a signature", () =>
      withPort((port) =>
        Effect.gen(function*() {
          const [[, otherKey], [, key, message, signature]] = ed25519Vectors
          assert.isFalse(yield* port.verify(unhex(key), unhex("73"), unhex(signature)))
          assert.isFalse(yield* port.verify(unhex(otherKey), unhex(message), unhex(signature)))
          for (let at = 0; at < 64; at++) {
            const bent = unhex(signature)
            bent[at] = (bent[at] ?? 0) ^ 0x20
            assert.isFalse(yield* port.verify(unhex(key), unhex(message), bent), `byte ${at}`)
          }
        })
      ))

    it.effect("SYS L1 has one signature for each message: adding the order of the curve is refused", () =>
      withPort((port) =>
        Effect.gen(function*() {
          const [, [, key, message, signature]] = ed25519Vectors
          const second = BigInt(`0x${Buffer.from(unhex(signature).slice(32)).reverse().toString("hex")}`)
          const larger = Buffer.from((second + curveOrder).toString(16).padStart(64, "0"), "hex").reverse()
          const bent = unhex(signature)
          bent.set(larger, 32)
          assert.isFalse(yield* port.verify(unhex(key), unhex(message), bent))
        })
      ))

    it.effect("SYS L1 answers false for keys and signatures that are none, and fails for a seed that is none", () =>
      withPort((port) =>
        Effect.gen(function*() {
          const [[seed, key, , signature]] = ed25519Vectors
          const nothing = new Uint8Array(0)
          for (const wrong of ["", key.slice(2), `${key}00`, "ff".repeat(32)])
            assert.isFalse(yield* port.verify(unhex(wrong), nothing, unhex(signature)))
          for (const wrong of ["", signature.slice(2), `${signature}00`])
            assert.isFalse(yield* port.verify(unhex(key), nothing, unhex(wrong)))
          for (const wrong of ["", seed.slice(2), `${seed}00`]) {
            assert.strictEqual((yield* Effect.flip(port.publicKey(unhex(wrong)))).reason, "key")
            assert.strictEqual((yield* Effect.flip(port.sign(unhex(wrong), nothing))).reason, "key")
          }
        })
      ))

    it.effect("SYS L1 reads what it is given before it gives up its turn", () =>
      withPort((port) =>
        Effect.gen(function*() {
          const [, [seed, key, message, signature]] = ed25519Vectors
          const given = { seed: unhex(seed), key: unhex(key), message: unhex(message), signature: unhex(signature) }
          const signing = yield* Effect.forkChild(port.sign(given.seed, given.message), { startImmediately: true })
          const verifying = yield* Effect.forkChild(port.verify(given.key, given.message, given.signature), {
            startImmediately: true
          })
          for (const bytes of Object.values(given)) bytes.fill(0)
          assert.strictEqual(hex(yield* Fiber.join(signing)), signature)
          assert.isTrue(yield* Fiber.join(verifying))
        })
      ))
  })
}
