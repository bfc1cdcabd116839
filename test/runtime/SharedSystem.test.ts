import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Request, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Tracehound } from "tracehound"
import * as Actor from "tracehound/actor"
import { Hash } from "tracehound/node"

class Ping extends Request.TaggedClass("Ping")<{}, string> {}
const pinger = Actor.define<Ping>()("pinger", {
  behaviour: () => Effect.succeed({ Ping: () => Effect.succeed("pong") })
})

const scent = (id: string) => ({
  id,
  source: "192.0.2.1",
  timestamp: 1,
  payload: id,
  threat: { category: "injection", severity: "high" } as const
})

const config = { hound: { enabled: false }, quarantine: { maxCount: 1 } } as const

/** The same with cold storage that compresses nothing: a worker would take real time. */
const stored = { ...config, audit: { coldStorage: { codec: "stored" } } } as const

/** Lets background work go on that waits for nothing. */
const calm = Effect.forEach(Array.from({ length: 64 }), () => Effect.yieldNow, { discard: true })

const app = Actor.ActorSystem.layer({ name: "app" })

describe("a Tracehound in the program's own actor system", () => {
  it.effect("RFC R9 is one tree with it: inspection, dead letters and lifecycle", () =>
    Effect.gen(function*() {
      const { sync } = yield* Tracehound
      const { deadLetters, inspect } = yield* Actor.ActorSystem
      assert.deepStrictEqual(inspect().children.map(({ path }) => path), ["app/tracehound"])
      const { children, path } = sync.actors()
      assert.strictEqual(path, "app/tracehound")
      assert.include(children.map(({ path }) => path), "app/tracehound/alerts")
      // Two alerts that a sink does not send.
      for (const id of ["1", "2", "3"]) sync.intercept(scent(id))
      yield* calm
      assert.deepStrictEqual([sync.deadLetters(), deadLetters.total()], [2, 2])
      assert.deepStrictEqual(deadLetters.recent().map(({ actor }) => actor), [
        "app/tracehound/sink",
        "app/tracehound/sink"
      ])
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          Tracehound.layerWith({ config, system: app, sinks: [{ send: () => Effect.fail("no") }] }),
          app
        )
      )
    ))

  it.effect("RFC R9 counts its own dead letters alone, and two are two", () =>
    Effect.gen(function*() {
      const system = yield* Actor.ActorSystem
      const layer = () => Tracehound.layerWith({ config, system })
      const first = yield* Effect.map(Layer.build(layer()), (context) => Effect.provide(Tracehound, context))
      const second = yield* Effect.map(Layer.build(layer()), (context) => Effect.provide(Tracehound, context))
      const pinging = yield* Effect.scoped(system.root.spawn(pinger))
      pinging.tellUnsafe(new Ping())
      assert.strictEqual(system.deadLetters.total(), 1)
      const paths = []
      for (const tracehound of [first, second]) {
        const { sync } = yield* tracehound
        assert.strictEqual(sync.deadLetters(), 0)
        paths.push(sync.actors().path)
      }
      assert.strictEqual(new Set(paths).size, 2)
    }).pipe(Effect.scoped, Effect.provide(app)))

  it.effect("RFC R9 F3 its actors giving up is its panic, and the program goes on", () => {
    const broken = { sealing: false }
    const hash = Layer.effect(
      Hash,
      Effect.map(Hash, (real) => ({
        ...real,
        sha256Into: (bytes: Uint8Array, target: Uint8Array) => {
          // An envelope begins with THEV.
          if (broken.sealing && bytes[0] === 0x54 && bytes[3] === 0x56) throw new Error("broken")
          real.sha256Into(bytes, target)
        }
      }))
    )
    const coldStorage = { destination: "own", open: Effect.void, write: () => Effect.void }
    return Effect.gen(function*() {
      const { sync } = yield* Tracehound
      const { escalated, inspect, root } = yield* Actor.ActorSystem
      const pinging = yield* root.spawn(pinger)
      const over = yield* Effect.forkChild(escalated)
      broken.sealing = true
      for (let i = 1; i < 12; i++) sync.intercept(scent(`${i}`))
      for (let i = 0; i < 200 && sync.state() === "running"; i++) yield* TestClock.adjust(100)
      assert.strictEqual(sync.state(), "panicked")
      assert.strictEqual(sync.actors().phase, "ended")
      assert.strictEqual(sync.quarantine.count, 1)
      assert.strictEqual(yield* pinging.ask(new Ping()), "pong")
      assert.strictEqual(inspect().phase, "running")
      assert.deepStrictEqual(inspect().children.map(({ name }) => name), ["pinger"])
      assert.isUndefined(over.pollUnsafe())
    }).pipe(
      Effect.scoped,
      Effect.provide(
        Layer.provideMerge(Tracehound.layerWith({ config: stored, system: app, coldStorage, ports: hash }), app)
      )
    )
  })

  it.effect("RFC R4 R9 closes before it or after it, and leaves nothing behind", () =>
    Effect.gen(function*() {
      for (const isSystemFirst of [false, true]) {
        const [outer, inner] = [yield* Scope.make(), yield* Scope.make()]
        const system = yield* Scope.provide(Actor.ActorSystem.make({ name: "app" }), outer)
        const context = yield* Layer.buildWithScope(Tracehound.layerWith({ config, system }), inner)
        const { sync } = yield* Effect.provide(Tracehound, context)
        sync.intercept(scent("1"))
        yield* Scope.close(isSystemFirst ? outer : inner, Exit.void)
        // Without actors custody goes on, within its bounds.
        if (isSystemFirst) {
          sync.intercept(scent("2"))
          assert.strictEqual(sync.quarantine.count, 1)
          assert.strictEqual(sync.actors().phase, "ended")
        } else assert.deepStrictEqual([...system.inspect().children], [])
        yield* Scope.close(isSystemFirst ? inner : outer, Exit.void)
        assert.strictEqual(sync.quarantine.count, 0)
        assert.deepStrictEqual([...sync.actors().children], [])
      }
    }))

  it.effect("RFC R9 does not start in a system that has ended, and says so", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const system = yield* Scope.provide(Actor.ActorSystem.make(), scope)
      yield* Scope.close(scope, Exit.void)
      const error = yield* Effect.flip(Effect.scoped(Layer.build(Tracehound.layerWith({ config, system }))))
      assert.strictEqual(error._tag, "StartFailed")
    }))
})
