/**
 * The usual choice in place of hounds: pools of worker threads, which confine nothing.
 * Imported by the lines that need them alone.
 */
import { fileURLToPath } from "node:url"
import type { houndPeers } from "./houndLines.ts"
import { loadPeer } from "./peers.ts"

/** A pool of threads that do nothing. */
export interface ThreadPool {
  /** Comes back when a thread is through with it. Bytes that are transferred are gone. */
  readonly run: (task: Uint8Array<ArrayBuffer> | number, isTransferred: boolean) => Promise<unknown>
  readonly close: () => Promise<void>
}

/** Makes a pool of so many threads, all of which are started at once. */
export type MakeThreads = (threads: number) => ThreadPool

const filename = fileURLToPath(new URL("houndWorker.mjs", import.meta.url))

/** Each loads its package once. */
export const threadPools: Readonly<Record<typeof houndPeers[number], () => Promise<MakeThreads>>> = {
  piscina: async () => {
    const { move, Piscina } = await loadPeer("piscina")
    return (threads) => {
      const pool = new Piscina({ filename, minThreads: threads, maxThreads: threads })
      return {
        run: (task, isTransferred) => pool.run(isTransferred && typeof task !== "number" ? move(task) : task),
        close: () => pool.destroy()
      }
    }
  },
  tinypool: async () => {
    const { Tinypool } = await loadPeer("tinypool")
    return (threads) => {
      const pool = new Tinypool({ filename, minThreads: threads, maxThreads: threads })
      return {
        run: (task, isTransferred) => pool.run(isTransferred && typeof task !== "number" ? Tinypool.move(task) : task),
        close: () => pool.destroy()
      }
    }
  }
}
