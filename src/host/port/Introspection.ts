/**
 * What only a host can tell of a JavaScript value.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

/** Questions that must be answered without running code of the value. */
export class Introspection extends Context.Service<Introspection, {
  /** Whether the object is a Proxy: touching it in any other way would run its traps. */
  readonly isProxy: (value: object) => boolean
}>()("tracehound/host/port/Introspection") {
  /**
   * For hosts that cannot tell: a Proxy then passes for what it pretends to be, and its traps run.
   */
  static readonly layerPortable = Layer.succeed(Introspection, { isProxy: () => false })
}
