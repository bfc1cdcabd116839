/**
 * All ports of the core for any JavaScript runtime with Web Crypto: Bun, Deno, workers, edges. The
 * package export `tracehound/portable`.
 *
 * It needs `@noble/hashes`, an optional peer of this package.
 *
 * **Gotchas**
 *
 * - It cannot tell a Proxy from its target: canonical bytes then run a payload's own traps. A
 *   payload that was parsed from the network holds no Proxy.
 * - gzip compresses on the turn of the fiber that waits for it.
 */
import * as Layer from "effect/Layer"
import { Introspection } from "./Introspection.ts"
import { Memory } from "./Memory.ts"
import { MonotonicTime } from "./MonotonicTime.ts"
import * as PortableCompression from "./PortableCompression.ts"
import * as PortableHash from "./PortableHash.ts"
import type { Ports } from "./Ports.ts"
import { Randomness } from "./Randomness.ts"

export { Compression, CompressionError } from "./Compression.ts"
export { Ed25519, Ed25519Error } from "./Ed25519.ts"
export { Hash } from "./Hash.ts"
export { Introspection, type Slots } from "./Introspection.ts"
export { type EqualBytes, Memory } from "./Memory.ts"
export { MonotonicTime, type TimeCell } from "./MonotonicTime.ts"
export { layer as layerEd25519 } from "./PortableEd25519.ts"
export { Randomness } from "./Randomness.ts"
export type { Ports }

/** By fflate, @noble/hashes, Web Crypto and JavaScript. */
export const layer: Layer.Layer<Ports> = Layer.mergeAll(
  PortableCompression.layer,
  Introspection.layerPortable,
  Memory.layerPortable,
  MonotonicTime.layerPortable,
  PortableHash.layer,
  Randomness.layerPortable
)
