/**
 * The errors that keep a Tracehound from starting, the check of what the configuration asks of this
 * process, and the trial of the host's ports.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type { InvalidConfig } from "../config/ConfigSources.ts"
import { Settings } from "../config/Settings.ts"
import type { ColdStorageError } from "../custody/coldstorage/Endpoint.ts"
import type { StoreOpenError } from "../custody/store/StoreErrors.ts"
import { inspectFlags, processFacts } from "../host/node/RuntimeFlags.ts"
import type { Compression } from "../host/port/Compression.ts"
import { Hash } from "../host/port/Hash.ts"
import { Introspection } from "../host/port/Introspection.ts"
import { Memory } from "../host/port/Memory.ts"
import { MonotonicTime } from "../host/port/MonotonicTime.ts"
import { Randomness } from "../host/port/Randomness.ts"
import { type PortReport, tryCompression, tryCustody } from "../host/port/SelfTest.ts"
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

/**
 * A port of this host fails, or gives wrong answers to questions whose answers are known
 * (CONFORMANCE R5). Custody would take nothing in, or could not be believed.
 */
export class HostUnfit extends Schema.TaggedError<HostUnfit>()("HostUnfit", {
  ports: Schema.Array(Schema.Struct({ port: Schema.String, found: Schema.String }))
}) {
  override get message(): string {
    const findings = this.ports.map(({ found, port }) => `${port} ${found}`).join("; ")
    return `this host cannot keep evidence (${findings}): run on Node 22.19 or newer, or mend the ports that you gave; \`tracehound doctor\` tries them out`
  }
}

/** Every error that can keep a Tracehound from starting. */
export type StartError =
  | InvalidConfig
  | ColdStorageError
  | FlagsMissing
  | HostUnfit
  | HoundBootError
  | SharedStateMissing
  | StoreOpenError

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

const refuseUnfit = (reports: ReadonlyArray<PortReport>): Effect.Effect<void, HostUnfit> => {
  const unfit = reports.filter(({ holds }) => !holds)
  return unfit.length === 0 ? Effect.void : Effect.fail(new HostUnfit({ ports: unfit }))
}

/**
 * Fails to build where a port that custody needs is wrong: on such a host nothing may look as if it
 * were open.
 */
export const layerFitHost: Layer.Layer<never, HostUnfit, Hash | Introspection | Memory | MonotonicTime | Randomness> =
  Layer.effectDiscard(Effect.gen(function*() {
    const ports = {
      hash: yield* Hash,
      introspection: yield* Introspection,
      memory: yield* Memory,
      monotonicTime: yield* MonotonicTime,
      randomness: yield* Randomness
    }
    yield* refuseUnfit(tryCustody(ports))
  }))

/**
 * Fails where a codec of this host is wrong: a part of the start, as nothing is compressed before.
 */
export const fitCompression = (compression: Compression["Service"]): Effect.Effect<void, HostUnfit> =>
  Effect.suspend(() => refuseUnfit(tryCompression(compression)))
