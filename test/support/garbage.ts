/**
 * Garbage collection on demand, for tests of what is kept alive.
 *
 * Gotcha: what a test measures as alive must be used again after the measurement, or the engine may
 * count it as garbage.
 */
import { setFlagsFromString } from "node:v8"
import vm from "node:vm"

/** Collects all garbage, now. */
export const collectGarbage = (): void => {
  setFlagsFromString("--expose-gc")
  const gc: unknown = vm.runInNewContext("gc")
  if (typeof gc !== "function") {
    throw new TypeError("this engine gives no gc")
  }
  gc()
}

/** Bytes of heap in use after that. */
export const heapAfterCollection = (): number => {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
