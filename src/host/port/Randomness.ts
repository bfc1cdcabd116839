/**
 * Cryptographic randomness: synchronous, written into the caller's buffer.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

/** The most bytes that Web Crypto gives for one call. */
const maxRequest = 65_536

/** So many unpredictable bytes, in memory of their own. */
export const randomBytes = (length: number, { fill }: Randomness["Service"]): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length)
  fill(bytes)
  return bytes
}

/** A source of unpredictable bytes. */
export class Randomness extends Context.Service<Randomness, {
  /** Overwrites the whole target. */
  readonly fill: (target: Uint8Array<ArrayBuffer>) => void
}>()("tracehound/host/port/Randomness") {
  /** By Web Crypto, which every JavaScript host has. */
  static readonly layerPortable = Layer.succeed(Randomness, {
    fill: (target) => {
      for (let at = 0; at < target.length; at += maxRequest)
        globalThis.crypto.getRandomValues(target.subarray(at, at + maxRequest))
    }
  })
}
