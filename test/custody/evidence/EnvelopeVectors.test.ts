import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { type EnvelopePorts, open, seal } from "../../../src/custody/evidence/Envelope.ts"
import { parse } from "../../../src/custody/evidence/EnvelopeMetadata.ts"
import { codecs } from "../../../src/domain/Codec.ts"
import { type BadVector, type GoodVector, hash, hosts, outcome, root, unbase64, vectors } from "./envelopes.ts"

const { bad, good } = vectors

/** Tracehound's own, where a vector names none. */
const defaultLimit = 268_435_456

const open1 = ({ envelope, limit = defaultLimit }: GoodVector | BadVector, ports: EnvelopePorts) =>
  open(unbase64(envelope), limit, ports)
const lacks = ({ compression }: EnvelopePorts, { needs }: GoodVector | BadVector): boolean =>
  needs !== undefined && !compression.codecs.includes(needs)

/** The ends of its metadata and of its body, by the table. */
const ends = (envelope: Uint8Array): readonly [metadata: number, body: number] => {
  const view = new DataView(envelope.buffer)
  const metadata = 48 + view.getUint16(6)
  return [metadata, metadata + view.getUint32(12)]
}

describe.each(hosts)("the vectors of the envelope on %s", (_name, ports) => {
  it.each(good)("RFC E6 opens: $name", (vector) => {
    if (lacks(ports, vector)) {
      assert.strictEqual(outcome(() => open1(vector, ports)), "codec_unavailable")
      return
    }
    const { content, record } = open1(vector, ports)
    assert.strictEqual(Buffer.from(content).toString("base64"), vector.evidence)
    assert.strictEqual(JSON.stringify(record), vector.record)
  })

  it.each(bad)("RFC E6 refuses: $name", (vector) => {
    assert.strictEqual(
      outcome(() => open1(vector, ports)),
      lacks(ports, vector) ? "codec_unavailable" : vector.reason
    )
  })
})

describe("the vectors themselves", () => {
  it.each(good)("RFC E6 sealing what is in it gives the envelope again: $name", ({ codec, envelope, record }) => {
    const bytes = unbase64(envelope)
    const body = bytes.subarray(...ends(bytes))
    const parsed = parse(new TextEncoder().encode(record)) ?? assert.fail("its record is not one")
    assert.deepStrictEqual(Buffer.from(seal(parsed, codec, body, hash)).toString("base64"), envelope)
  })

  it("RFC E6 each has a name of its own and asks something of its own, and the file is small", () => {
    const names = [...good, ...bad].map(({ name }) => name)
    assert.strictEqual(new Set(names).size, names.length)
    const questions = [...good, ...bad].map(({ envelope, limit }) => `${limit ?? ""} ${envelope}`)
    assert.strictEqual(new Set(questions).size, names.length)
    assert.isBelow(readFileSync(join(root, "spec/vectors/envelope.json")).length, 220_000)
  })

  it("RFC E6 meet every codec, and every reason that an envelope itself can give", () => {
    for (const codec of codecs) {
      const own = good.filter((vector) => vector.codec === codec)
      assert.isAtLeast(own.length, 3, codec)
      assert.isTrue(own.every(({ needs }) => needs === (codec === "stored" ? undefined : codec)))
    }
    assert.sameMembers([...new Set(bad.map(({ reason }) => reason))], [
      "not_an_envelope",
      "unknown_version",
      "unknown_codec",
      "damaged",
      "too_large",
      "inconsistent"
    ])
  })
})

describe.each(good)("as spec/envelope.md says of every good one: $name", ({ envelope, name }) => {
  const whole = unbase64(envelope)
  const [, ports] = hosts[0] ?? assert.fail("no host")
  const reasonOf = (bytes: Uint8Array) => outcome(() => open(bytes, defaultLimit, ports))

  it("RFC E6 every proper prefix is refused", () => {
    for (let length = 0; length < whole.length; length++)
      assert.strictEqual(reasonOf(whole.subarray(0, length)), length < 80 ? "not_an_envelope" : "damaged", `${length}`)
  })

  it("RFC E6 every flipped bit is refused, with the reason of its region", () => {
    const bent = whole.slice()
    // Of one envelope of each codec all bits, of the others one of each byte.
    const step = name.endsWith(": text") ? 1 : 7
    for (let bit = 0; bit < whole.length * 8; bit += step) {
      const at = bit >> 3
      const byte = whole[at] ?? 0
      bent[at] = byte ^ (1 << (bit & 7))
      const expected = at < 4
        ? "not_an_envelope"
        : at === 4
        ? "unknown_version"
        : at === 5 && (bent[at] ?? 0) > 3
        ? "unknown_codec"
        : "damaged"
      assert.strictEqual(reasonOf(bent), expected, `bit ${bit}`)
      bent[at] = byte
    }
  })
})
