import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { createHook } from "node:async_hooks"
import { setImmediate } from "node:timers/promises"
import * as NodePorts from "../../src/node/NodePorts.ts"
import { Compression } from "../../src/port/Compression.ts"
import { Hash } from "../../src/port/Hash.ts"
import { Introspection } from "../../src/port/Introspection.ts"
import { Randomness } from "../../src/port/Randomness.ts"
import {
  compressionContract,
  hashContract,
  introspectionContract,
  noise,
  randomnessContract
} from "../port/contract.ts"

const only = <I, S>(service: { readonly key: string } & Effect.Effect<S, never, I>) => service

describe("Node's ports", () => {
  compressionContract(Layer.effect(Compression, Compression).pipe(Layer.provide(NodePorts.layer)), [
    Compression.layerPortable
  ])
  hashContract(Layer.effect(Hash, Hash).pipe(Layer.provide(NodePorts.layer)))
  randomnessContract(Layer.effect(Randomness, Randomness).pipe(Layer.provide(NodePorts.layer)))
  introspectionContract(Layer.effect(Introspection, Introspection).pipe(Layer.provide(NodePorts.layer)), true)
})

describe("Node's gzip", () => {
  it.live("RFC E7 leaves the event loop free while it presses", () =>
    Effect.gen(function*() {
      const compression = yield* only(Compression)
      let turns = 0
      const fiber = yield* Effect.forkChild(compression.gzip(noise(2_000_000)), { startImmediately: true })
      while (fiber.pollUnsafe() === undefined) {
        yield* Effect.promise(() => setImmediate())
        turns += 1
      }
      yield* Fiber.join(fiber)
      assert.isAbove(turns, 1)
    }).pipe(Effect.provide(NodePorts.layer)))

  it.live("RFC E2 an interruption waits for the thread that reads the bytes, so that they may be wiped after it", () =>
    Effect.gen(function*() {
      const compression = yield* only(Compression)
      const working = new Set<number>()
      let started = 0
      const hook = createHook({
        init: (id, type) => {
          if (type !== "ZLIB") return
          started += 1
          working.add(id)
        },
        before: (id) => {
          working.delete(id)
        }
      }).enable()
      const fiber = yield* Effect.forkChild(compression.gzip(noise(2_000_000)), { startImmediately: true })
      assert.isUndefined(fiber.pollUnsafe())
      assert.strictEqual(working.size, 1)
      yield* Fiber.interrupt(fiber)
      hook.disable()
      assert.strictEqual(started, 1)
      assert.strictEqual(working.size, 0, "zlib is still at work")
    }).pipe(Effect.provide(NodePorts.layer)))
})
