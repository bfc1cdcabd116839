/**
 * All services that the core needs from its host, as one type.
 */
import type { Compression } from "./Compression.ts"
import type { Hash } from "./Hash.ts"
import type { Introspection } from "./Introspection.ts"
import type { Memory } from "./Memory.ts"
import type { MonotonicTime } from "./MonotonicTime.ts"
import type { Randomness } from "./Randomness.ts"

export type Ports = Compression | Hash | Introspection | Memory | MonotonicTime | Randomness
