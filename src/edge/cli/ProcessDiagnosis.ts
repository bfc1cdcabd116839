/**
 * What this process has of what Tracehound needs: the flags of its Node, and the ports. `doctor`
 * imports it on demand, as it brings half of the core, which other commands do without.
 */
import * as Effect from "effect/Effect"
import type { TracehoundConfig } from "../../config/TracehoundConfig.ts"
import * as NodePorts from "../../host/node/NodePorts.ts"
import { inspectFlags, processFacts } from "../../host/node/RuntimeFlags.ts"
import { Compression } from "../../host/port/Compression.ts"
import { Hash } from "../../host/port/Hash.ts"
import { Introspection } from "../../host/port/Introspection.ts"
import { Memory } from "../../host/port/Memory.ts"
import { MonotonicTime } from "../../host/port/MonotonicTime.ts"
import { Randomness } from "../../host/port/Randomness.ts"
import { tryCompression, tryCustody, tryLater, tryRunning } from "../../host/port/SelfTest.ts"

/** Tries out the ports of this Node, as a start does, and compression on the worker besides. */
const diagnosePorts = Effect.gen(function*() {
  const compression = yield* Compression
  const monotonicTime = yield* MonotonicTime
  const custody = {
    hash: yield* Hash,
    introspection: yield* Introspection,
    memory: yield* Memory,
    monotonicTime,
    randomness: yield* Randomness
  }
  const later = yield* Effect.forEach(compression.codecs, (codec) => tryLater(compression, codec))
  return [...tryCustody(custody), tryRunning(monotonicTime), ...tryCompression(compression), ...later]
}).pipe(Effect.provide(NodePorts.layer))

/** The flags that this configuration asks for, and all ports. */
export const diagnoseProcess = (runtime: TracehoundConfig["runtime"]) =>
  Effect.map(diagnosePorts, (ports) => ({ flags: inspectFlags(runtime, processFacts()), ports }))
