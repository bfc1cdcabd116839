/**
 * Ed25519 by node:crypto, on the caller's turn: about 70 µs to sign and 130 µs to verify, the key's
 * import included.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto"
import { Ed25519, pkcs8Of, publicKeyBytes, seedBytes, signatureBytes, wrongSeed } from "../port/Ed25519.ts"

/** Calls with the private key of a seed. Its copy of the seed is wiped. */
const withKey = <A>(seed: Uint8Array, use: (key: KeyObject) => A) =>
  Effect.suspend(() => {
    if (seed.length !== seedBytes) return Effect.fail(wrongSeed(seed))
    const der = pkcs8Of(seed)
    const key = createPrivateKey({ key: Buffer.from(der.buffer), format: "der", type: "pkcs8" })
    der.fill(0)
    return Effect.succeed(use(key))
  })

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url")

/** The Node implementation of `Ed25519`. */
export const layer: Layer.Layer<Ed25519> = Layer.succeed(Ed25519, {
  publicKey: (seed) =>
    withKey(
      seed,
      (key) => new Uint8Array(Buffer.from(createPublicKey(key).export({ format: "jwk" }).x ?? "", "base64url"))
    ),
  sign: (seed, message) => withKey(seed, (key) => new Uint8Array(sign(null, message, key))),
  verify: (publicKey, message, signature) =>
    Effect.sync(() => {
      if (publicKey.length !== publicKeyBytes || signature.length !== signatureBytes) return false
      const jwk = { kty: "OKP", crv: "Ed25519", x: base64url(publicKey) }
      return verify(null, message, createPublicKey({ key: jwk, format: "jwk" }), signature)
    })
})
