import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Latch, Layer, Option, Tracer } from "effect"
import { TestClock } from "effect/testing"
import {
  type Alert,
  AlertSinks,
  Callbacks,
  createTracehound,
  type EffectSink,
  type StartError,
  Tracehound
} from "tracehound"
import * as Actor from "tracehound/actor"

const config = { hound: { enabled: false } } as const

/** Lets background work go on that waits for nothing. */
const calm = Effect.forEach(Array.from({ length: 64 }), () => Effect.yieldNow, { discard: true })

/** Moves a test's clock by so many seconds, step by step. */
const seconds = (count: number) =>
  Effect.forEach(Array.from({ length: count * 2 }), () => Effect.andThen(calm, TestClock.adjust(500)), {
    discard: true
  })

const scent = (id: string) => ({
  id,
  source: "192.0.2.1",
  timestamp: 1,
  payload: id,
  threat: { category: "injection", severity: "high" } as const
})

/** A pager, as a program has one in its context. */
class Pager extends Context.Service<Pager, { readonly page: (text: string) => Effect.Effect<void> }>()("test/Pager") {}

const pagerOf = (pages: Array<string>) =>
  Layer.succeed(Pager, { page: (text) => Effect.sync(() => void pages.push(text)) })

/** Raises so many alerts: each eviction of high evidence is one. */
const evict = (count: number) =>
  Effect.map(Tracehound, ({ sync }) => {
    for (let i = 0; i <= count; i++) sync.intercept(scent(`${i}`))
  })
const evicting = { ...config, quarantine: { maxCount: 1 }, rateLimit: { maxRequests: 1_000_000 } } as const

describe("a sink that sends by an Effect", () => {
  it.effect("RFC R8 gets every alert, and finds its services in the layer's context", () => {
    const pages: Array<string> = []
    const sink = { send: ({ type }: Alert) => Effect.flatMap(Pager, ({ page }) => page(type)) }
    const layer: Layer.Layer<Tracehound, StartError, Pager> = Tracehound.layerWith({ config: evicting, sinks: [sink] })
    return Effect.gen(function*() {
      yield* evict(2)
      yield* calm
      assert.deepStrictEqual(pages, ["high_severity_eviction", "high_severity_eviction"])
    }).pipe(Effect.provide(Layer.provide(layer, pagerOf(pages))))
  })

  it.effect("RFC R8 belongs to the span of the call, and never to the one in which the layer was built", () => {
    const spans: Array<string | undefined> = []
    const see = Effect.map(Effect.serviceOption(Tracer.ParentSpan), (span) => {
      spans.push(Option.getOrUndefined(Option.map(span, (span) => span._tag === "Span" ? span.name : span.spanId)))
    })
    const layer = Tracehound.layerWith({
      config: evicting,
      sinks: [{ send: () => see }],
      callbacks: { onQuarantineFull: () => see }
    })
    return Effect.gen(function*() {
      const context = yield* Effect.withSpan(Layer.build(layer), "building")
      const { intercept } = Context.get(context, Tracehound)
      yield* Effect.withSpan(Effect.forEach(["a", "b"], (id) => intercept(scent(id))), "calling")
      yield* calm
      assert.isNotEmpty(spans)
      assert.notInclude(spans, "building")
      assert.include(spans, "calling")
    })
  })

  it.effect("RFC R8 may be of the context, and stands beside the others", () => {
    const heard: Array<string> = []
    const sinkOf = (name: string): EffectSink => ({
      send: ({ type }) => Effect.sync(() => heard.push(`${name} ${type}`))
    })
    return Effect.gen(function*() {
      yield* evict(1)
      yield* calm
      assert.sameMembers(heard, ["around high_severity_eviction", "given high_severity_eviction"])
      const { sync } = yield* Tracehound
      assert.includeMembers(sync.actors().children.map(({ name }) => name), ["sink", "sink-1"])
    }).pipe(
      Effect.provide(
        Layer.provide(
          Tracehound.layerWith({ config: evicting, sinks: [sinkOf("given")] }),
          Layer.succeed(AlertSinks, [sinkOf("around")])
        )
      )
    )
  })

  const sinks: ReadonlyArray<readonly [name: string, send: () => Effect.Effect<unknown, unknown>]> = [
    ["fails", () => Effect.fail("s3cr3t")],
    ["dies", () => Effect.die("s3cr3t")],
    ["throws", () => {
      throw new Error("s3cr3t")
    }],
    ["interrupts itself", () => Effect.interrupt],
    ["gives no Effect", () => JSON.parse("\"s3cr3t\"")],
    ["never ends", () => Effect.never],
    ["never ends and cannot be interrupted", () => Effect.uninterruptible(Effect.never)]
  ]
  it.effect.each(sinks)(
    "RFC R8 that %s is an error on the board and a dead letter, and raises no alert of its own",
    ([, send]) => {
      const alerts: Array<Alert> = []
      return Effect.gen(function*() {
        const { sync } = yield* Tracehound
        yield* evict(3)
        yield* seconds(20)
        assert.strictEqual(sync.deadLetters(), 3)
        assert.deepStrictEqual(
          alerts.map(({ type }) => type),
          Array.from({ length: 3 }, () => "high_severity_eviction")
        )
        assert.deepStrictEqual(sync.watcher.snapshot().errors.filter(({ code }) => code === "sink_failed").length, 1)
        assert.notInclude(JSON.stringify([alerts, sync.watcher.snapshot()]), "s3cr3t")
        assert.strictEqual(sync.state(), "running")
      }).pipe(
        Effect.provide(Tracehound.layerWith({
          config: evicting,
          sinks: [{ send }, { sendUnsafe: (alert) => void alerts.push(alert), onFailure: () => undefined }]
        }))
      )
    }
  )

  it.effect("RFC R8 holds no more than its lanes while it hangs, and counts the rest", () => {
    const isOpen = Latch.makeUnsafe(false)
    return Effect.gen(function*() {
      const { sync } = yield* Tracehound
      yield* evict(500)
      yield* calm
      const sink = sync.actors().children.find(({ name }) => name === "sink")
      if (sink?.kind !== "actor") return assert.fail("no sink")
      // One is being sent, the lane holds 256.
      assert.isAtMost(sink.mailbox.pending, 257)
      assert.strictEqual(sync.deadLetters() + sink.mailbox.pending, 500)
      isOpen.openUnsafe()
    }).pipe(
      Effect.provide(Tracehound.layerWith({
        config: { ...evicting, alerts: { maxAlertsPerWindow: 1_000 } },
        sinks: [{ send: () => isOpen.await }]
      }))
    )
  })

  it.effect("RFC R8 is sent what waits when Tracehound closes, and is then interrupted", () => {
    const ends: Array<string> = []
    const sink = {
      send: ({ type }: Alert) =>
        type === "failsafe.panic"
          ? Effect.sync(() => ends.push("sent"))
          : Effect.onInterrupt(Effect.never, () => Effect.sync(() => ends.push("interrupted")))
    }
    return Effect.gen(function*() {
      const closing = yield* Effect.forkChild(
        Effect.andThen(evict(1), Effect.map(Tracehound, ({ sync }) => sync.panic())).pipe(
          Effect.provide(Tracehound.layerWith({ config: evicting, sinks: [sink] }))
        )
      )
      yield* seconds(20)
      assert.isDefined(closing.pollUnsafe())
      assert.sameMembers(ends, ["sent", "interrupted"])
    })
  })
})

describe("services that Tracehound has as well", () => {
  it.effect("RFC R8 are the program's own in its sinks and callbacks, and not Tracehound's", () => {
    const names: Array<string> = []
    const note = Effect.map(Actor.ActorSystem, ({ root }) => void names.push(root.name))
    return Effect.gen(function*() {
      yield* evict(1)
      yield* calm
      assert.deepStrictEqual(names, ["app", "app"])
    }).pipe(
      Effect.provide(
        Layer.provide(
          Tracehound.layerWith({
            config: evicting,
            sinks: [{ send: () => note }],
            callbacks: { onQuarantineFull: () => note }
          }),
          Actor.ActorSystem.layer({ name: "app" })
        )
      )
    )
  })
})

describe("callbacks that answer by an Effect", () => {
  const full = { ...config, quarantine: { maxCount: 1 } } as const

  it.effect("RFC R8 decide, and find their services in the layer's context", () => {
    const pages: Array<string> = []
    const callbacks = {
      pager: "this",
      onQuarantineFull() {
        return Effect.as(Effect.flatMap(Pager, ({ page }) => page(this.pager)), "turn_away" as const)
      },
      onEscalate: () => undefined
    }
    const layer: Layer.Layer<Tracehound, StartError, Pager> = Tracehound.layerWith({ config: full, callbacks })
    return Effect.gen(function*() {
      const { sync } = yield* Tracehound
      sync.intercept(scent("1"))
      sync.intercept(scent("2"))
      yield* calm
      assert.deepStrictEqual(pages, ["this"])
      const third = sync.intercept(scent("3"))
      assert.isTrue(third.status === "quarantined" && third.evicted !== undefined && third.handle.disposed)
    }).pipe(Effect.provide(Layer.provide(layer, pagerOf(pages))))
  })

  it.effect("RFC R8 are those of every layer: of layer, of its context, and of createTracehound without types", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const callbacksOf = (name: string) => ({ onQuarantineFull: () => Effect.sync(() => void asked.push(name)) })
      const fill = Effect.andThen(
        Effect.map(Tracehound, ({ sync }) => ["1", "2"].map((id) => sync.intercept(scent(id)))),
        calm
      )
      yield* Effect.provide(fill, Tracehound.layer(full, callbacksOf("layer")))
      const around = Layer.succeed(Callbacks, callbacksOf("context"))
      yield* Effect.provide(fill, Layer.provide(Tracehound.layer(full), around))
      const plain = createTracehound(full, callbacksOf("plain") as {})
      for (const id of ["1", "2"]) plain.intercept(scent(id))
      yield* Effect.promise(() => plain.dispose())
      assert.deepStrictEqual(asked, ["layer", "context", "plain"])
    }))

  const answers: ReadonlyArray<readonly [name: string, answer: () => Effect.Effect<"evict", unknown>, code: string]> = [
    ["fails", () => Effect.fail("s3cr3t"), "callback_threw"],
    ["dies", () => Effect.die("s3cr3t"), "callback_threw"],
    ["interrupts itself", () => Effect.interrupt, "callback_threw"],
    ["answers what it may not", () => Effect.succeed(JSON.parse("\"s3cr3t\"")), "callback_garbage"],
    ["never ends", () => Effect.never, "callback_overdue"],
    ["never ends and cannot be interrupted", () => Effect.uninterruptible(Effect.never), "callback_overdue"]
  ]
  it.effect.each(answers)("RFC F4 R8 one that %s has given no answer", ([, answer, code]) =>
    Effect.gen(function*() {
      const { sync } = yield* Tracehound
      sync.intercept(scent("1"))
      sync.intercept(scent("2"))
      yield* seconds(8)
      assert.include(sync.watcher.snapshot().errors.map(({ code }) => code), code)
      assert.notInclude(JSON.stringify(sync.watcher.snapshot()), "s3cr3t")
      const third = sync.intercept(scent("3"))
      assert.isTrue(third.status === "quarantined" && third.evicted === undefined)
      assert.strictEqual(sync.state(), "running")
    }).pipe(Effect.provide(Tracehound.layerWith({ config: full, callbacks: { onQuarantineFull: answer } }))))

  it.effect("RFC R8 one that is late is interrupted", () => {
    const ends: Array<string> = []
    return Effect.gen(function*() {
      const { sync } = yield* Tracehound
      sync.intercept(scent("1"))
      sync.intercept(scent("2"))
      yield* seconds(4)
      assert.deepStrictEqual(ends, [])
      yield* seconds(2)
      assert.deepStrictEqual(ends, ["interrupted"])
    }).pipe(
      Effect.provide(Tracehound.layerWith({
        config: full,
        callbacks: {
          onQuarantineFull: () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => ends.push("interrupted")))
        }
      }))
    )
  })
})
