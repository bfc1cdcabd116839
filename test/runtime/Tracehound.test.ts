import { assert, describe, it, layer } from "@effect/vitest"
import { Cause, ConfigProvider, Context, Effect, Exit, Layer } from "effect"
import { TestClock } from "effect/testing"
import { hash as sha256, timingSafeEqual } from "node:crypto"
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type AuditRecord, InvalidConfig, openEnvelope, Tracehound, verifyRecords } from "tracehound"

const threat = { category: "injection", severity: "high" } as const
const scent = (id: string, payload: unknown) => ({ id, source: "192.0.2.1", timestamp: 1, payload, threat })

const withDirectory = <A, E, R>(use: (directory: string) => Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "tracehound-"))),
    use,
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  )

describe("Tracehound", () => {
  layer(Tracehound.layer({ hound: { enabled: false }, quarantine: { maxCount: 2 } }))("as a layer", (it) => {
    it.effect("takes threats into custody by effects and by plain calls alike", () =>
      Effect.gen(function*() {
        const tracehound = yield* Tracehound
        const first = yield* tracehound.intercept(scent("1", "a"))
        const again = tracehound.sync.intercept(scent("2", "a"))
        assert.strictEqual(first.status, "quarantined")
        assert.strictEqual(again.status, "ignored")
        const { quarantine } = yield* tracehound.snapshot
        assert.strictEqual(quarantine.count, 1)
        assert.strictEqual((yield* tracehound.flush).length, 1)
        assert.isTrue(tracehound.sync.auditChain.verify())
      }))

    it.effect("reads the clock that its layer was built with: a test owns time", () =>
      Effect.gen(function*() {
        const { sync } = yield* Tracehound
        yield* TestClock.setTime(42_000)
        const result = sync.intercept(scent("3", "timed"))
        assert.strictEqual(result.status === "quarantined" ? result.handle.captured : undefined, 42_000)
      }))
  })

  layer(Tracehound.layer({ hound: { enabled: false } }))("with a scope that owns", (it) => {
    it.effect("RFC E8 closing the scope neutralizes what the call took in, and nothing else", () =>
      Effect.gen(function*() {
        const { intercept, interceptScoped, sync } = yield* Tracehound
        yield* intercept(scent("1", "kept"))
        yield* Effect.scoped(Effect.gen(function*() {
          const mine = yield* interceptScoped(scent("2", "mine"))
          assert.strictEqual(mine.status, "quarantined")
          assert.strictEqual((yield* interceptScoped(scent("3", "kept"))).status, "ignored")
          const moved = yield* interceptScoped(scent("4", "moved"))
          if (moved.status === "quarantined") moved.handle.transfer()
          assert.strictEqual(sync.quarantine.count, 2)
        }))
        assert.strictEqual(sync.quarantine.count, 1)
        assert.deepStrictEqual(sync.auditChain.records().map(({ entry }) => entry.status), [
          "transferred",
          "neutralized"
        ])
        assert.strictEqual((yield* Effect.scoped(interceptScoped(scent("5", "mine")))).status, "quarantined")
      }))
  })

  it.effect("RFC A1 the records that are kept begin at the checkpoint, and verify elsewhere", () =>
    Effect.gen(function*() {
      const { intercept, sync } = yield* Tracehound
      for (let i = 0; i < 10; i++) {
        yield* intercept(scent(`${i}`, `payload ${i}`))
        sync.flush()
      }
      const { checkpoint, lastHash, length } = sync.auditChain
      assert.deepStrictEqual([length, checkpoint.length], [10, 6])
      const kept = JSON.parse(JSON.stringify(sync.auditChain.records())) as ReadonlyArray<AuditRecord>
      const hash = { sha256Hex: (bytes: Uint8Array) => sha256("sha256", bytes), timingSafeEqual }
      const report = verifyRecords(kept, { anchor: checkpoint.head, from: checkpoint.length, hash })
      assert.deepStrictEqual(report, { valid: true, firstBroken: null, checked: 4, head: lastHash })
    }).pipe(Effect.provide(Tracehound.layer({ hound: { enabled: false }, audit: { maxRecords: 4 } }))))

  it.live("RFC E4 writes evacuated and evicted evidence to cold storage, whole and verifiable", () =>
    withDirectory((directory) =>
      Effect.gen(function*() {
        const tracehound = yield* Tracehound
        const held = yield* tracehound.intercept(scent("1", "evicted later"))
        yield* tracehound.intercept(scent("2", "evacuated"))
        if (held.status !== "quarantined") return assert.fail(held.status)
        yield* tracehound.intercept(scent("3", "pushes the first out"))
        const second = tracehound.sync.auditChain.records()[0]
        assert.strictEqual(second?.entry.signature, held.handle.signature)
        const last = yield* tracehound.intercept(scent("4", { to: "evacuate" }))
        if (last.status !== "quarantined") return assert.fail(last.status)
        const record = yield* tracehound.evacuate(last.handle.signature)
        yield* tracehound.settled
        const written = readdirSync(directory).map((name) => openEnvelope(readFileSync(join(directory, name))))
        assert.strictEqual(written.length, 3)
        const texts = written.map(({ content }) => new TextDecoder().decode(content)).toSorted()
        assert.deepStrictEqual(texts, ["evacuated", "evicted later", "{\"to\":\"evacuate\"}"])
        assert.strictEqual(record?.destination, `file:${directory}`)
        assert.isTrue(written.every(({ record }) => record.signature.endsWith(record.hash)))
        assert.deepStrictEqual(tracehound.sync.coldStorage.stats(), {
          pending: 0,
          pendingBytes: 0,
          written: 3,
          unconfirmed: 0,
          deadLetters: 0
        })
      }).pipe(Effect.provide(Tracehound.layer({
        quarantine: { maxCount: 2 },
        audit: { coldStorage: { endpoint: `file:${directory}` } }
      })))
    ))

  it.effect("RFC R2 fails to build with every mistake of its configuration", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Layer.build(Tracehound.layer(
        // A caller without types.
        JSON.parse("{\"maxPayloadSize\":0,\"quarantine\":{\"maxCount\":\"ten\",\"bogus\":1}}")
      )))
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      assert.instanceOf(error, InvalidConfig)
      if (error instanceof InvalidConfig) {
        assert.deepStrictEqual(error.mistakes.map(({ path }) => path).toSorted(), [
          "maxPayloadSize",
          "quarantine.bogus",
          "quarantine.maxCount"
        ])
      }
    }))

  it.effect("RFC R2 is configured by the environment and by the file that it names", () =>
    withDirectory((directory) => {
      const file = join(directory, "tracehound.json")
      writeFileSync(file, "{\"maxPayloadSize\":5,\"quarantine\":{\"maxCount\":7}}")
      const environment = ConfigProvider.fromEnvRecord({ TRACEHOUND_CONFIG: file, TRACEHOUND_MAX_PAYLOAD_SIZE: "3" })
      return Effect.gen(function*() {
        const { sync } = yield* Tracehound
        assert.deepStrictEqual(sync.intercept(scent("1", "four")), { status: "payload_too_large", limit: 3 })
      }).pipe(Effect.provide(Tracehound.layerConfig.pipe(Layer.provide(ConfigProvider.layer(environment)))))
    }))

  it.effect("RFC R1 refuses to start without its flags where it is told to be strict, and names them", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Tracehound.layer({ runtime: { strict: true } }))))
      assert.strictEqual(error._tag, "FlagsMissing")
      assert.include(error.message, "--max-old-space-size=512")
    }))

  it.effect("refuses a cold storage that cannot be opened, and says what to check", () =>
    withDirectory((directory) =>
      Effect.gen(function*() {
        const file = join(directory, "in-the-way")
        writeFileSync(file, "")
        const config = { audit: { coldStorage: { endpoint: `file:${file}/evidence` } } }
        const error = yield* Effect.flip(Effect.scoped(Layer.build(Tracehound.layer(config))))
        assert.strictEqual(error._tag, "ColdStorageError")
        assert.include(error.message, "check that it names a directory")
      })
    ))
})

describe("several of one program", () => {
  class Name extends Context.Service<Name, Tracehound["Service"]>()("test/Name") {}
  const named = <E>(tracehound: Layer.Layer<Tracehound, E>) =>
    Layer.provide(Layer.effect(Name, Effect.suspend(() => Tracehound)), tracehound)

  it.effect("two layers are two Tracehounds, each with its own settings and its own custody", () =>
    Effect.scoped(Effect.gen(function*() {
      const [small, large] = [1, 3].map((maxCount) =>
        named(Tracehound.layer({ hound: { enabled: false }, quarantine: { maxCount } }))
      )
      const both = yield* Effect.all([Layer.build(small ?? assert.fail()), Layer.build(large ?? assert.fail())])
      const merged = yield* Layer.build(Layer.mergeAll(
        Tracehound.layer({ hound: { enabled: false }, quarantine: { maxCount: 1 } }),
        named(Tracehound.layer({ hound: { enabled: false }, quarantine: { maxCount: 3 } }))
      ))
      for (
        const [one, two] of [
          [Context.get(both[0], Name), Context.get(both[1], Name)],
          [Context.get(merged, Tracehound), Context.get(merged, Name)]
        ] as const
      ) {
        for (const { sync } of [one, two]) for (const n of [1, 2, 3, 4]) sync.intercept(scent("1", `payload ${n}`))
        assert.strictEqual(one.sync.quarantine.count, 1)
        assert.strictEqual(two.sync.quarantine.count, 3)
        assert.strictEqual(one.sync.auditChain.length, 3)
        assert.strictEqual(two.sync.auditChain.length, 1)
      }
    })))

  it.effect("one layer that is provided twice is one", () =>
    Effect.scoped(Effect.gen(function*() {
      const layer = Tracehound.layer({ hound: { enabled: false } })
      const merged = yield* Layer.build(Layer.merge(layer, named(layer)))
      assert.strictEqual(Context.get(merged, Tracehound), Context.get(merged, Name))
    })))
})
