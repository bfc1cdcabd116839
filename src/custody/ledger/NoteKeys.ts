/**
 * The keys of signed notes (C2SP signed-note): who signs, and what an auditor is given to check it
 * with (spec/ledger.md, "Keys").
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { Ed25519, type Ed25519Error, publicKeyBytes, signatureBytes } from "../../host/port/Ed25519.ts"
import { Hash } from "../../host/port/Hash.ts"
import { base64, fromBase64 } from "./Base64.ts"

/**
 * What a key signs: the text of a note, or, as a witness does, a time and that text
 * (cosignature/v1).
 */
export type NoteKeyType = "ed25519" | "cosignature"

/** The byte that stands for each type. */
const typeBytes = { ed25519: 0x01, cosignature: 0x04 } as const

/** A public key under its name. */
export interface VerifierKey {
  /** The origin of a ledger, or the name of a witness: no white space and no `+`. */
  readonly name: string
  readonly type: NoteKeyType
  /** The first four bytes of a hash over name, type and key, in hexadecimal: a hint, no proof. */
  readonly id: string
  /** 32 bytes. */
  readonly publicKey: Uint8Array
}

/** Signs notes. It holds its seed: let go of it as soon as possible. */
export interface NoteSigner {
  readonly key: VerifierKey
  /** Bytes behind the key's id in the line of a signature. */
  readonly sign: (text: string) => Effect.Effect<Uint8Array, Ed25519Error>
}

const utf8 = new TextEncoder()

/** Whether a text can name a key. */
export const isKeyName = (name: string): boolean => name.isWellFormed() && /^[^\s+\p{Cc}]{1,256}$/u.test(name)

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

/** The type and the key, as both the id and the text of a key have them. */
const typed = (type: NoteKeyType, publicKey: Uint8Array): Uint8Array => Uint8Array.of(typeBytes[type], ...publicKey)

const idOf = (sha256: Hash["Service"]["sha256"], name: string, type: NoteKeyType, publicKey: Uint8Array): string =>
  hex(sha256(Uint8Array.of(...utf8.encode(name), 0x0a, ...typed(type, publicKey))).subarray(0, 4))

/** The key as text, a `vkey`: what an auditor is given. */
export const verifierKeyText = ({ id, name, publicKey, type }: VerifierKey): string =>
  `${name}+${id}+${base64(typed(type, publicKey))}`

/**
 * Why a text is no key: it is not `name+id+key`; its type is not known here; its id is not that of
 * its name and key.
 */
export type VerifierKeyFault = "malformed" | "unknown_type" | "wrong_id"

/** Reads the text of a key. Never throws. */
export const parseVerifierKey = (
  { sha256 }: Pick<Hash["Service"], "sha256">,
  text: string
): Result.Result<VerifierKey, VerifierKeyFault> => {
  const [, name = "", id = "", key = ""] = /^([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text) ?? []
  const bytes = fromBase64(key)
  if (!isKeyName(name) || bytes === null || bytes.length === 0) return Result.fail("malformed")
  const type = bytes[0] === typeBytes.ed25519 ? "ed25519" : bytes[0] === typeBytes.cosignature ? "cosignature" : null
  if (type === null) return Result.fail("unknown_type")
  const publicKey = bytes.slice(1)
  if (publicKey.length !== publicKeyBytes) return Result.fail("malformed")
  return idOf(sha256, name, type, publicKey) === id
    ? Result.succeed({ name, type, id, publicKey })
    : Result.fail("wrong_id")
}

/** A key from its parts: from PEM, say. The name is one that `isKeyName` allows. */
export const verifierKey = (
  { sha256 }: Pick<Hash["Service"], "sha256">,
  name: string,
  publicKey: Uint8Array,
  type: NoteKeyType = "ed25519"
): VerifierKey => ({ name, type, id: idOf(sha256, name, type, publicKey), publicKey })

/** Signs with a seed of 32 bytes, under a name that `isKeyName` allows. */
export const noteSigner = (
  name: string,
  seed: Uint8Array
): Effect.Effect<NoteSigner, Ed25519Error, Ed25519 | Hash> =>
  Effect.gen(function*() {
    const ed25519 = yield* Ed25519
    const publicKey = yield* ed25519.publicKey(seed)
    return {
      key: verifierKey(yield* Hash, name, publicKey),
      sign: (text) => ed25519.sign(seed, utf8.encode(text))
    }
  })

/** cosignature/v1: what a witness signs. */
const cosigned = (text: string, seconds: bigint): Uint8Array => utf8.encode(`cosignature/v1\ntime ${seconds}\n${text}`)

/** Bytes of the time in front of a witness's signature: seconds since the epoch, big-endian. */
const timeBytes = 8

/** Whether the bytes behind the id in a signature's line are this key's signature of the text. */
export const verifiesNote = (
  key: VerifierKey,
  text: string,
  signature: Uint8Array
): Effect.Effect<boolean, Ed25519Error, Ed25519> =>
  Effect.flatMap(Ed25519, ({ verify }) => {
    if (key.type === "ed25519") return verify(key.publicKey, utf8.encode(text), signature)
    if (signature.length !== timeBytes + signatureBytes) return Effect.succeed(false)
    return verify(key.publicKey, cosigned(text, secondsOf(signature)), signature.subarray(timeBytes))
  })

/** The seconds in front of a witness's signature of at least 8 bytes. */
export const secondsOf = (signature: Uint8Array): bigint =>
  new DataView(signature.buffer, signature.byteOffset).getBigUint64(0)
