import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { ActorSystem } from "../../../src/actor/ActorSystem.ts"
import { fromArgument, resolveConfig } from "../../../src/config/ConfigSources.ts"
import { Settings } from "../../../src/config/Settings.ts"
import { ColdStorage } from "../../../src/custody/coldstorage/ColdStorage.ts"
import { ColdStorageEndpoint, ColdStorageError } from "../../../src/custody/coldstorage/Endpoint.ts"
import { EvidenceCipher } from "../../../src/custody/encryption/EvidenceCipher.ts"
import { open } from "../../../src/custody/evidence/Envelope.ts"
import * as NodeCompression from "../../../src/host/node/NodeCompression.ts"
import * as NodeHash from "../../../src/host/node/NodeHash.ts"
import { MonotonicTime } from "../../../src/host/port/MonotonicTime.ts"
import * as PortableCompression from "../../../src/host/port/PortableCompression.ts"
import { FailSafe } from "../../../src/safety/failsafe/FailSafe.ts"
import { noise } from "../../host/port/contract.ts"
import { gzip, hosts } from "../evidence/envelopes.ts"
import { inverted, makeFakeCompression } from "./fakeCompression.ts"
import { makeFakeEndpoint } from "./fakeEndpoint.ts"
import { alertsTo, delivery, openStore } from "./stores.ts"

const [, ports] = hosts[0] ?? assert.fail("no host")

/** The body of an envelope, read by the table of spec/envelope.md. */
const bodyOf = (envelope: Uint8Array = assert.fail("not written")): Uint8Array => {
  const view = new DataView(envelope.buffer, envelope.byteOffset, envelope.length)
  const at = 48 + view.getUint16(6)
  return envelope.slice(at, at + view.getUint32(12))
}

describe("writing", () => {
  const all = ["stored", "gzip", "zstd", "brotli"] as const
  for (
    const [name, compression, codecs] of [
      ["Node", NodeCompression.layer, all],
      ["the portable ports", PortableCompression.layer, ["stored", "gzip"] as const]
    ] as const
  ) {
    it.live.each(codecs)(
      `RFC E4 E7 evidence goes out as an envelope, compressed with %s by ${name}`,
      (codec) =>
        Effect.gen(function*() {
          const { close, cold, stored } = yield* openStore({ codec }, compression)
          assert.strictEqual(cold.codec, codec)
          yield* cold.start
          const told = delivery("id-1", 3_000)
          assert.isTrue(cold.tellUnsafe(told))
          yield* cold.settled
          const envelope = stored.get("id-1") ?? assert.fail("not written")
          assert.strictEqual(envelope[5], all.indexOf(codec))
          const opened = open(envelope, 3_000, ports)
          assert.deepStrictEqual(opened.record, told.record)
          assert.deepStrictEqual(opened.content, noise(3_000, 3_001))
          assert.deepStrictEqual(cold.stats(), {
            pending: 0,
            pendingBytes: 0,
            written: 1,
            unconfirmed: 0,
            deadLetters: 0
          })
          yield* close
        })
    )
  }

  it.live("SYS L4 an envelope goes out sealed where there is a cipher, under the name that it has always", () =>
    Effect.gen(function*() {
      const sealed = noise(64)
      const none = () => Effect.die("not asked for")
      const seal = ({ signature }: { readonly signature: string }) => {
        assert.strictEqual(signature, delivery("id-1").record.signature)
        return Effect.succeed({ key: { slot: 3, use: 1 }, sealed })
      }
      const { close, cold, stored } = yield* Effect.provideService(
        openStore({ codec: "stored" }),
        EvidenceCipher,
        { seal, open: none, shred: none, rotate: none }
      )
      yield* cold.start
      assert.isTrue(cold.tellUnsafe(delivery("id-1")))
      yield* cold.settled
      assert.deepStrictEqual([...stored], [["id-1", sealed]])
      yield* close
    }))

  it.effect("RFC E7 the evidence is given to the compressor while it is told, under the configured codec, and once", () =>
    Effect.gen(function*() {
      const fake = makeFakeCompression()
      const { cold, stored } = yield* openStore({ codec: "stored" }, fake.layer)
      const told = delivery("id-1", 500)
      cold.tellUnsafe(told)
      assert.deepStrictEqual(fake.compressed, [{ codec: "stored", bytes: noise(500, 501) }])
      yield* cold.start
      yield* cold.settled
      assert.strictEqual(fake.compressed.length, 1)
      assert.deepStrictEqual(bodyOf(stored.get("id-1")), inverted(noise(500, 501)))
    }))

  it.live("RFC E5 the evidence is the caller's again after the call: it may be overwritten, detached, used anew", () =>
    Effect.gen(function*() {
      const ways: ReadonlyArray<(content: Uint8Array<ArrayBuffer>) => unknown> = [
        (content) => content.fill(0),
        (content) => content.buffer.transfer(0)
      ]
      for (const layer of [NodeCompression.layer, PortableCompression.layer]) {
        const { close, cold, stored } = yield* openStore({}, layer)
        for (const [i, letGo] of ways.entries()) {
          const content = noise(2_000, 2_001)
          assert.isTrue(cold.tellUnsafe({ ...delivery(`id-${i}`, 2_000), content }))
          letGo(content)
        }
        yield* cold.start
        yield* cold.settled
        for (const envelope of stored.values())
          assert.deepStrictEqual(open(envelope, 2_000, ports).content, noise(2_000, 2_001))
        assert.strictEqual(cold.stats().written, 2)
        yield* close
      }
    }))

  it.effect("RFC E4 a body that the sender has compressed is written as it is, and not compressed again", () =>
    Effect.gen(function*() {
      const fake = makeFakeCompression()
      const { cold, stored } = yield* openStore({}, fake.layer)
      yield* cold.start
      const compressed = gzip(noise(500, 501))
      cold.tellUnsafe({ ...delivery("id-1", 500, compressed), content: new Uint8Array(0) })
      yield* cold.settled
      assert.deepStrictEqual(fake.compressed, [])
      const envelope = stored.get("id-1") ?? assert.fail("not written")
      assert.isTrue(Buffer.from(envelope).includes(compressed))
      assert.deepStrictEqual(open(envelope, 500, ports).content, noise(500, 501))
    }))

  it.effect("RFC C1 nothing is sealed or written on the caller's turn, even where the fiber waits and all is compressed", () =>
    Effect.gen(function*() {
      const { attempts, cold } = yield* openStore()
      yield* cold.start
      yield* Effect.yieldNow
      cold.tellUnsafe(delivery("id-1", 500, gzip(noise(500, 501))))
      cold.tellUnsafe(delivery("id-2", 500))
      assert.deepStrictEqual(attempts, [])
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["id-1", "id-2"])
    }))

  it.effect("RFC S1 a delivery that is compressed sooner waits for those that were told before it", () =>
    Effect.gen(function*() {
      const fake = makeFakeCompression()
      fake.answers.push("waits", "at once")
      const { attempts, cold } = yield* openStore({}, fake.layer)
      yield* cold.start
      cold.tellUnsafe(delivery("a"))
      cold.tellUnsafe(delivery("b"))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(fake.compressed.length, 2, "both are compressed at once")
      assert.deepStrictEqual(attempts, [])
      yield* fake.release
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["a", "b"])
    }))

  it.effect("RFC S1 deliveries are written in the order in which they were told, those before the start too", () =>
    Effect.gen(function*() {
      const { attempts, cold } = yield* openStore()
      const names = Array.from({ length: 30 }, (_, i) => `id-${i}`)
      for (const name of names.slice(0, 10)) cold.tellUnsafe(delivery(name))
      assert.deepStrictEqual(attempts, [])
      assert.deepStrictEqual(cold.stats(), {
        pending: 10,
        pendingBytes: 1_000,
        written: 0,
        unconfirmed: 0,
        deadLetters: 0
      })
      yield* cold.start
      for (const name of names.slice(10)) cold.tellUnsafe(delivery(name))
      yield* cold.settled
      assert.deepStrictEqual(attempts, names)
      assert.strictEqual(cold.stats().written, 30)
    }))
})

describe("a mailbox that is full", () => {
  it.effect("RFC S2 by count: refused, counted, alerted; not compressed, and not touched", () =>
    Effect.gen(function*() {
      const fake = makeFakeCompression()
      const { alerts, attempts, cold } = yield* openStore({ maxPendingCount: 2 }, fake.layer)
      const told = ["a", "b", "c", "d"].map((name) => delivery(name))
      assert.deepStrictEqual(told.map(cold.tellUnsafe), [true, true, false, false])
      assert.deepStrictEqual(alerts, ["critical coldstorage.refused", "critical coldstorage.refused"])
      assert.deepStrictEqual(cold.stats(), {
        pending: 2,
        pendingBytes: 200,
        written: 0,
        unconfirmed: 0,
        deadLetters: 2
      })
      assert.strictEqual(fake.compressed.length, 2)
      for (const { content } of told) assert.deepStrictEqual(content, noise(100, 101))
      yield* cold.start
      yield* cold.settled
      assert.deepStrictEqual(attempts, ["a", "b"])
    }))

  it.effect("RFC S2 by bytes of evidence, to the byte", () =>
    Effect.gen(function*() {
      const { cold, stored } = yield* openStore({ maxPendingBytes: 1_000 })
      assert.isTrue(cold.tellUnsafe(delivery("a", 600)))
      assert.isFalse(cold.tellUnsafe(delivery("b", 401)))
      assert.isTrue(cold.tellUnsafe(delivery("c", 400)))
      assert.isFalse(cold.tellUnsafe(delivery("d", 1)))
      assert.deepStrictEqual(cold.stats(), {
        pending: 2,
        pendingBytes: 1_000,
        written: 0,
        unconfirmed: 0,
        deadLetters: 2
      })
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
      assert.deepStrictEqual(cold.stats(), {
        pending: 10,
        pendingBytes: 10,
        written: 0,
        unconfirmed: 0,
        deadLetters: 990
      })
    }))
})

describe("without cold storage", () => {
  const settings = (audit: object) =>
    Layer.effect(Settings, Effect.fromResult(resolveConfig([fromArgument({ audit })])))
  const fake = makeFakeEndpoint("file:elsewhere")
  const layer = ColdStorage.layer(({ endpoint }) =>
    Layer.succeed(ColdStorageEndpoint, { ...fake.endpoint, destination: endpoint })
  ).pipe(
    Layer.provide(FailSafe.layer),
    Layer.provide(Layer.mergeAll(
      ActorSystem.layer(),
      alertsTo({ alerts: [], errors: [] }),
      PortableCompression.layer,
      NodeHash.layer,
      MonotonicTime.layerPortable
    ))
  )

  it.effect("RFC Q2 nothing is taken, and there is no destination", () =>
    Effect.gen(function*() {
      const cold = yield* ColdStorage
      yield* cold.start
      const told = delivery("id-1")
      assert.isNull(cold.destination)
      assert.strictEqual(cold.codec, "gzip")
      assert.isFalse(cold.tellUnsafe(told))
      assert.deepStrictEqual(cold.stats(), { pending: 0, pendingBytes: 0, written: 0, unconfirmed: 0, deadLetters: 0 })
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

describe("a host without the codec", () => {
  it.effect("RFC E7 does not build: its error names the setting and what the host has", () =>
    Effect.gen(function*() {
      for (const codec of ["zstd", "brotli"] as const) {
        const error = yield* Effect.flip(openStore({ codec }, PortableCompression.layer))
        assert.instanceOf(error, ColdStorageError)
        assert.strictEqual(error.reason, "open")
        assert.include(error.message, codec)
        assert.include(error.message, "audit.coldStorage.codec")
        assert.include(error.message, "stored, gzip")
      }
    }))
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
