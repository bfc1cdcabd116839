/**
 * Reads what the process keeps, in bytes: V8's heap and what is allocated outside of it for
 * JavaScript (ArrayBuffers), after a forced collection.
 */
import { setImmediate } from "node:timers/promises"

/** What is held at a moment, or was added between two, in bytes. */
export interface Reading {
  readonly kept: number
  readonly resident: number
}

/**
 * Collects until nothing more goes, and reads. The external count of Node has the ArrayBuffers in
 * it.
 */
const read = async (): Promise<Reading> => {
  if (globalThis.gc === undefined) throw new Error("needs --expose-gc")
  for (let i = 0; i < 4; i++) {
    globalThis.gc()
    await setImmediate()
  }
  const { external, heapUsed, rss } = process.memoryUsage()
  return { kept: heapUsed + external, resident: rss }
}

/** What is kept after it beyond what was kept before. */
export const grown = async (fill: () => void | Promise<void>): Promise<Reading> => {
  const before = await read()
  await fill()
  const after = await read()
  return { kept: after.kept - before.kept, resident: after.resident - before.resident }
}

/** One run for all lines that read it. */
export const once = <A>(run: () => Promise<A>): () => Promise<A> => {
  let reading: Promise<A> | undefined
  return () => reading ??= run()
}
