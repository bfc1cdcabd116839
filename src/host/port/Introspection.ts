/**
 * Facts about a JavaScript value that only the host can tell.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

type Ask = (value: object) => boolean

/** Whether an object has the internal slots of a class, whatever its prototypes say. */
export interface Slots {
  readonly isMap: Ask
  readonly isSet: Ask
  readonly isDate: Ask
  readonly isArrayBuffer: Ask
  readonly isSharedArrayBuffer: Ask
  readonly isRegExp: Ask
  readonly isNativeError: Ask
  /** Any of the five that follow. */
  readonly isBoxedPrimitive: Ask
  readonly isNumberObject: Ask
  readonly isStringObject: Ask
  readonly isBooleanObject: Ask
  readonly isBigIntObject: Ask
  readonly isSymbolObject: Ask
}

/** Answers questions about a value without running the value's own code. */
export class Introspection extends Context.Service<Introspection, {
  /** Whether the object is a Proxy. Any other way to find out would run its traps. */
  readonly isProxy: Ask
  /**
   * Null on a host that cannot tell: who asks there has to try a getter, which throws for any other
   * object.
   */
  readonly slots: Slots | null
}>()("tracehound/host/port/Introspection") {
  /** For hosts that cannot tell: they treat a Proxy as its target, and its traps run. */
  static readonly layerPortable = Layer.succeed(Introspection, { isProxy: () => false, slots: null })
}
