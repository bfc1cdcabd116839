/**
 * Files of keys in memory, for tests; store/KeyFile.test.ts holds them and the real one to one
 * contract.
 */
import type { StableFile } from "../../../src/custody/encryption/StableFile.ts"
import { nodeAead } from "../../../src/host/node/NodeAead.ts"
import type { Randomness } from "../../../src/host/port/Randomness.ts"
import { random } from "../../support/random.ts"

/**
 * A file in memory. `synced` is what a loss of power would leave: what no sync came for is lost.
 */
export interface MemoryFile extends StableFile {
  bytes: Uint8Array
  synced: Uint8Array
  syncs: number
}

export const memoryFile = (from: Uint8Array = new Uint8Array(0)): MemoryFile => {
  const file: MemoryFile = {
    bytes: from.slice(),
    synced: from.slice(),
    syncs: 0,
    size: () => file.bytes.length,
    read: (at, length) => file.bytes.slice(at, at + length),
    write: (at, bytes) => {
      const grown = new Uint8Array(Math.max(file.bytes.length, at + bytes.length))
      grown.set(file.bytes)
      grown.set(bytes, at)
      file.bytes = grown
    },
    sync: () => {
      file.syncs += 1
      file.synced = file.bytes.slice()
    }
  }
  return file
}

/** Bytes that are the same for a seed. */
const seeded = (seed: number): Randomness["Service"] => {
  const { below } = random(seed)
  return {
    fill: (target) => {
      for (let i = 0; i < target.length; i++) target[i] = below(256)
    }
  }
}

export const parts = (seed = 1) => ({ aead: nodeAead, randomness: seeded(seed) })
