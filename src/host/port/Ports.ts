/**
 * What the core asks of its host, all of it.
 */
import type { Compression } from "./Compression.ts"
import type { Hash } from "./Hash.ts"
import type { Introspection } from "./Introspection.ts"
import type { Memory } from "./Memory.ts"
import type { MonotonicTime } from "./MonotonicTime.ts"
import type { Randomness } from "./Randomness.ts"

/** The ports that the core's rooms need, whatever the host. */
export type Ports = Compression | Hash | Introspection | Memory | MonotonicTime | Randomness
