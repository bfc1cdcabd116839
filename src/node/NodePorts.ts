/**
 * All ports of the core on Node.
 */
import * as Layer from "effect/Layer"
import type { Compression } from "../port/Compression.ts"
import type { Hash } from "../port/Hash.ts"
import type { Introspection } from "../port/Introspection.ts"
import type { Memory } from "../port/Memory.ts"
import type { MonotonicTime } from "../port/MonotonicTime.ts"
import type { Randomness } from "../port/Randomness.ts"
import * as NodeCompression from "./NodeCompression.ts"
import * as NodeHash from "./NodeHash.ts"
import * as NodeIntrospection from "./NodeIntrospection.ts"
import * as NodeMemory from "./NodeMemory.ts"
import * as NodeMonotonicTime from "./NodeMonotonicTime.ts"
import * as NodeRandomness from "./NodeRandomness.ts"

/** What the core asks of its host. */
export type Ports = Compression | Hash | Introspection | Memory | MonotonicTime | Randomness

/** By node:crypto, node:zlib and node:util. */
export const layer: Layer.Layer<Ports> = Layer.mergeAll(
  NodeCompression.layer,
  NodeHash.layer,
  NodeIntrospection.layer,
  NodeMemory.layer,
  NodeMonotonicTime.layer,
  NodeRandomness.layer
)
