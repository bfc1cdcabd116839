/**
 * The vectors of spec/encryption.md, and what made them: `npx tsx
 * test/custody/encryption/vectors.ts` prints them anew.
 */
import { Result } from "effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Keyring } from "../../../src/custody/encryption/Keyring.ts"
import { seal } from "../../../src/custody/encryption/Sealed.ts"
import { memoryFile, parts } from "./files.ts"

/** All bytes are hexadecimal. */
export interface EncryptionVectors {
  readonly master: string
  readonly epochs: string
  readonly slots: string
  readonly good: ReadonlyArray<{
    readonly name: string
    readonly purpose: "envelope" | "journal"
    readonly tenant: string
    readonly signature: string
    readonly piece: string
    readonly plaintext: string
  }>
  readonly bad: ReadonlyArray<{
    readonly name: string
    readonly purpose: "envelope" | "journal"
    readonly piece: string
    readonly reason: string
  }>
}

const path = join(import.meta.dirname, "../../../spec/vectors/encryption.json")

export const vectors = (): EncryptionVectors => JSON.parse(readFileSync(path, "utf8")) as EncryptionVectors

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex")

/** Makes the vectors: the same every time. */
export const made = (): EncryptionVectors => {
  const master = Uint8Array.from({ length: 32 }, (_, i) => i * 7 + 1)
  const slots = memoryFile()
  const epochs = memoryFile()
  const keyring = Result.getOrThrow(Keyring.open({ slots, epochs, ...parts(20) }, [master]))
  const keys = Array.from({ length: 9 }, () => Result.getOrThrow(keyring.create()))
  const [first = Result.getOrThrow(keyring.create())] = keys
  const sealed = (at: number, purpose: "envelope" | "journal", tenant: string, text: string): Uint8Array => {
    const [{ key, name } = first] = keys.slice(at)
    const header = { purpose, tenant, signature: `injection:${"0f".repeat(32)}`, key: name }
    return seal(header, key, new TextEncoder().encode(text), parts(30 + at))
  }
  const envelope = sealed(8, "envelope", "", "GET /?id=1' OR '1'='1")
  const journal = sealed(2, "journal", "acme é", "")
  const shredded = sealed(4, "envelope", "", "gone")
  Result.getOrThrow(keyring.destroy(keys[4]?.name ?? { slot: 4, use: 1 }))
  const at = (byte: number, value: number): string => hex(envelope.with(byte, value))
  const signature = `injection:${"0f".repeat(32)}`
  return {
    master: hex(master),
    epochs: hex(epochs.bytes),
    slots: hex(slots.bytes),
    good: [
      {
        name: "an envelope, in the second sector of slots",
        purpose: "envelope",
        tenant: "",
        signature,
        piece: hex(envelope),
        plaintext: hex(new TextEncoder().encode("GET /?id=1' OR '1'='1"))
      },
      {
        name: "a piece of the journal without bytes, of a tenant",
        purpose: "journal",
        tenant: "acme é",
        signature,
        piece: hex(journal),
        plaintext: ""
      }
    ],
    bad: [
      { name: "another magic", purpose: "envelope", piece: at(3, 0x46), reason: "not_sealed" },
      { name: "a later version", purpose: "envelope", piece: at(4, 2), reason: "unknown_version" },
      {
        name: "another purpose than it was sealed for",
        purpose: "journal",
        piece: hex(envelope),
        reason: "wrong_purpose"
      },
      { name: "a purpose that was changed", purpose: "journal", piece: at(5, 2), reason: "damaged" },
      { name: "a length that was changed", purpose: "envelope", piece: at(23, 1), reason: "damaged" },
      {
        name: "a nonce that was changed",
        purpose: "envelope",
        piece: at(24, (envelope[24] ?? 0) ^ 1),
        reason: "damaged"
      },
      { name: "a signature that was changed", purpose: "envelope", piece: at(36, 0x49), reason: "damaged" },
      { name: "the slot of another piece", purpose: "envelope", piece: at(15, 7), reason: "damaged" },
      { name: "a slot that was never given out", purpose: "envelope", piece: at(15, 9), reason: "unknown_key" },
      { name: "a use that was not yet", purpose: "envelope", piece: at(19, 2), reason: "unknown_key" },
      { name: "a key that was destroyed", purpose: "envelope", piece: hex(shredded), reason: "key_destroyed" },
      { name: "its last byte missing", purpose: "envelope", piece: hex(envelope.subarray(0, -1)), reason: "damaged" },
      { name: "nothing", purpose: "envelope", piece: "", reason: "not_sealed" }
    ]
  }
}

if (process.argv[1] === import.meta.filename) process.stdout.write(`${JSON.stringify(made(), null, 2)}\n`)
