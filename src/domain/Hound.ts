/**
 * A hound as its callers see it (RFC, "Hound Pool"): a sandboxed process that examines one piece of
 * evidence.
 */
import * as Schema from "effect/Schema"

/** Waiting, at work, or on its way out. */
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
 * What keeps hostile evidence in: `default`, a locked down process with limits; `hard`, the same
 * inside namespaces and behind a seccomp filter, which alone may be called a boundary against an
 * exploit of V8; `none`, there are no hounds.
 */
export const sandboxLevels = ["none", "default", "hard"] as const
export const SandboxLevel = Schema.Literals(sandboxLevels)
export type SandboxLevel = typeof SandboxLevel.Type
