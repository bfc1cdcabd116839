/**
 * Ed25519 signatures (RFC 8032): what checkpoints of the ledger are signed with.
 *
 * A private key is a seed of 32 bytes: any 32 bytes that nobody can guess, such as those of
 * `Randomness`. No method keeps a seed.
 *
 * **Gotchas**
 *
 * - An implementation may keep the time of its answers from the host's own library. Seeds are
 *   secrets: wipe yours when you are done with it.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** Bytes of a private key, of a public key, and of a signature. */
export const seedBytes = 32
export const publicKeyBytes = 32
export const signatureBytes = 64

/**
 * Why there is no answer: `unsupported`, the host has no Ed25519; `key`, a seed does not have 32
 * bytes.
 */
export class Ed25519Error extends Schema.TaggedError<Ed25519Error>()("Ed25519Error", {
  reason: Schema.Literals(["unsupported", "key"]),
  message: Schema.String
}) {}

/** Signs and verifies. Each call reads its bytes before it gives up its turn. */
export class Ed25519 extends Context.Service<Ed25519, {
  /** The public key of a seed: 32 bytes in memory of their own. */
  readonly publicKey: (seed: Uint8Array) => Effect.Effect<Uint8Array<ArrayBuffer>, Ed25519Error>
  /** The signature of a message: 64 bytes in memory of their own, the same for the same message. */
  readonly sign: (seed: Uint8Array, message: Uint8Array) => Effect.Effect<Uint8Array<ArrayBuffer>, Ed25519Error>
  /**
   * Whether the signature is that of the message. False for keys and signatures of any other
   * length, and for a key that is no point of the curve.
   */
  readonly verify: (
    publicKey: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array
  ) => Effect.Effect<boolean, Ed25519Error>
}>()("tracehound/host/port/Ed25519") {}

/** The error for a seed of another length. */
export const wrongSeed = (seed: Uint8Array): Ed25519Error =>
  new Ed25519Error({ reason: "key", message: `a seed has ${seedBytes} bytes, not ${seed.length}` })

/**
 * RFC 8410 7: what stands before the seed in PKCS #8, the one form of a private key that every host
 * reads.
 */
const pkcs8Header = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]

/** The seed in PKCS #8: 48 bytes, to be wiped by who asked. */
export const pkcs8Of = (seed: Uint8Array): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(pkcs8Header.length + seedBytes)
  bytes.set(pkcs8Header)
  bytes.set(seed, pkcs8Header.length)
  return bytes
}
