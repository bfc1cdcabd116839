/**
 * A hound as its callers see it (RFC, "Hound Pool"): a sandboxed process that examines one piece of
 * evidence.
 */
import * as Schema from "effect/Schema"

/** Waiting for evidence, examining some, or being ended. */
export const HoundState = Schema.Literals(["dormant", "active", "disposing"])
export type HoundState = typeof HoundState.Type

/** Times in milliseconds since the epoch. */
export const Hound = Schema.Struct({
  id: Schema.String,
  state: HoundState,
  createdAt: Schema.Finite,
  activatedAt: Schema.NullOr(Schema.Finite)
})
export type Hound = typeof Hound.Type

/**
 * How hostile evidence is confined. `default` is a locked down process with limits. `hard` adds
 * namespaces and a seccomp filter: it is the only level that is a boundary against an exploit of
 * V8. `none` means that there are no hounds.
 */
export const sandboxLevels = ["none", "default", "hard"] as const
export const SandboxLevel = Schema.Literals(sandboxLevels)
export type SandboxLevel = typeof SandboxLevel.Type
