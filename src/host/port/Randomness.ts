/**
 * Cryptographic randomness as the core asks for it: synchronous, into a buffer of the caller's.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

/** Web Crypto's own limit of a call. */
const maxRequest = 65_536

/** Where unpredictable bytes come from. */
export class Randomness extends Context.Service<Randomness, {
  /** Overwrites the whole target. */
  readonly fill: (target: Uint8Array<ArrayBuffer>) => void
}>()("tracehound/host/port/Randomness") {
  /** Web Crypto, which every JavaScript host has. */
  static readonly layerPortable = Layer.succeed(Randomness, {
    fill: (target) => {
      for (let at = 0; at < target.length; at += maxRequest) {
        globalThis.crypto.getRandomValues(target.subarray(at, at + maxRequest))
      }
    }
  })
}
