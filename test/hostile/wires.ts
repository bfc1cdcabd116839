/**
 * Tripwires: values that record when any code of theirs runs. A payload may hold any number of
 * them, and the runtime must touch none (CONFORMANCE D4).
 *
 * **Gotchas**
 *
 * - A touched wire records it first and then throws: a runtime that swallows the exception is
 *   caught all the same, and no wire can keep the runtime busy for ever.
 */
import { proxyTraps } from "../../src/testing/arbitraries/hostile.ts"

/** Names of the wires that were touched; a test wants none. */
export interface Wires {
  readonly touched: Array<string>
  /** A function that counts its call. */
  readonly call: (name: string) => () => never
  /** A Proxy whose every trap records that it ran. */
  readonly proxy: <T extends object>(target: T, name: string) => T
}

/** New wires, of which none has been touched. */
export const makeWires = (): Wires => {
  const touched: Array<string> = []
  const call = (name: string) => (): never => {
    touched.push(name)
    throw new Error(`${name} ran`)
  }
  return {
    touched,
    call,
    proxy: (target, name) =>
      new Proxy(target, Object.fromEntries(proxyTraps.map((trap) => [trap, call(`${name}.${trap}`)])))
  }
}
