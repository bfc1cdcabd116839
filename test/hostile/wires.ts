/**
 * Tripwires: values that count it when any code of theirs runs. A payload may carry as many as it
 * likes; not one may be touched (CONFORMANCE D4).
 *
 * **Gotchas**
 *
 * - A wire that is touched throws, after it was counted: a runtime that swallows the exception is
 *   found out all the same, and one that would be kept busy for ever is not.
 */
import { proxyTraps } from "../../src/testing/arbitraries/hostile.ts"

/** What was touched: empty is good. */
export interface Wires {
  readonly touched: Array<string>
  /** A function that counts its call. */
  readonly call: (name: string) => () => never
  /** A Proxy of which every trap counts. */
  readonly proxy: <T extends object>(target: T, name: string) => T
}

/** Wires of which none was touched. */
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
