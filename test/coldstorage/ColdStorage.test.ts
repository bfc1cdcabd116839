import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { ColdStorage } from "../../src/coldstorage/ColdStorage.ts"
import { ColdStorageEndpoint } from "../../src/coldstorage/Endpoint.ts"
import { fromArgument, resolveConfig } from "../../src/ConfigSources.ts"
import { Settings } from "../../src/domain/Settings.ts"
import { open } from "../../src/evidence/Envelope.ts"
import * as NodeCompression from "../../src/node/NodeCompression.ts"
import * as NodeHash from "../../src/node/NodeHash.ts"
import { Compression } from "../../src/port/Compression.ts"
import { gzip, hosts } from "../evidence/envelopes.ts"
import { noise } from "../port/contract.ts"
import { makeFakeEndpoint } from "./fakeEndpoint.ts"
import { alertsTo, delivery, openStore } from "./stores.ts"

const [, ports] = hosts[0] ?? assert.fail("no host")

describe("writing", () => {
  for (const [name, compression] of [["Node", NodeCompression.layer], ["fflate", Compression.layerPortable]] as const) {
    it.effect(`RFC E4 evidence goes out as an envelope, pressed by ${name}, under its record's id`, () =>
      Effect.gen(function*() {
        const { cold, stored } = yield* openStore({}, compression)
        yield* cold.start
        const told = delivery("id-1", 3_000)
        assert.isTrue(cold.tellUnsafe(told))
        yield* cold.settled
        const opened = open(stored.get("id-1") ?? assert.fail("not written"), 3_000, ports)
        assert.deepStrictEqual(opened.record, told.record)
        assert.deepStrictEqual(opened.content, noise(3_000, 3_001))
        assert.deepStrictEqual(cold.stats(), { pending: 0, pendingBytes: 0, written: 1, deadLetters: 0 })
      }))
  }

  it.effect("RFC E4 what its sender pressed is written as it is, and not pressed again", () =>
    Effect.gen(function*() {
      const never = Layer.succeed(Compression, {
        gzip: () => Effect.die("pressed again"),
        gzipSync: () => assert.fail("pressed again"),
        gunzipSync: () => assert.fail("opened")
      })
      const { cold, stored } = yield* openStore({}, never)
      yield* cold.start
      const pressed = gzip(noise(500, 501))
      cold.tellUnsafe(delivery("id-1", 500, pressed))
      yield* cold.settled
      const envelope = stored.get("id-1") ?? assert.fail("not written")
      assert.isTrue(Buffer.from(envelope).includes(pressed))
      assert.deepStrictEqual(open(envelope, 500, ports).content, noise(500, 501))
    }))

  it.effect("RFC S1 deliveries are written in the order in which they were told, those before the start too", () =>
    Effect.gen(function*() {
      const { attempts, cold } = yield* openStore()
      const names = Array.from({ length: 30 }, (_, i) => `id-${i}`)
      for (const name of names.slice(0, 10)) cold.tellUnsafe(delivery(name))
      assert.deepStrictEqual(attempts, [])
      assert.deepStrictEqual(cold.stats(), { pending: 10, pendingBytes: 1_000, written: 0, deadLetters: 0 })
      yield* cold.start
      for (const name of names.slice(10)) cold.tellUnsafe(delivery(name))
      yield* cold.settled
      assert.deepStrictEqual(attempts, names)
      assert.strictEqual(cold.stats().written, 30)
    }))

  it.effect("RFC E2 the content is overwritten and detached once it is written", () =>
    Effect.gen(function*() {
      const { cold } = yield* openStore()
      const told = delivery("id-1")
      const view = new Uint8Array(told.content)
      cold.tellUnsafe(told)
      assert.strictEqual(view.length, 100)
      yield* cold.start
      yield* cold.settled
      assert.isTrue(told.content.detached)
      assert.strictEqual(view.length, 0)
    }))
})

describe("a mailbox that is full", () => {
  it.effect("RFC S2 by count: refused, counted, alerted, and the bytes stay the teller's", () =>
    Effect.gen(function*() {
      const { alerts, attempts, cold } = yield* openStore({ maxPendingCount: 2 })
      const told = ["a", "b", "c", "d"].map((name) => delivery(name))
      assert.deepStrictEqual(told.map(cold.tellUnsafe), [true, true, false, false])
      assert.deepStrictEqual(alerts, ["critical coldstorage.refused", "critical coldstorage.refused"])
      assert.deepStrictEqual(cold.stats(), { pending: 2, pendingBytes: 200, written: 0, deadLetters: 2 })
      for (const { content } of told.slice(2)) {
        assert.deepStrictEqual(new Uint8Array(content), noise(100, 101), "neither overwritten nor detached")
      }
      yield* cold.start
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["a", "b"])
    }))

  it.effect("RFC S2 by bytes of evidence, to the byte", () =>
    Effect.gen(function*() {
      const { cold, stored } = yield* openStore({ maxPendingBytes: 1_000 })
      assert.isTrue(cold.tellUnsafe(delivery("a", 600)))
      const refused = delivery("b", 401)
      assert.isFalse(cold.tellUnsafe(refused))
      assert.isFalse(refused.content.detached)
      assert.isTrue(cold.tellUnsafe(delivery("c", 400)))
      assert.isFalse(cold.tellUnsafe(delivery("d", 1)))
      assert.deepStrictEqual(cold.stats(), { pending: 2, pendingBytes: 1_000, written: 0, deadLetters: 2 })
      yield* cold.start
      yield* cold.settled
      assert.isTrue(cold.tellUnsafe(delivery("e", 1_000)))
      assert.isFalse(cold.tellUnsafe(delivery("f", 1_001)))
      yield* cold.settled
      assert.deepStrictEqual([...stored.keys()], ["a", "c", "e"])
    }))

  it.effect("RFC S2 a stampede is refused without waiting, whatever the endpoint does", () =>
    Effect.gen(function*() {
      const { cold, faults } = yield* openStore({ maxPendingCount: 10 })
      faults.push("hangs")
      yield* cold.start
      yield* Effect.yieldNow
      const taken = Array.from({ length: 1_000 }, (_, i) => cold.tellUnsafe(delivery(`id-${i}`, 1)))
      assert.strictEqual(taken.filter(Boolean).length, 10)
      assert.deepStrictEqual(cold.stats(), { pending: 10, pendingBytes: 10, written: 0, deadLetters: 990 })
    }))
})

describe("without cold storage", () => {
  const settings = (audit: object) =>
    Layer.effect(Settings, Effect.fromResult(resolveConfig([fromArgument({ audit })])))
  const fake = makeFakeEndpoint("file:elsewhere")
  const layer = ColdStorage.layer(({ endpoint }) =>
    Layer.succeed(ColdStorageEndpoint, { ...fake.endpoint, destination: endpoint })
  ).pipe(
    Layer.provide(Layer.mergeAll(alertsTo({ alerts: [], errors: [] }), Compression.layerPortable, NodeHash.layer))
  )

  it.effect("RFC Q2 nothing is taken, and there is no destination", () =>
    Effect.gen(function*() {
      const cold = yield* ColdStorage
      yield* cold.start
      const told = delivery("id-1")
      assert.isNull(cold.destination)
      assert.isFalse(cold.tellUnsafe(told))
      assert.isFalse(told.content.detached)
      assert.deepStrictEqual(cold.stats(), { pending: 0, pendingBytes: 0, written: 0, deadLetters: 0 })
      yield* cold.settled
    }).pipe(Effect.provide(layer.pipe(Layer.provide(settings({}))))))

  it.effect("RFC C1 the layer builds the endpoint that the configuration names", () =>
    Effect.gen(function*() {
      const cold = yield* ColdStorage
      yield* cold.start
      assert.strictEqual(cold.destination, "file:somewhere")
      cold.tellUnsafe(delivery("id-1"))
      yield* cold.settled
      assert.deepStrictEqual([...fake.stored.keys()], ["id-1"])
    }).pipe(Effect.provide(layer.pipe(Layer.provide(settings({ coldStorage: { endpoint: "file:somewhere" } }))))))
})

describe("waiting", () => {
  it.effect("RFC S4 settled waits for the write, not only for the mailbox", () =>
    Effect.gen(function*() {
      const { cold, faults } = yield* openStore({ retries: 1, retryDelayMs: 1_000 })
      faults.push("fails")
      yield* cold.start
      cold.tellUnsafe(delivery("id-1"))
      const settled = yield* Effect.forkChild(cold.settled, { startImmediately: true })
      yield* TestClock.adjust(999)
      assert.isUndefined(settled.pollUnsafe())
      yield* TestClock.adjust(1)
      yield* Fiber.join(settled)
      assert.strictEqual(cold.stats().written, 1)
    }))
})
