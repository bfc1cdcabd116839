/**
 * Facts about a JavaScript value that only the host can tell.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

/** Answers questions about a value without running the value's own code. */
export class Introspection extends Context.Service<Introspection, {
  /** Whether the object is a Proxy. Any other way to find out would run its traps. */
  readonly isProxy: (value: object) => boolean
}>()("tracehound/host/port/Introspection") {
  /** For hosts that cannot tell: they treat a Proxy as its target, and its traps run. */
  static readonly layerPortable = Layer.succeed(Introspection, { isProxy: () => false })
}
