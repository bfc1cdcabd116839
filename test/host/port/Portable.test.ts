import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type * as Fflate from "fflate"
import * as zlib from "node:zlib"
import { vi } from "vitest"
import * as NodeCompression from "../../../src/host/node/NodeCompression.ts"
import { Compression } from "../../../src/host/port/Compression.ts"
import { Introspection } from "../../../src/host/port/Introspection.ts"
import * as PortableCompression from "../../../src/host/port/PortableCompression.ts"
import * as PortableEd25519 from "../../../src/host/port/PortableEd25519.ts"
import * as PortableHash from "../../../src/host/port/PortableHash.ts"
import { Randomness } from "../../../src/host/port/Randomness.ts"
import {
  codecContract,
  compressionContract,
  ed25519Contract,
  hashContract,
  introspectionContract,
  randomnessContract,
  refusal
} from "./contract.ts"

const inflated = vi.hoisted(() => ({ bytes: 0 }))

// The real inflater, which counts the bytes that it gives out.
vi.mock("fflate", async (original) => {
  const fflate = await original<typeof Fflate>()
  class Gunzip extends fflate.Gunzip {
    constructor(give: (chunk: Uint8Array, final: boolean) => void) {
      super((chunk, final) => {
        inflated.bytes += chunk.length
        give(chunk, final)
      })
    }
  }
  return { ...fflate, Gunzip }
})

describe("portable ports", () => {
  compressionContract(PortableCompression.layer, [NodeCompression.layer])
  codecContract(PortableCompression.layer, [NodeCompression.layer])
  ed25519Contract(PortableEd25519.layer)
  hashContract(PortableHash.layer)
  randomnessContract(Randomness.layerPortable)
  introspectionContract(Introspection.layerPortable, false)

  it("RFC E6 a bomb inflates no further than the limit and one step of input", () => {
    const { openSync } = Effect.runSync(Effect.provide(Compression, PortableCompression.layer))
    const bomb = zlib.gzipSync(new Uint8Array(40_000_000))
    // Deflate's best ratio by RFC 1951: 258 bytes in 2 bits.
    const oneStep = 16_384 * 1_032
    for (const limit of [1_000, 10_000_000]) {
      inflated.bytes = 0
      assert.strictEqual(refusal(() => openSync("gzip", bomb, limit)), "too_large")
      assert.isAbove(inflated.bytes, limit)
      assert.isAtMost(inflated.bytes, limit + oneStep)
    }
  })
})
