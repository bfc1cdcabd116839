/**
 * The errors that keep a Tracehound from starting, and the check of what the configuration asks of
 * this process.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { InvalidConfig } from "../config/ConfigSources.ts"
import { Settings } from "../config/Settings.ts"
import type { ColdStorageError } from "../custody/coldstorage/Endpoint.ts"
import { inspectFlags, processFacts } from "../host/node/RuntimeFlags.ts"
import type { HoundBootError } from "../hound/pool/HoundPool.ts"

/** The configuration is strict, and flags that it asks for are missing (CONFORMANCE R1). */
export class FlagsMissing extends Schema.TaggedError<FlagsMissing>()("FlagsMissing", {
  flags: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `runtime.strict is set, and this process was not started with ${this.flags.join(" ")}; start node with them`
  }
}

/**
 * The configuration asks for state that instances share, and nothing here can share it (CONFORMANCE
 * R3).
 */
export class SharedStateMissing extends Schema.TaggedError<SharedStateMissing>()("SharedStateMissing", {
  sharedState: Schema.String
}) {
  override get message(): string {
    return `trustBoundary.cluster.sharedState is ${this.sharedState}, and there is no adapter for it: set it to "memory" or "none", and each instance limits by itself`
  }
}

/** Every error that can keep a Tracehound from starting. */
export type StartError = InvalidConfig | ColdStorageError | FlagsMissing | HoundBootError | SharedStateMissing

/**
 * Fails to build where the configuration asks for what this process does not have: shared state, or
 * a flag while `runtime.strict` is set.
 */
export const layerRequirements: Layer.Layer<never, FlagsMissing | SharedStateMissing, Settings> = Layer.effectDiscard(
  Effect.gen(function*() {
    const { runtime, trustBoundary: { cluster: { sharedState } } } = yield* Settings
    if (sharedState === "redis") return yield* new SharedStateMissing({ sharedState })
    if (!runtime.strict) return
    const missing = inspectFlags(runtime, processFacts()).filter((report) => !report.holds)
    if (missing.length > 0) return yield* new FlagsMissing({ flags: missing.map((report) => report.flag) })
  })
)
