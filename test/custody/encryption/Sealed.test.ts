import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result, Schema } from "effect"
import { EncryptionError } from "../../../src/custody/encryption/EncryptionError.ts"
import {
  type FindKey,
  isSealed,
  open,
  purposes,
  readHeader,
  seal,
  type SealedHeader
} from "../../../src/custody/encryption/Sealed.ts"
import { nodeAead } from "../../../src/host/node/NodeAead.ts"
import { noise } from "../../host/port/contract.ts"
import { parts } from "./files.ts"

const key = noise(32, 7)
const header = {
  purpose: "envelope",
  tenant: "acme",
  signature: `injection:${"ab".repeat(32)}`,
  key: { slot: 3, use: 2 }
} as const
const plaintext = new TextEncoder().encode("what was taken into custody")
const piece = seal(header, key, plaintext, parts())

/** Finds the one key, in memory of its own, as a keyring does. */
const find: FindKey = ({ slot, use }) =>
  slot === 3 && use === 2
    ? Result.succeed(key.slice())
    : Result.fail(new EncryptionError({ reason: "unknown_key", message: "another" }))

const reasonOf = <A>(result: Result.Result<A, EncryptionError>): EncryptionError["reason"] | "none" =>
  Result.isFailure(result) ? result.failure.reason : "none"

const changed = (at: number, bit: number): Uint8Array => {
  const other = piece.slice()
  other[at] = (other[at] ?? 0) ^ (1 << bit)
  return other
}

describe("a sealed piece", () => {
  it("SYS L4 opens to the same bytes and the same header", () => {
    const opened = open(piece, "envelope", find, nodeAead)
    assert.isTrue(Result.isSuccess(opened))
    if (Result.isFailure(opened)) return
    assert.deepStrictEqual(opened.success.plaintext, plaintext)
    assert.deepStrictEqual(opened.success.header, { ...header, size: plaintext.length })
  })

  it("SYS L4 has the layout that spec/encryption.md gives it, to the last byte", () => {
    const view = new DataView(piece.buffer)
    assert.strictEqual(Buffer.from(piece.subarray(0, 4)).toString("latin1"), "THSE")
    assert.deepStrictEqual([...piece.subarray(4, 8)], [1, 1, 4, 74])
    assert.deepStrictEqual([view.getBigUint64(8), view.getUint32(16), view.getUint32(20)], [3n, 2, plaintext.length])
    assert.strictEqual(Buffer.from(piece.subarray(36, 40)).toString(), "acme")
    assert.strictEqual(Buffer.from(piece.subarray(40, 114)).toString(), header.signature)
    assert.strictEqual(piece.length, 114 + plaintext.length + 16)
    const proven = nodeAead.open(key, piece.subarray(24, 36), piece.subarray(0, 114), piece.subarray(114))
    assert.deepStrictEqual(proven, plaintext, "all in front of the ciphertext is the additional data")
  })

  it("SYS L4 refuses a flip of any bit, and every cut, by a typed error", () => {
    for (let at = 0; at < piece.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const reason = reasonOf(open(changed(at, bit), "envelope", find, nodeAead))
        assert.notStrictEqual(reason, "none", `byte ${at}, bit ${bit}`)
      }
    }
    for (let length = 0; length < piece.length; length++)
      assert.notStrictEqual(reasonOf(open(piece.subarray(0, length), "envelope", find, nodeAead)), "none")
    assert.strictEqual(reasonOf(open(Uint8Array.of(...piece, 0), "envelope", find, nodeAead)), "damaged")
  })

  it("SYS L4 names what is wrong", () => {
    assert.strictEqual(reasonOf(open(changed(0, 0), "envelope", find, nodeAead)), "not_sealed")
    assert.strictEqual(reasonOf(open(changed(4, 1), "envelope", find, nodeAead)), "unknown_version")
    assert.strictEqual(reasonOf(open(changed(15, 0), "envelope", find, nodeAead)), "unknown_key")
    assert.strictEqual(reasonOf(open(changed(30, 0), "envelope", find, nodeAead)), "damaged")
    assert.strictEqual(reasonOf(open(changed(piece.length - 1, 0), "envelope", find, nodeAead)), "damaged")
    assert.strictEqual(reasonOf(open(piece, "journal", find, nodeAead)), "wrong_purpose")
  })

  it("SYS L4 refuses the additional data of another piece, and its nonce", () => {
    const other = seal({ ...header, tenant: "evil" }, key, plaintext, parts(2))
    const swapped = other.slice()
    swapped.set(piece.subarray(0, 114))
    assert.strictEqual(reasonOf(open(swapped, "envelope", find, nodeAead)), "damaged")
    const nonce = piece.slice()
    nonce.set(other.subarray(24, 36), 24)
    assert.strictEqual(reasonOf(open(nonce, "envelope", find, nodeAead)), "damaged")
  })

  it("SYS L4 wipes the key that it was given, whether the tag holds or not", () => {
    for (const bytes of [piece, changed(piece.length - 1, 0)]) {
      const given = key.slice()
      open(bytes, "envelope", () => Result.succeed(given), nodeAead)
      assert.isTrue(given.every((byte) => byte === 0))
    }
  })

  it("SYS L4 asks for no key and decrypts nothing where the lengths do not add up", () => {
    let asked = 0
    const counting: FindKey = (name) => {
      asked += 1
      return find(name)
    }
    for (const at of [6, 7, 20, 21, 22, 23])
      for (let bit = 0; bit < 8; bit++) open(changed(at, bit), "envelope", counting, nodeAead)
    assert.strictEqual(asked, 0)
  })

  it("SYS L4 never seals twice with one nonce", () => {
    const same = parts(5)
    const nonces = new Set(
      Array.from(
        { length: 1_000 },
        () => Buffer.from(seal(header, key, plaintext, same).subarray(24, 36)).toString("hex")
      )
    )
    assert.strictEqual(nonces.size, 1_000)
  })

  it.each([
    ["a tenant of 256 bytes", { ...header, tenant: "é".repeat(128) }],
    ["a signature of 256 bytes", { ...header, signature: "a".repeat(256) }],
    ["a slot below 0", { ...header, key: { slot: -1, use: 1 } }],
    ["a slot past 2^53", { ...header, key: { slot: 2 ** 53, use: 1 } }],
    ["a use of 0", { ...header, key: { slot: 0, use: 0 } }],
    ["a use past its field", { ...header, key: { slot: 0, use: 2 ** 32 } }]
  ])("SYS L4 seals nothing that has %s", (_name, bad) => {
    assert.throws(() => seal(bad, key, plaintext, parts()), RangeError)
  })

  const headers = Arbitrary.all({
    purpose: Arbitrary.schema(Schema.Literals(purposes)),
    tenant: Arbitrary.schema(Schema.String.check(Schema.isMaxLength(80))),
    signature: Arbitrary.schema(Schema.String.check(Schema.isMaxLength(80))),
    slot: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))),
    use: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 0xffff_ffff }))),
    length: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3_000 })))
  })

  it.prop("SYS L4 reads back every header that it wrote", { given: headers }, ({ given }) => {
    const { length, purpose, slot, use } = given
    const [tenant, signature] = [given.tenant.toWellFormed(), given.signature.toWellFormed()]
    const written: Omit<SealedHeader, "size"> = { purpose, tenant, signature, key: { slot, use } }
    const bytes = noise(length)
    const sealed = seal(written, key, bytes, parts())
    assert.deepStrictEqual(readHeader(sealed), Result.succeed({ ...written, size: length }))
    const opened = open(sealed, purpose, () => Result.succeed(key.slice()), nodeAead)
    assert.deepStrictEqual(Result.isSuccess(opened) ? opened.success.plaintext : null, bytes)
  })

  it.prop("SYS L4 answers any bytes by a typed error", {
    seed: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0x7fff_ffff })),
    length: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 200 }))
  }, ({ length, seed }) => {
    const bytes = noise(length, seed)
    bytes.set(piece.subarray(0, Math.min(seed % 26, length)))
    assert.strictEqual(isSealed(bytes), length >= 4 && Buffer.from(bytes).subarray(0, 4).toString("latin1") === "THSE")
    assert.notStrictEqual(reasonOf(open(bytes, "envelope", find, nodeAead)), "none")
  })
})
