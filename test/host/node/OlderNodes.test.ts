/**
 * The hash on a Node whose Buffer methods are for Buffers alone, as they were up to Node 24, and
 * whose one-shot hash takes no options.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { vi } from "vitest"
import * as NodeHash from "../../../src/host/node/NodeHash.ts"
import { Hash } from "../../../src/host/port/Hash.ts"
import { hashContract } from "../port/contract.ts"

// Before NodeHash is loaded: it may keep what it finds.
vi.hoisted(() => {
  const { write } = Buffer.prototype
  Buffer.prototype.write = function(this: unknown, ...args: Array<never>): number {
    if (!Buffer.isBuffer(this)) throw new TypeError("buf.latin1Write is not a function")
    return Reflect.apply(write, this, args)
  }
  const crypto = process.getBuiltinModule("node:crypto")
  const { hash } = crypto
  crypto.hash = ((algorithm: string, data: Uint8Array, output: unknown) => {
    if (typeof output === "object") throw new TypeError("The property 'outputEncoding' must be of type string")
    return Reflect.apply(hash, undefined, [algorithm, data, output])
  }) as typeof hash
  process.getBuiltinModule("node:module").syncBuiltinESMExports()
})

describe("on an older Node", () => {
  it("RFC R5 hashes into memory that is no Buffer", () => {
    const { sha256Hex, sha256Into } = Effect.runSync(Effect.provide(Hash, NodeHash.layer))
    const target = new Uint8Array(32)
    sha256Into(Uint8Array.of(1), target)
    assert.strictEqual(Buffer.from(target).toString("hex"), sha256Hex(Uint8Array.of(1)))
  })

  hashContract(NodeHash.layer)
})
