import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { runInNewContext } from "node:vm"
import { openEnvelope } from "tracehound"
import { EnvelopeError, type EnvelopePorts, open, seal } from "../../../src/custody/evidence/Envelope.ts"
import { codecs } from "../../../src/domain/Codec.ts"
import { threatCategories } from "../../../src/domain/Scent.ts"
import { evidence } from "../../domain/samples.ts"
import { content, noise } from "../../host/port/contract.ts"
import { anyEvidence, byHand, compress, fitted, hash, hosts, outcome, sha256 } from "./envelopes.ts"

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** Ports that write down what they were asked to inflate, and to which limit. */
const metered = (ports: EnvelopePorts, limits: Array<number>): EnvelopePorts => ({
  ...ports,
  compression: {
    codecs: ports.compression.codecs,
    openSync: (codec, bytes, limit) => {
      limits.push(limit)
      return ports.compression.openSync(codec, bytes, limit)
    }
  }
})

describe.each(hosts)("an envelope on %s", (_name, ports) => {
  it.prop("RFC E6 gives back the same record and the same bytes", [anyEvidence], ([{ bytes, record }]) => {
    for (const codec of ports.compression.codecs) {
      const opened = open(seal(record, codec, compress[codec](bytes), hash), bytes.length, ports)
      assert.deepStrictEqual(opened.record, record)
      assert.strictEqual(hex(opened.content), hex(bytes))
    }
  }, { arbitrary: { runs: 60 } })

  it.prop("RFC E6 any flipped bit of any envelope is refused, and so is any truncation of it", [
    anyEvidence,
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0x7fff_ffff }))
  ], ([{ bytes, record }, seed]) => {
    for (const codec of ports.compression.codecs) {
      const envelope = seal(record, codec, compress[codec](bytes), hash)
      const bent = envelope.slice()
      const at = seed % envelope.length
      bent[at] = (bent[at] ?? 0) ^ (1 << (seed % 8))
      assert.notStrictEqual(outcome(() => open(bent, 10_000, ports)), "opened")
      assert.notStrictEqual(outcome(() => open(envelope.subarray(0, at), 10_000, ports)), "opened")
      assert.notStrictEqual(outcome(() => open(envelope.subarray(envelope.length - at), 10_000, ports)), "opened")
    }
  }, { arbitrary: { runs: 60 } })

  it("RFC E6 every byte more is refused, at either end and between any two", () => {
    const envelope = byHand()
    for (let at = 0; at <= envelope.length; at++) {
      for (const byte of [0, 0xff]) {
        const longer = Uint8Array.from([...envelope.subarray(0, at), byte, ...envelope.subarray(at)])
        assert.notStrictEqual(outcome(() => open(longer, 1_000, ports)), "opened", `byte at ${at}`)
      }
    }
    for (const more of [1, 32, 80, 1_000]) {
      const longer = new Uint8Array(envelope.length + more)
      longer.set(envelope)
      assert.strictEqual(outcome(() => open(longer, 1_000, ports)), "damaged")
    }
    assert.strictEqual(outcome(() => open(Uint8Array.from([...envelope, ...envelope]), 1_000, ports)), "damaged")
  })

  it.prop(
    "RFC E6 garbage is refused with an EnvelopeError, with or without a header in front of it",
    { garbage: content, at: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 48 })) },
    ({ at, garbage }) => {
      assert.notStrictEqual(outcome(() => open(garbage, 1_000, ports)), "opened")
      garbage.set(byHand().subarray(0, Math.min(at, garbage.length)))
      assert.notStrictEqual(outcome(() => open(garbage, 1_000, ports)), "opened")
    },
    { arbitrary: { runs: 100 } }
  )

  it("RFC E6 a bomb that declares little is stopped at what it declares", () => {
    for (const codec of ports.compression.codecs.filter((codec) => codec !== "stored")) {
      const limits: Array<number> = []
      const zeros = new Uint8Array(8_000_000)
      const bomb = byHand({
        codec: codecs.indexOf(codec),
        body: compress[codec](zeros),
        metadata: Buffer.from(JSON.stringify({ ...fitted(evidence, zeros), size: 100 })),
        digest: sha256(zeros),
        size: 100
      })
      assert.strictEqual(outcome(() => open(bomb, 1_000_000, metered(ports, limits))), "inconsistent")
      assert.deepStrictEqual(limits, [100])
    }
  })

  it("RFC E6 a bomb that declares its true size is refused by the reader's bound, and not inflated at all", () => {
    for (const codec of ports.compression.codecs) {
      const limits: Array<number> = []
      const bomb = byHand({ codec: codecs.indexOf(codec), content: new Uint8Array(2_000_000) })
      assert.strictEqual(outcome(() => open(bomb, 1_999_999, metered(ports, limits))), "too_large")
      assert.deepStrictEqual(limits, [])
      assert.strictEqual(open(bomb, 2_000_000, ports).content.length, 2_000_000)
    }
  })

  it("RFC E6 inflates nothing where the metadata is of other evidence", () => {
    const limits: Array<number> = []
    const envelope = byHand({ content: noise(3_000), metadata: Buffer.from(JSON.stringify(evidence)) })
    assert.strictEqual(outcome(() => open(envelope, 10_000, metered(ports, limits))), "inconsistent")
    assert.deepStrictEqual(limits, [])
  })

  it("RFC E6 inflates nothing before the seal holds", () => {
    const limits: Array<number> = []
    const envelope = byHand({ content: noise(3_000) })
    envelope[1_000] = (envelope[1_000] ?? 0) ^ 1
    assert.strictEqual(outcome(() => open(envelope, 10_000, metered(ports, limits))), "damaged")
    assert.deepStrictEqual(limits, [])
  })

  it("RFC E5 open gives a copy: the envelope's memory may be used again, whatever its class", () => {
    const bytes = noise(500)
    for (const codec of ports.compression.codecs.map((codec) => codecs.indexOf(codec))) {
      for (const envelope of [byHand({ content: bytes, codec }), Buffer.from(byHand({ content: bytes, codec }))]) {
        const opened = open(envelope, 500, ports)
        envelope.fill(0)
        assert.strictEqual(hex(opened.content), hex(bytes))
      }
    }
  })

  it("RFC E6 opens a view into a larger buffer", () => {
    const envelope = byHand()
    const around = new Uint8Array(envelope.length + 30).fill(0xee)
    around.set(envelope, 13)
    assert.strictEqual(open(around.subarray(13, 13 + envelope.length), 1_000, ports).content.length, 26)
  })
})

describe("open, given what it did not ask for", () => {
  const [, ports] = hosts[0] ?? assert.fail("no host")
  const envelope = byHand()
  const boom = (): never => assert.fail("it runs code")

  const noBytes: ReadonlyArray<readonly [name: string, value: unknown]> = [
    ["undefined", undefined],
    ["null", null],
    ["a text", Buffer.from(envelope).toString("latin1")],
    ["a number", 7],
    ["a symbol", Symbol("envelope")],
    ["an array of the bytes", [...envelope]],
    ["its buffer", envelope.buffer],
    ["a DataView of it", new DataView(envelope.buffer)],
    ["a Uint8ClampedArray of it", new Uint8ClampedArray(envelope)],
    ["an Int8Array of it", new Int8Array(envelope)],
    ["a Proxy of it", new Proxy(envelope, {})],
    ["a Proxy that throws at everything", new Proxy({}, { get: boom, getPrototypeOf: boom, has: boom })],
    ["an object that looks like one", { length: 200, buffer: envelope.buffer, [Symbol.toStringTag]: "Uint8Array" }],
    ["what inherits from one", Object.create(envelope)]
  ]
  it.each(noBytes)("RFC E6 F5 no bytes are no envelope: %s", (_name, value) => {
    assert.strictEqual(outcome(() => open(value as Uint8Array, 1_000, ports)), "not_an_envelope")
  })

  it("RFC E6 bytes of another realm are bytes, and those of a buffer that is gone are none", () => {
    const foreign = runInNewContext("new Uint8Array(bytes)", { bytes: [...envelope] }) as Uint8Array
    assert.strictEqual(open(foreign, 1_000, ports).content.length, 26)
    const gone = byHand()
    structuredClone(gone.buffer, { transfer: [gone.buffer] })
    assert.strictEqual(outcome(() => open(gone, 1_000, ports)), "not_an_envelope")
  })

  it("RFC E6 a limit that is no number has nothing within it, and nothing is inflated", () => {
    const strange = [
      NaN,
      undefined,
      null,
      "1000",
      1_000n,
      [1_000],
      { valueOf: () => 1_000 },
      Symbol("limit"),
      new Date()
    ]
    for (const limit of [...strange, -1, 25, Number.NEGATIVE_INFINITY]) {
      const limits: Array<number> = []
      const opened = () => open(envelope, limit as number, metered(ports, limits))
      assert.strictEqual(outcome(opened), "too_large", String(limit))
      assert.deepStrictEqual(limits, [])
    }
    for (const limit of [26, 26.5, Number.POSITIVE_INFINITY])
      assert.strictEqual(open(envelope, limit, ports).content.length, 26)
  })

  it("RFC E6 the public reader has the same limits, and its own where none is given", () => {
    assert.strictEqual(outcome(() => openEnvelope(envelope, NaN)), "too_large")
    assert.strictEqual(outcome(() => openEnvelope("" as unknown as Uint8Array)), "not_an_envelope")
    assert.strictEqual(openEnvelope(envelope).content.length, 26)
  })

  it("RFC E6 evidence of one category under a signature of another is refused, before it is inflated", () => {
    const limits: Array<number> = []
    const bytes = noise(300)
    for (const category of threatCategories) {
      for (const signed of threatCategories) {
        const record = { ...fitted(evidence, bytes), category, signature: `${signed}:${"0".repeat(64)}` }
        const sealed = seal(record, "gzip", compress.gzip(bytes), hash)
        assert.strictEqual(
          outcome(() => open(sealed, 300, metered(ports, limits))),
          category === signed ? "opened" : "inconsistent"
        )
      }
    }
    assert.strictEqual(limits.length, threatCategories.length)
  })
})

describe("seal", () => {
  it("RFC E6 leaves the body as it was, and shares no memory with it", () => {
    const bytes = noise(64)
    const before = bytes.slice()
    const envelope = seal(fitted(evidence, bytes), "stored", bytes, hash)
    assert.deepStrictEqual(bytes, before)
    envelope.fill(0)
    assert.deepStrictEqual(bytes, before)
  })

  it("the message of an EnvelopeError says what is wrong, and nothing of the content", () => {
    const [, ports] = hosts[0] ?? assert.fail("no host")
    try {
      open(byHand({ metadata: Buffer.from("{\"secret\":\"hunter2\"") }), 1_000, ports)
      assert.fail("opened")
    } catch (error) {
      assert.instanceOf(error, EnvelopeError)
      assert.match(error.message, /^this evidence envelope was not opened: /)
      assert.notInclude(error.message, "hunter2")
      assert.notInclude(JSON.stringify(error), "hunter2")
    }
  })
})
