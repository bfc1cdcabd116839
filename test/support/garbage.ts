/**
 * Garbage collection on demand, for tests of memory.
 *
 * **Gotchas**
 *
 * - A value that the test measures as alive must be used again after the measurement, or the engine
 *   may collect it before.
 */
import { setFlagsFromString } from "node:v8"
import vm from "node:vm"

/** Collects all garbage, now. */
export const collectGarbage = (): void => {
  setFlagsFromString("--expose-gc")
  const gc: unknown = vm.runInNewContext("gc")
  if (typeof gc !== "function") throw new TypeError("this engine gives no gc")
  gc()
}

/** Bytes of heap in use after a collection. */
export const heapAfterCollection = (): number => {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
