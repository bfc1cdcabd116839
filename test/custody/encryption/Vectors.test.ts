/**
 * The vectors, read by Tracehound, and once more by what spec/encryption.md says and node:crypto
 * alone: the document is enough to write another reader.
 */
import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { createDecipheriv, hkdfSync } from "node:crypto"
import { Keyring } from "../../../src/custody/encryption/Keyring.ts"
import { open } from "../../../src/custody/encryption/Sealed.ts"
import { nodeAead } from "../../../src/host/node/NodeAead.ts"
import { memoryFile, parts } from "./files.ts"
import { made, vectors } from "./vectors.ts"

const given = vectors()
const bytes = (hex: string): Buffer => Buffer.from(hex, "hex")
const keyring = Result.getOrThrow(
  Keyring.open({ slots: memoryFile(bytes(given.slots)), epochs: memoryFile(bytes(given.epochs)), ...parts() }, [
    bytes(given.master)
  ])
)

/** The whole of the specification for a piece that is as it should be. */
const bySpecification = (piece: Buffer): Buffer => {
  const [tenant, signature] = [piece.readUInt8(6), piece.readUInt8(7)]
  const slot = piece.readBigUInt64BE(8)
  const at = 512 * Math.floor(Number(slot) / 7) + 72 * (Number(slot) % 7)
  const wrapped = bytes(given.slots).subarray(at, at + 72)
  const epoch = bytes(given.epochs).subarray(0, 512)
  const id = epoch.subarray(8, 16)
  const info = Buffer.concat([Buffer.from("tracehound/v1/epoch"), id])
  const epochKey = Buffer.from(hkdfSync("sha256", bytes(given.master), epoch.subarray(16, 48), info, 32))
  const place = Buffer.concat([bytes("54484b5301"), piece.subarray(8, 16), piece.subarray(16, 20), id])
  const key = decrypt(epochKey, wrapped.subarray(0, 12), place, wrapped.subarray(12, 60))
  const data = 36 + tenant + signature
  return decrypt(key, piece.subarray(24, 36), piece.subarray(0, data), piece.subarray(data))
}

const decrypt = (key: Buffer, nonce: Buffer, data: Buffer, sealed: Buffer): Buffer => {
  const decipher = createDecipheriv("aes-256-gcm", key, nonce)
  decipher.setAAD(data).setAuthTag(sealed.subarray(-16))
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()])
}

describe("the vectors of encryption", () => {
  it.each(given.good)("SYS L4 opens: $name", ({ piece, plaintext, purpose, signature, tenant }) => {
    const opened = Result.getOrThrow(open(bytes(piece), purpose, (name) => keyring.find(name), nodeAead))
    assert.strictEqual(Buffer.from(opened.plaintext).toString("hex"), plaintext)
    assert.deepStrictEqual([opened.header.tenant, opened.header.signature], [tenant, signature])
    assert.strictEqual(bySpecification(bytes(piece)).toString("hex"), plaintext)
  })

  it.each(given.bad)("SYS L4 refuses: $name", ({ piece, purpose, reason }) => {
    const opened = open(bytes(piece), purpose, (name) => keyring.find(name), nodeAead)
    assert.strictEqual(Result.isFailure(opened) ? opened.failure.reason : "opened", reason)
  })

  it("SYS L4 are what the code writes today", () => assert.deepStrictEqual(made(), given))
})
