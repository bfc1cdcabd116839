/**
 * Ed25519 by Web Crypto, which Node, Bun, Deno, workers and browsers of today have.
 *
 * **Gotchas**
 *
 * - A host whose Web Crypto has no Ed25519 fails with `unsupported` at each call.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Ed25519, Ed25519Error, pkcs8Of, publicKeyBytes, seedBytes, signatureBytes, wrongSeed } from "./Ed25519.ts"

const name = "Ed25519"

const unsupported = (cause: unknown): Ed25519Error =>
  new Ed25519Error({
    reason: "unsupported",
    message: `this host's Web Crypto gives no Ed25519: ${cause instanceof Error ? cause.message : String(cause)}`
  })

const attempt = <A>(ask: (subtle: typeof globalThis.crypto.subtle) => Promise<A>) =>
  Effect.tryPromise({ try: () => ask(globalThis.crypto.subtle), catch: unsupported })

/** The private key of a seed. Its copy of the seed is wiped. */
const privateKey = (seed: Uint8Array, isExtractable: boolean) =>
  Effect.suspend(() => {
    if (seed.length !== seedBytes) return Effect.fail(wrongSeed(seed))
    const pkcs8 = pkcs8Of(seed)
    return Effect.ensuring(
      attempt((subtle) => subtle.importKey("pkcs8", pkcs8, name, isExtractable, ["sign"])),
      Effect.sync(() => pkcs8.fill(0))
    )
  })

/** Null in place of a key that is no point of the curve: some hosts find that when they read it. */
const noPoint = (cause: unknown): null => {
  if (cause instanceof Error && cause.name === "DataError") return null
  throw cause
}

/** RFC 8037 2: the public key in a JWK. */
const bytesOf = (base64url: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0))

/** The portable implementation of `Ed25519`. */
export const layer: Layer.Layer<Ed25519> = Layer.succeed(Ed25519, {
  publicKey: (seed) =>
    privateKey(seed, true).pipe(
      Effect.flatMap((key) => attempt((subtle) => subtle.exportKey("jwk", key))),
      Effect.map(({ x = "" }) => bytesOf(x))
    ),
  sign: (seed, message) =>
    Effect.suspend(() => {
      const copy = message.slice()
      return Effect.map(
        Effect.flatMap(privateKey(seed, false), (key) => attempt((subtle) => subtle.sign(name, key, copy))),
        (signature) => new Uint8Array(signature)
      )
    }),
  verify: (publicKey, message, signature) =>
    Effect.suspend(() => {
      if (publicKey.length !== publicKeyBytes || signature.length !== signatureBytes) return Effect.succeed(false)
      const [ofKey, ofMessage, ofSignature] = [publicKey.slice(), message.slice(), signature.slice()]
      return attempt(async (subtle) => {
        const key = await subtle.importKey("raw", ofKey, name, false, ["verify"]).catch(noPoint)
        return key !== null && subtle.verify(name, key, ofSignature, ofMessage)
      })
    })
})
