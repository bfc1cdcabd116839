/**
 * All ports of the core on Node.
 */
import * as Layer from "effect/Layer"
import type { Ports } from "../port/Ports.ts"
import * as NodeCompression from "./NodeCompression.ts"
import * as NodeHash from "./NodeHash.ts"
import * as NodeIntrospection from "./NodeIntrospection.ts"
import * as NodeMemory from "./NodeMemory.ts"
import * as NodeMonotonicTime from "./NodeMonotonicTime.ts"
import * as NodeRandomness from "./NodeRandomness.ts"

export type { Ports }

/**
 * By node:crypto, node:zlib, node:util and node:perf_hooks. Closing its scope ends the compression
 * worker, if one was started.
 */
export const layer: Layer.Layer<Ports> = Layer.mergeAll(
  NodeCompression.layer,
  NodeHash.layer,
  NodeIntrospection.layer,
  NodeMemory.layer,
  NodeMonotonicTime.layer,
  NodeRandomness.layer
)
