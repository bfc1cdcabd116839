/**
 * The trial of a host's ports: it passes on every host that keeps the ports' contracts, and finds
 * each port that fails, lies, or is right only now and then.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { createHash } from "node:crypto"
import type { Digest } from "../../../src/domain/Digest.ts"
import * as NodePorts from "../../../src/host/node/NodePorts.ts"
import { Compression, CompressionError } from "../../../src/host/port/Compression.ts"
import { Hash } from "../../../src/host/port/Hash.ts"
import { Introspection, type Slots } from "../../../src/host/port/Introspection.ts"
import { Memory } from "../../../src/host/port/Memory.ts"
import { MonotonicTime } from "../../../src/host/port/MonotonicTime.ts"
import { layer as portable } from "../../../src/host/port/portable.ts"
import type { Ports } from "../../../src/host/port/Ports.ts"
import { Randomness } from "../../../src/host/port/Randomness.ts"
import {
  type CustodyPorts,
  type PortReport,
  tryCompression,
  tryCustody,
  tryLater,
  tryRunning
} from "../../../src/host/port/SelfTest.ts"
import * as SeededRandomness from "../../../src/testing/SeededRandomness.ts"

interface AllPorts extends CustodyPorts {
  readonly compression: Compression["Service"]
}

const portsOf = (layer: Layer.Layer<Ports>) =>
  Effect.map(Layer.build(layer), (context): AllPorts => ({
    compression: Context.get(context, Compression),
    hash: Context.get(context, Hash),
    introspection: Context.get(context, Introspection),
    memory: Context.get(context, Memory),
    monotonicTime: Context.get(context, MonotonicTime),
    randomness: Context.get(context, Randomness)
  }))

const real = Effect.runSync(Effect.scoped(portsOf(NodePorts.layer)))

/** The ports that were found wrong, each with what was found. */
const wrongIn = (reports: ReadonlyArray<PortReport>): ReadonlyArray<string> =>
  reports.filter(({ holds }) => !holds).map(({ found, port }) => `${port} ${found}`)

const nothing: ReadonlyArray<string> = []

describe.each([["Node's", NodePorts.layer], ["portable", portable]] as const)("%s ports", (_, layer) => {
  it.live("RFC R5 pass their trial, every codec now and later", () =>
    Effect.scoped(Effect.gen(function*() {
      const ports = yield* portsOf(layer)
      const reports = [...tryCustody(ports), tryRunning(ports.monotonicTime), ...tryCompression(ports.compression)]
      for (const codec of ports.compression.codecs) reports.push(yield* tryLater(ports.compression, codec))
      assert.deepStrictEqual(wrongIn(reports), nothing)
      assert.strictEqual(reports.length, 6 + 2 * ports.compression.codecs.length)
    })))

  it.live("are tried without an heir of a boxed string, after which V8 reads every string slower", ({ skip }) =>
    Effect.scoped(Effect.gen(function*() {
      if (Object.isFrozen(Object)) return skip("Object is frozen: nobody can listen to what is made")
      const ports = yield* portsOf(layer)
      const { create, setPrototypeOf } = Object
      const given: Array<object | null> = []
      // By hand, as a spy would look at what it is given, and run the traps of Proxies.
      Object.assign(Object, {
        create: (prototype: object | null, properties: PropertyDescriptorMap = {}): unknown => {
          given.push(prototype)
          return create(prototype, properties)
        },
        setPrototypeOf: (value: object, prototype: object | null): unknown => {
          given.push(value, prototype)
          return setPrototypeOf(value, prototype)
        }
      })
      const reports = tryCustody(ports)
      Object.assign(Object, { create, setPrototypeOf })
      assert.deepStrictEqual(wrongIn(reports), nothing)
      if (ports.introspection.slots !== null) assert.isAbove(given.length, 20)
      assert.isFalse(given.some((value) => value !== null && real.introspection.slots?.isStringObject(value) === true))
    })))
})

describe("the trial", () => {
  it.effect("RFC S5 passes on a test's clock and a seed's randomness, and takes 64 bytes of it", () =>
    Effect.scoped(Effect.gen(function*() {
      yield* TestClock.setTime(0)
      const { last, nowMs, tick } = Context.get(yield* Layer.build(MonotonicTime.layerPortable), MonotonicTime)
      const randomness = SeededRandomness.make(0)
      assert.deepStrictEqual(
        wrongIn(tryCustody({ ...real, monotonicTime: { last, nowMs, tick }, randomness })),
        nothing
      )
      assert.isFalse(tryRunning({ nowMs }).holds, "nobody moves it")
      const [spent, fresh] = [new Uint8Array(1), new Uint8Array(65)]
      randomness.fill(spent)
      SeededRandomness.make(0).fill(fresh)
      assert.strictEqual(spent[0], fresh[64])
    })))

  it("RFC R5 gives a report for each port and each codec", () => {
    assert.deepStrictEqual(tryCustody(real).map(({ port }) => port), [
      "hash",
      "randomness",
      "memory",
      "monotonic time",
      "introspection"
    ])
    assert.deepStrictEqual(
      tryCompression(real.compression).map(({ port }) => port),
      ["stored", "gzip", "zstd", "brotli"].map((codec) => `compression ${codec}`)
    )
  })
})

const { hash, introspection, memory, monotonicTime, randomness } = real

/** SHA-256 that is right but for what `bend` does to it. */
const bentHash = (bend: (digest: Uint8Array, bytes: Uint8Array) => void): Partial<Hash["Service"]> => {
  const sha256 = (bytes: Uint8Array): Uint8Array => {
    const digest = new Uint8Array(createHash("sha256").update(bytes).digest())
    bend(digest, bytes)
    return digest
  }
  return {
    sha256,
    sha256Into: (bytes, target) => target.set(sha256(bytes)),
    sha256Text: (bytes) => Buffer.from(sha256(bytes)).toString("latin1") as Digest,
    sha256Hex: (bytes) => Buffer.from(sha256(bytes)).toString("hex")
  }
}

const hashes: Readonly<Record<string, Partial<Hash["Service"]>>> = {
  "throws into memory, as on an older Node": {
    sha256Into: () => {
      throw new TypeError("buf.latin1Write is not a function")
    }
  },
  "writes nothing": { sha256Into: () => {} },
  "writes the text of the digest": {
    sha256Into: (bytes, target) => void new TextEncoder().encodeInto(hash.sha256Hex(bytes), target)
  },
  "writes a byte too many": {
    sha256Into: (bytes, target) => {
      hash.sha256Into(bytes, target)
      if (target.length > 32) target[32] = 0
    }
  },
  "writes to the memory behind a view": {
    sha256Into: (bytes, target) => hash.sha256Into(bytes, new Uint8Array(target.buffer))
  },
  "reads the memory behind a view": bentHash((digest, bytes) =>
    digest.set(createHash("sha256").update(new Uint8Array(bytes.buffer)).digest())
  ),
  "knows nothing but short texts": bentHash((digest, bytes) => {
    if (bytes.length > 55) digest.fill(1)
  }),
  "is another hash": bentHash((digest, bytes) => digest.set(createHash("sha512-256").update(bytes).digest())),
  "clears what it hashed": bentHash((_, bytes) => bytes.fill(0)),
  "gives the digest's hexadecimal as its characters": { sha256Text: (bytes) => hash.sha256Hex(bytes) as Digest },
  "gives a character too many": { sha256Text: (bytes) => `${hash.sha256Text(bytes)}.` as Digest },
  "in capitals": { sha256Hex: (bytes) => hash.sha256Hex(bytes).toUpperCase() },
  "gives a digest that is too long": { sha256: (bytes) => Buffer.concat([hash.sha256(bytes), Buffer.alloc(1)]) },
  "takes all for equal": { timingSafeEqual: () => true },
  "takes none for equal": { timingSafeEqual: () => false },
  "compares the first byte alone": { timingSafeEqual: (a, b) => a.length === b.length && a[0] === b[0] },
  "throws for unequal lengths": {
    timingSafeEqual: (a, b) => {
      if (a.length !== b.length) throw new RangeError("Input buffers must have the same byte length")
      return hash.timingSafeEqual(a, b)
    }
  }
}

const fills: Readonly<Record<string, Randomness["Service"]["fill"]>> = {
  "does nothing": () => {},
  "is constant": (target) => void target.fill(4),
  "starts from the same seed each time": (target) => SeededRandomness.make(7).fill(target),
  "fills the first half": (target) => randomness.fill(target.subarray(0, target.length >> 1)),
  "repeats 16 bytes": (target) => {
    const piece = new Uint8Array(16)
    const { fill } = randomness
    fill(piece)
    for (let at = 0; at < target.length; at += 16) target.set(piece, at)
  },
  throws: () => {
    throw new Error("no entropy")
  }
}

const { writeUtf8 } = memory

const writes: Readonly<Record<string, Memory["Service"]["writeUtf8"]>> = {
  "writes nothing": () => 0,
  "writes characters, not bytes": (text, target, at, room) => {
    if (text.length > room) return -1
    for (let i = 0; i < text.length; i++) target[at + i] = text.charCodeAt(i)
    return text.length
  },
  "writes past its room": (text, target, at) => writeUtf8(text, target, at, target.length - at),
  "leaves out what does not fit, and does not say so": (text, target, at, room) =>
    Math.max(writeUtf8(text, target, at, room), 0),
  "writes to the memory behind a view": (text, target, at, room) =>
    writeUtf8(text, new Uint8Array(target.buffer), at, room),
  "writes at the beginning": (text, target, _, room) => writeUtf8(text, target, 0, room),
  "lacks it": undefined as unknown as Memory["Service"]["writeUtf8"]
}

const equals: Readonly<Record<string, Memory["Service"]["equal"]>> = {
  "takes all for equal": () => true,
  "takes none for equal": () => false,
  "is wrong for long ranges alone": (a, aAt, b, bAt, length) => length >= 96 || memory.equal(a, aAt, b, bAt, length),
  "looks at the first byte alone": (a, aAt, b, bAt, length) => length === 0 || a[aAt] === b[bAt],
  "does not look at the last byte": (a, aAt, b, bAt, length) => memory.equal(a, aAt, b, bAt, Math.max(length - 1, 0)),
  "ignores where a range begins": (a, _, b, __, length) => memory.equal(a, 0, b, 0, length),
  "throws where an array is no Buffer": (a) => {
    if (!Buffer.isBuffer(a)) throw new TypeError("argument must be a buffer")
    return true
  }
}

/** A clock that reads these times, the last one again and again. */
const clockOf = (...times: ReadonlyArray<number>): MonotonicTime["Service"] => {
  let at = 0
  const nowMs = (): number => times[Math.min(at++, times.length - 1)] ?? 0
  const last = new Float64Array(1)
  return {
    nowMs,
    last,
    tick: () => {
      last[0] = nowMs()
    }
  }
}

const clocks: Readonly<Record<string, MonotonicTime["Service"]>> = {
  "goes back": clockOf(3, 2, 1),
  "goes back at last": clockOf(1, 2, 1),
  "is no number": clockOf(Number.NaN),
  "is infinite": clockOf(Number.POSITIVE_INFINITY),
  "does not tick": { ...monotonicTime, last: new Float64Array(1), tick: () => {} }
}

const introspections: Readonly<Record<string, Pick<Introspection["Service"], "isProxy">>> = {
  "takes all for a Proxy": { isProxy: () => true },
  "takes an object without a prototype for one": { isProxy: (value) => Object.getPrototypeOf(value) === null },
  "runs its traps": { isProxy: (value) => Object.getPrototypeOf(value) === 1 },
  throws: {
    isProxy: () => {
      throw new TypeError("isProxy is not a function")
    }
  }
}

const { slots } = introspection
if (slots === null) assert.fail("Node can tell slots")

/**
 * Whether `Object.prototype.toString` says so: what a class names itself, and a payload as well.
 */
const isNamed = (name: string) => (value: object): boolean =>
  Object.prototype.toString.call(value) === `[object ${name}]`

/** Whether a getter of the class takes the object, which a Proxy's traps may hear of. */
const isRead = (read: (value: object) => unknown) => (value: object): boolean => {
  try {
    read(value)
    return true
  } catch {
    return false
  }
}

const bentSlots: Readonly<Record<string, Partial<Slots>>> = {
  "takes nothing for a Map": { isMap: () => false },
  "takes all for a Set": { isSet: () => true },
  "goes by the class": { isDate: (value) => value instanceof Date },
  "goes by the name of the class": { isRegExp: isNamed("RegExp") },
  "goes by the name that a prototype gives": { isMap: isNamed("Map") },
  "goes by the constructor": { isNativeError: ({ constructor }) => (constructor?.name ?? "").endsWith("Error") },
  "goes by what an object has": { isArrayBuffer: (value) => "byteLength" in value },
  "takes shared memory for memory": {
    isArrayBuffer: (value) => slots.isArrayBuffer(value) || slots.isSharedArrayBuffer(value)
  },
  "takes views for memory": { isArrayBuffer: (value) => slots.isArrayBuffer(value) || ArrayBuffer.isView(value) },
  "takes what is weak for what is not": { isMap: (value) => slots.isMap(value) || value instanceof WeakMap },
  "asks the object itself": { isSymbolObject: (value) => typeof value.valueOf() === "symbol" },
  "asks a Proxy's target": { isSet: isRead((value) => Reflect.get(value, "size")) },
  "mixes up two boxes": { isNumberObject: slots.isBooleanObject, isBooleanObject: slots.isNumberObject },
  "knows boxes of numbers alone": { isBoxedPrimitive: slots.isNumberObject },
  "takes a box for none": { isBigIntObject: (value) => slots.isBigIntObject(value) && "constructor" in value },
  "answers by no boolean": { isStringObject: (value) => (slots.isStringObject(value) ? 1 : 0) as unknown as boolean },
  "lacks a question": { isSharedArrayBuffer: undefined as unknown as Slots["isSharedArrayBuffer"] }
}

const faults: ReadonlyArray<readonly [port: string, fault: string, ports: Partial<CustodyPorts>]> = [
  ...Object.entries(hashes).map(([fault, bent]) => ["hash", fault, { hash: { ...hash, ...bent } }] as const),
  ...Object.entries(fills).map(([fault, fill]) => ["randomness", fault, { randomness: { fill } }] as const),
  ...Object.entries(equals).map(([fault, equal]) => ["memory", fault, { memory: { ...memory, equal } }] as const),
  ...Object.entries(writes).map(([fault, writeUtf8]) =>
    ["memory", fault, { memory: { ...memory, writeUtf8 } }] as const
  ),
  ...Object.entries(clocks).map(([fault, clock]) => ["monotonic time", fault, { monotonicTime: clock }] as const),
  ...Object.entries(introspections).map(([fault, bent]) =>
    ["introspection", fault, { introspection: { ...bent, slots: null } }] as const
  ),
  // On ports that can tell a Proxy, and on such as cannot.
  ...Object.entries(bentSlots).flatMap(([fault, bent]) =>
    [introspection.isProxy, () => false].map((isProxy) =>
      ["introspection", `slots: ${fault}`, { introspection: { isProxy, slots: { ...slots, ...bent } } }] as const
    )
  )
]

describe("a host that is broken", () => {
  it.each(faults)("RFC R5 is found: its %s %s", (port, _, bent) => {
    const wrong = tryCustody({ hash, introspection, memory, monotonicTime, randomness, ...bent })
      .filter(({ holds }) => !holds)
    assert.deepStrictEqual(wrong.map((report) => report.port), [port])
    assert.notInclude(wrong[0]?.found ?? "", "known answers")
  })

  const { codecs, compressSync, openSync } = real.compression
  const compressions: Readonly<Record<string, Partial<Compression["Service"]>>> = {
    "does not compress": { compressSync: (_, bytes) => new Uint8Array(bytes), openSync: (_, bytes) => bytes },
    "has a format of its own": {
      compressSync: (codec, bytes) => compressSync(codec, bytes.map((byte) => byte ^ 1)),
      openSync: (codec, bytes, limit) => openSync(codec, bytes, limit).map((byte) => byte ^ 1)
    },
    "compresses to nothing": { compressSync: () => new Uint8Array(0) },
    "compresses something else": { compressSync: (codec, bytes) => compressSync(codec, bytes.subarray(1)) },
    "opens to nothing": { openSync: () => new Uint8Array(0) },
    "knows no limit": { openSync: (codec, bytes) => openSync(codec, bytes, 1_000) },
    "fails at its limit for no reason that it gives": {
      openSync: (codec, bytes, limit) => {
        try {
          return openSync(codec, bytes, limit)
        } catch {
          throw new RangeError("Cannot create a Buffer larger than 27 bytes")
        }
      }
    },
    "clears what it compressed": {
      compressSync: (codec, bytes) => {
        const form = compressSync(codec, bytes)
        bytes.fill(0)
        return form
      }
    },
    throws: {
      compressSync: (codec) => {
        throw new CompressionError({ reason: "host", message: `no ${codec}` })
      }
    }
  }

  it.each(Object.entries(compressions))("RFC E6 R5 is found: its compression %s", (fault, bent) => {
    const wrong = tryCompression({ ...real.compression, ...bent }).filter(({ holds }) => !holds)
    // Under `stored` content is its own form: not every fault shows there.
    const compressing = codecs.filter((codec) => codec !== "stored").map((codec) => `compression ${codec}`)
    assert.includeMembers(wrong.map(({ port }) => port), compressing)
    assert.isTrue(wrong.every(({ found }) => found !== ""), fault)
  })

  it("RFC R5 one codec that is wrong does not hide the others", () => {
    const wrong = wrongIn(tryCompression({
      ...real.compression,
      openSync: (codec, bytes, limit) => {
        if (codec === "zstd") throw new TypeError("zlib.zstdDecompressSync is not a function")
        return openSync(codec, bytes, limit)
      }
    }))
    assert.deepStrictEqual(wrong, ["compression zstd fails: zlib.zstdDecompressSync is not a function"])
  })

  it.effect("RFC R5 is found where only the background fails: by an error, by a death, by wrong bytes", () =>
    Effect.gen(function*() {
      const later = (compressUnsafe: Compression["Service"]["compressUnsafe"]) =>
        Effect.map(tryLater({ ...real.compression, compressUnsafe }, "gzip"), (report) => wrongIn([report]))
      const port = "compression gzip, in the background"
      assert.deepStrictEqual(
        yield* later(() => Effect.fail(new CompressionError({ reason: "host", message: "the worker is gone" }))),
        [`${port} fails: the worker is gone`]
      )
      assert.deepStrictEqual(
        yield* later(() => {
          throw new Error("Access to this API has been restricted")
        }),
        [`${port} fails: Access to this API has been restricted`]
      )
      assert.deepStrictEqual(
        yield* later((codec) => Effect.succeed(compressSync(codec, Uint8Array.of(1)))),
        [`${port} opens what it compressed to other bytes`]
      )
      assert.strictEqual((yield* later((_, bytes) => Effect.succeed(bytes.subarray(3)))).length, 1)
    }))

  it("RFC R5 says so of a clock that stands still, and waits no longer than it must", () => {
    let readings = 0
    const still = tryRunning({ nowMs: () => (readings += 1, 5) })
    assert.deepStrictEqual(wrongIn([still]), ["monotonic time, running stands still"])
    assert.isAtMost(readings, 1_000_001)
    readings = 0
    assert.isTrue(tryRunning({ nowMs: () => readings++ < 3 ? 5 : 6 }).holds)
    assert.isAtMost(readings, 5)
  })
})
