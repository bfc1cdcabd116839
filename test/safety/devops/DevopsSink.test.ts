/**
 * Tests alerts on their way to the endpoint: how many wait, in which order they are posted, and
 * what happens to those that cannot be.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Layer, Schema } from "effect"
import { HttpClient } from "effect/http"
import { TestClock } from "effect/testing"
import { ActorSystem } from "../../../src/actor/ActorSystem.ts"
import { Settings } from "../../../src/config/Settings.ts"
import { TracehoundConfig } from "../../../src/config/TracehoundConfig.ts"
import type { Alert } from "../../../src/domain/Alert.ts"
import { Alerts } from "../../../src/safety/alert/Alerts.ts"
import { type AlertSink, AlertSinks } from "../../../src/safety/alert/AlertSink.ts"
import { notice } from "../../../src/safety/alert/Notice.ts"
import { DevopsError, make } from "../../../src/safety/devops/DevopsEndpoint.ts"
import * as DevopsSink from "../../../src/safety/devops/DevopsSink.ts"
import { answerOf, client, options } from "./receivers.ts"

const alert = (
  message: string,
  severity: Alert["severity"] = "warning",
  type: Alert["type"] = "alert.flood"
): Alert => ({
  type,
  severity,
  message,
  timestamp: 0
})

const other: AlertSink = { sendUnsafe: () => undefined, onFailure: () => undefined }

/** The devops sink on a fake endpoint, beside another sink. */
const opened = (
  answer: (alert: Alert) => Effect.Effect<void, DevopsError>,
  alerts: (typeof TracehoundConfig.Encoded)["alerts"] = {
    devopsEndpoint: "http://127.0.0.1/",
    devops: { maxPending: 2 }
  }
) =>
  Effect.gen(function*() {
    const delivered: Array<string> = []
    const told: Array<string> = []
    const loads = { count: 0 }
    const endpoint = Effect.sync(() => {
      loads.count += 1
      return {
        isOpen: Effect.succeed(false),
        deliver: (sent: Alert) =>
          Effect.suspend(() => {
            delivered.push(sent.message)
            return answer(sent)
          })
      }
    })
    const context = yield* Layer.build(
      Layer.fresh(DevopsSink.layer(endpoint)).pipe(
        Layer.provideMerge(ActorSystem.layer()),
        Layer.provide(Layer.succeed(AlertSinks, [other])),
        Layer.provideMerge(Layer.effect(Settings, Effect.orDie(Schema.decodeEffect(TracehoundConfig)({ alerts }))))
      )
    )
    const sinks = yield* Effect.provide(AlertSinks, context)
    const { deadLetters, inspect } = yield* Effect.provide(ActorSystem, context)
    const [first, second] = sinks
    const sink = second !== undefined && "sendUnsafe" in second ? second : undefined
    sink?.onFailure(({ code, message }) => told.push(`${code}: ${message}`))
    return {
      context,
      sinks,
      first,
      send: (sent: Alert) => sink?.sendUnsafe(sent),
      delivered,
      told,
      loads,
      deadLetters,
      inspect
    }
  })

const failed = (reason: DevopsError["reason"]) => Effect.fail(new DevopsError({ reason, message: `it was ${reason}` }))
const turns = Effect.forEach(Array.from({ length: 8 }), () => Effect.yieldNow, { discard: true })

describe("the sink", () => {
  it.effect("RFC W3 is added to the other sinks, and is not there without an endpoint", () =>
    Effect.gen(function*() {
      const { first, sinks } = yield* opened(() => Effect.void)
      assert.strictEqual(sinks.length, 2)
      assert.strictEqual(first, other)
      const without = yield* opened(() => Effect.void, {})
      assert.deepStrictEqual([...without.sinks], [other])
      assert.deepStrictEqual(without.inspect().children, [])
    }))

  it.effect("RFC W3 S1 what waits goes by lanes, the worst first, and the client is loaded once, with the first alert", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { delivered, loads, send } = yield* opened(() => Deferred.await(gate))
      yield* turns
      assert.strictEqual(loads.count, 0)
      send(alert("first"))
      yield* turns
      send(alert("warning"))
      send(alert("info", "info"))
      send(alert("critical", "critical"))
      assert.deepStrictEqual(delivered, ["first"])
      yield* Deferred.succeed(gate, undefined)
      yield* turns
      assert.deepStrictEqual(delivered, ["first", "critical", "warning", "info"])
      assert.strictEqual(loads.count, 1)
    }))

  it.effect("RFC W3 S2 each lane is bounded, the alert under way included; what is refused is a dead letter", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { deadLetters, delivered, send } = yield* opened(() => Deferred.await(gate))
      for (let n = 0; n < 200; n++) send(alert(`warning ${n}`))
      for (let n = 0; n < 3; n++) send(alert(`critical ${n}`, "critical"))
      yield* turns
      assert.deepStrictEqual(delivered, ["critical 0"])
      assert.strictEqual(deadLetters.counts().full, 198 + 1)
      // Closing would wait for it, and the test's time does not pass by itself.
      yield* Deferred.succeed(gate, undefined)
      yield* turns
      assert.deepStrictEqual(delivered, ["critical 0", "critical 1", "warning 0", "warning 1"])
    }))

  it.effect.each(["refused", "unavailable"] as const)(
    "RFC W3 an alert that is %s is reported, and a dead letter; the next one goes out",
    (reason) =>
      Effect.gen(function*() {
        const { deadLetters, delivered, send, told } = yield* opened(() => failed(reason))
        send(alert("a"))
        send(alert("b"))
        yield* turns
        assert.deepStrictEqual(delivered, ["a", "b"])
        assert.deepStrictEqual(told, [`devops_failure: it was ${reason}`, `devops_failure: it was ${reason}`])
        assert.strictEqual(deadLetters.counts().failed, 2)
      })
  )

  it.effect("RFC W3 while the circuit is open each alert is a dead letter, and nobody is told once more", () =>
    Effect.gen(function*() {
      const { deadLetters, send, told } = yield* opened(() => failed("open"))
      send(alert("a"))
      yield* turns
      assert.deepStrictEqual(told, [])
      assert.strictEqual(deadLetters.counts().failed, 1)
    }))

  it.effect("RFC W5 says, synchronously, whether the endpoint is spared: before its client is loaded it is not", () =>
    Effect.gen(function*() {
      const world = { status: 500 }
      const http = client(({ request }) => Effect.sync(() => answerOf(request, world.status)))
      const endpoint = make({ ...options, retries: 0, breaker: { failures: 1, resetMs: 1_000 } }).pipe(
        Effect.provideService(HttpClient.HttpClient, http.client)
      )
      const alerts = { devopsEndpoint: "http://127.0.0.1/" }
      const context = yield* Layer.build(
        Layer.fresh(DevopsSink.layer(endpoint)).pipe(
          Layer.provide(ActorSystem.layer()),
          Layer.provide(Layer.effect(Settings, Effect.orDie(Schema.decodeEffect(TracehoundConfig)({ alerts }))))
        )
      )
      const [first] = yield* Effect.provide(AlertSinks, context)
      const sink = first !== undefined && "sendUnsafe" in first ? first : assert.fail("no sink")
      const sent = Effect.andThen(Effect.sync(() => sink.sendUnsafe(alert("a"))), turns)
      assert.isFalse(sink.isSparedUnsafe?.())
      yield* sent
      assert.isTrue(sink.isSparedUnsafe?.())
      world.status = 200
      yield* TestClock.adjust(1_000)
      assert.isFalse(sink.isSparedUnsafe?.())
      yield* sent
      assert.isFalse(sink.isSparedUnsafe?.())
      assert.lengthOf(http.calls, 2)
    }))

  it.effect("RFC W3 an alert about this endpoint is not sent to it", () =>
    Effect.gen(function*() {
      const { context, delivered } = yield* opened(() => failed("refused"))
      const { alertUnsafe, errors, start } = Context.get(
        yield* Layer.build(Layer.provide(Layer.fresh(Alerts.layer), Layer.succeedContext(context))),
        Alerts
      )
      yield* start
      alertUnsafe(notice({ type: "evidence.purged", severity: "warning", message: "a" }))
      yield* turns
      assert.deepStrictEqual(errors().map(({ code }) => code), ["devops_failure"])
      yield* turns
      assert.deepStrictEqual(delivered, ["a"])
    }))
})
