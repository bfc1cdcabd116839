import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Logger, type LogLevel, References, Scope, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { ActorSystem } from "../../../src/actor/ActorSystem.ts"
import { fromArgument, resolveConfig } from "../../../src/config/ConfigSources.ts"
import { Settings } from "../../../src/config/Settings.ts"
import type { TracehoundConfigInput } from "../../../src/config/TracehoundConfig.ts"
import type { Alert } from "../../../src/domain/Alert.ts"
import { Alerts } from "../../../src/safety/alert/Alerts.ts"
import { AlertSinks } from "../../../src/safety/alert/AlertSink.ts"
import { notice } from "../../../src/safety/alert/Notice.ts"
import { panicNotice } from "../../../src/safety/failsafe/Notices.ts"
import { signature } from "../../domain/samples.ts"

interface Line {
  readonly level: LogLevel.LogLevel
  readonly message: unknown
  readonly annotations: Readonly<Record<string, unknown>>
  /** The span that the line is written within. */
  readonly spanId?: string
}

const loggerTo = (lines: Array<Line>): Logger.Logger<unknown, void> =>
  Logger.make(({ fiber, logLevel, message }) => {
    const annotations = fiber.getRef(References.CurrentLogAnnotations)
    const span = fiber.cache.span
    const within = span === undefined ? {} : { spanId: span.spanId }
    lines.push({ level: logLevel, message: Array.isArray(message) ? message[0] : message, annotations, ...within })
  })

/** An alerts service in a scope of its own, and what it wrote. */
const opened = (
  alerts: NonNullable<TracehoundConfigInput["alerts"]> = {},
  logger = loggerTo,
  minimum: LogLevel.LogLevel = "All"
) =>
  Effect.gen(function*() {
    const lines: Array<Line> = []
    const scope = yield* Scope.make()
    const host = Layer.mergeAll(
      Logger.layer([logger(lines)]),
      Layer.succeed(References.MinimumLogLevel, minimum),
      ActorSystem.layer(),
      Layer.effect(Settings, Effect.fromResult(resolveConfig([fromArgument({ alerts })])))
    )
    const context = yield* Layer.buildWithScope(Layer.provide(Alerts.layer, host), scope)
    const service = Context.get(context, Alerts)
    /** Lets the actor write what it has. */
    const written = Effect.map(TestClock.adjust(1), () => lines)
    return { ...service, lines, written, close: Scope.close(scope, Exit.void) }
  })

const evictionNotice = notice({ type: "high_severity_eviction", severity: "warning", message: "m" })
const failure = notice({ type: "coldstorage.failure", severity: "critical", message: "evidence was not written" })

describe("Alerts", () => {
  it.effect("RFC W2 S1 an alert is written through Effect's logger, at the level of its severity, with the time it was raised, the worst first", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_760_000_000_000)
      const { alertUnsafe, start, written } = yield* opened()
      alertUnsafe(evictionNotice, () => ({ signature }))
      alertUnsafe(failure)
      alertUnsafe({ ...failure, severity: "info" })
      yield* TestClock.adjust("1 second")
      yield* start
      const timestamp = 1_760_000_000_000
      assert.deepStrictEqual(yield* written, [
        {
          level: "Error",
          message: "coldstorage.failure: evidence was not written",
          annotations: { type: "coldstorage.failure", timestamp }
        },
        {
          level: "Warn",
          message: "high_severity_eviction: m",
          annotations: { type: "high_severity_eviction", timestamp, signature }
        },
        {
          level: "Info",
          message: "coldstorage.failure: evidence was not written",
          annotations: { type: "coldstorage.failure", timestamp }
        }
      ])
    }))

  it.effect("RFC W2 W6 an alert says of its evidence, its cause and its trace what nobody can forge", () =>
    Effect.gen(function*() {
      const alerts: Array<Alert> = []
      const sink = { sendUnsafe: (alert: Alert) => void alerts.push(alert), onFailure: () => undefined }
      const { alertUnsafe, logUnsafe, start, written } = yield* Effect.provideService(opened(), AlertSinks, [sink])
      yield* start
      const thrown = new RangeError("out of\n<script>")
      const span = Tracer.externalSpan({ spanId: "cd".repeat(8), traceId: "ab".repeat(16) })
      // A request's header can name any trace, and a host's tracer may take it as it is.
      const forged = Tracer.externalSpan({ spanId: "<script>", traceId: "ab\n" })
      const details = () => ({ signature, id: "<script>", code: "ENOSPC", thrown })
      yield* Effect.withParentSpan(Effect.sync(() => alertUnsafe(failure, details)), span)
      yield* Effect.withParentSpan(Effect.sync(() => alertUnsafe(evictionNotice, () => ({ reason: "why" }))), forged)
      const event = { type: "quarantine.eviction", reason: "capacity" } as const
      yield* Effect.withParentSpan(Effect.sync(() => logUnsafe(event, "high", details)), span)
      const lines = yield* written
      const about = { signature, evidenceId: "\\u{3c}script\\u{3e}" }
      const trace = { traceId: span.traceId, spanId: span.spanId }
      const [type, warned] = ["coldstorage.failure", "high_severity_eviction"] as const
      const alert = { type, timestamp: 0, ...about, reason: "RangeError", code: "ENOSPC" }
      assert.deepStrictEqual(lines.map(({ annotations, level }) => [level, annotations]), [
        ["Error", { ...alert, ...trace }],
        ["Debug", { type, reason: "RangeError", cause: "out of\\u{a}<script>", ...trace }],
        ["Warn", { type: warned, timestamp: 0, reason: "why" }],
        ["Debug", { ...event, ...about, severity: "high", ...trace }]
      ])
      assert.deepStrictEqual(lines.map(({ spanId }) => spanId), [span.spanId, span.spanId, "<script>", span.spanId])
      assert.deepInclude(alerts[0], { ...alert, trace })
      assert.isUndefined(alerts[1]?.trace)
    }))

  it.effect("RFC W6 the message of a cause is not made where nobody logs at the Debug level", () =>
    Effect.gen(function*() {
      const { alertUnsafe, start, written } = yield* opened({}, loggerTo, "Info")
      yield* start
      const thrown = Object.defineProperty(new Error("m"), "message", { get: () => assert.fail("nobody listens") })
      alertUnsafe(failure, () => ({ reason: "why", thrown }))
      assert.deepStrictEqual((yield* written).map(({ level }) => level), ["Error"])
    }))

  it.effect("RFC Q2 a log event is written at the Debug level", () =>
    Effect.gen(function*() {
      const { logUnsafe, start, written } = yield* opened()
      yield* start
      const event = { type: "quarantine.eviction", signature, severity: "high", reason: "capacity" } as const
      logUnsafe({ type: "quarantine.eviction", reason: "capacity" }, "high", () => ({ signature }))
      assert.deepStrictEqual(yield* written, [{ level: "Debug", message: "quarantine.eviction", annotations: event }])
    }))

  it.effect("RFC Q2 a log event at a level that the host does not log is not made at all", () =>
    Effect.gen(function*() {
      const { deadLetters, logUnsafe, lines } = yield* opened({}, loggerTo, "Info")
      for (let n = 0; n < 10_000; n++)
        logUnsafe({ type: "quarantine.eviction", reason: "capacity" }, "high", () => assert.fail("nobody listens"))
      assert.strictEqual(deadLetters(), 0)
      assert.deepStrictEqual(lines, [])
    }))

  it.effect("RFC W2 a signature is asked for only where an alert leaves", () =>
    Effect.gen(function*() {
      const { alertUnsafe } = yield* opened({ maxAlertsPerWindow: 3 })
      let asked = 0
      for (let n = 0; n < 100; n++) {
        alertUnsafe(evictionNotice, () => {
          asked += 1
          return { signature }
        })
      }
      assert.strictEqual(asked, 3)
    }))

  it.effect("RFC W2 a flood raises alert.flood once a window, with the count, and nothing else", () =>
    Effect.gen(function*() {
      const { alertUnsafe, deadLetters, start, written } = yield* opened({
        maxAlertsPerWindow: 3,
        windowMs: 1_000,
        escalationThreshold: 5
      })
      yield* start
      for (let n = 0; n < 100_000; n++) alertUnsafe(evictionNotice, () => ({ signature }))
      const lines = yield* written
      assert.deepStrictEqual(lines.map(({ annotations }) => annotations["type"]), [
        "alert.flood",
        "high_severity_eviction",
        "high_severity_eviction",
        "high_severity_eviction"
      ])
      assert.strictEqual(lines[0]?.level, "Error")
      assert.strictEqual(lines[0]?.annotations["alertCount"], 8)
      assert.strictEqual(deadLetters(), 0, "what the limiter holds back never enters the mailbox")
      yield* TestClock.adjust("1 second")
      for (let n = 0; n < 100; n++) alertUnsafe(evictionNotice, () => ({ signature }))
      assert.strictEqual((yield* written).length, 8)
    }))

  it.effect("RFC W2 F3 a panic's alert leaves, however many alerts came before it", () =>
    Effect.gen(function*() {
      const { alertUnsafe, start, written } = yield* opened({ maxAlertsPerWindow: 1 })
      yield* start
      for (let n = 0; n < 100; n++) alertUnsafe(evictionNotice, () => ({ signature }))
      alertUnsafe(panicNotice)
      alertUnsafe(failure)
      assert.deepStrictEqual((yield* written).map(({ annotations }) => annotations["type"]), [
        "alert.flood",
        "failsafe.panic",
        "high_severity_eviction"
      ])
    }))

  it.effect("RFC S2 notices past 1024 in a lane are dead letters, counted one by one, and cost the other lanes nothing", () =>
    Effect.gen(function*() {
      const { alertUnsafe, close, deadLetters, lines, logUnsafe, start } = yield* opened()
      const kind = { type: "quarantine.eviction", reason: "capacity" } as const
      const event = () => logUnsafe(kind, "low", () => ({ signature }))
      for (let n = 0; n < 1_024; n++) event()
      assert.strictEqual(deadLetters(), 0)
      for (let n = 0; n < 10; n++) event()
      alertUnsafe(evictionNotice, () => ({ signature }))
      assert.strictEqual(deadLetters(), 10)
      yield* start
      yield* close
      assert.strictEqual(lines.length, 1_025)
      assert.strictEqual(lines[0]?.level, "Warn")
      assert.strictEqual(deadLetters(), 10)
    }))

  it.effect("RFC S4 closing writes what waits, and counts what comes after", () =>
    Effect.gen(function*() {
      const { alertUnsafe, close, deadLetters, lines, start } = yield* opened()
      yield* start
      alertUnsafe(evictionNotice, () => ({ signature }))
      yield* close
      assert.strictEqual(lines.length, 1)
      alertUnsafe(evictionNotice, () => ({ signature }))
      assert.strictEqual(deadLetters(), 1)
    }))

  it.effect("RFC S4 a service that never started counts what it could not write", () =>
    Effect.gen(function*() {
      const { alertUnsafe, close, deadLetters } = yield* opened()
      alertUnsafe(evictionNotice, () => ({ signature }))
      alertUnsafe(evictionNotice, () => ({ signature }))
      yield* close
      assert.strictEqual(deadLetters(), 2)
    }))

  it.effect("RFC F4 a logger of the host's that throws costs its line and harms nothing", () =>
    Effect.gen(function*() {
      const { alertUnsafe, deadLetters, lines, start, written } = yield* opened({}, (lines) => {
        const inner = loggerTo(lines)
        return Logger.make((options) => {
          if (String(options.message).includes("coldstorage")) throw new Error("the disk is full")
          inner.log(options)
        })
      })
      yield* start
      alertUnsafe(failure)
      alertUnsafe(evictionNotice, () => ({ signature }))
      yield* written
      assert.deepStrictEqual(lines.map(({ level }) => level), ["Warn"])
      assert.strictEqual(deadLetters(), 1)
    }))

  it.effect("RFC F5 errors are posted on the board, whether the service runs or not", () =>
    Effect.gen(function*() {
      const { close, errorUnsafe, errors } = yield* opened()
      const error = { state: "agent", code: "c", message: "m", recoverable: true } as const
      errorUnsafe(error)
      assert.deepStrictEqual(errors(), [error])
      yield* close
      errorUnsafe({ ...error, code: "d" })
      assert.strictEqual(errors().length, 2)
    }))

  it.effect("RFC W3 a notice that is not posted goes to every sink but the devops endpoint's", () =>
    Effect.gen(function*() {
      const heard: Array<string> = []
      const sinkOf = (name: string) => ({
        sendUnsafe: ({ type }: Alert) => void heard.push(`${name} ${type}`),
        onFailure: () => undefined
      })
      const sinks = [{ ...sinkOf("devops"), isDevopsEndpoint: true }, sinkOf("other")]
      const { alertUnsafe, start, written } = yield* Effect.provideService(opened(), AlertSinks, sinks)
      yield* start
      alertUnsafe(notice({ type: "devops.failure", severity: "warning", message: "m", isPosted: false }))
      alertUnsafe(evictionNotice)
      yield* written
      assert.deepStrictEqual(heard, [
        "other devops.failure",
        "devops high_severity_eviction",
        "other high_severity_eviction"
      ])
    }))

  const broken = (): never => {
    throw new Error("the sink is broken")
  }
  const brokenSinks: ReadonlyArray<readonly [name: string, sink: unknown, isTold: boolean]> = [
    ["throws where a listener is added", { sendUnsafe: () => undefined, onFailure: broken }, false],
    ["throws where an alert is sent", { sendUnsafe: broken, onFailure: () => undefined }, true],
    ["writes to the alert", {
      sendUnsafe: (alert: { type: string }) => {
        alert.type = "s3cr3t"
      },
      onFailure: () => undefined
    }, true],
    ["has neither method", {}, true],
    ["throws where it is asked for anything", new Proxy({}, { get: broken, has: broken }), true],
    ["is none", null, true],
    ["throws where it is asked whose it is", {
      sendUnsafe: () => undefined,
      onFailure: () => undefined,
      get isDevopsEndpoint() {
        return broken()
      }
    }, true],
    ["fails while a listener is added, with no error", {
      sendUnsafe: () => undefined,
      onFailure: (listener: (error: unknown) => void) => listener(undefined)
    }, false]
  ]
  it.effect.each(brokenSinks)(
    "RFC F5 W3 a sink that %s costs the others nothing",
    ([, sink, isTold]) =>
      Effect.gen(function*() {
        const heard: Array<string> = []
        const sound = { sendUnsafe: ({ type }: Alert) => void heard.push(type), onFailure: () => undefined }
        const sinks = [sink, sound] as ReadonlyArray<typeof sound>
        const parts = yield* Effect.provideService(opened(), AlertSinks, sinks)
        const { alertUnsafe, deadLetters, errors, start, written } = parts
        yield* start
        alertUnsafe(notice({ type: "devops.failure", severity: "warning", message: "m", isPosted: false }))
        alertUnsafe(evictionNotice)
        yield* written
        assert.strictEqual(errors().some(({ code }) => code === "sink_failed"), isTold)
        assert.notInclude(JSON.stringify(errors()), "the sink is broken")
        assert.deepStrictEqual(heard.slice(-2), ["devops.failure", "high_severity_eviction"])
        assert.strictEqual(deadLetters(), 0)
      })
  )

  it.effect("RFC W2 an alert that leaves has no more of its notice than type, severity and message", () =>
    Effect.gen(function*() {
      const alerts: Array<Alert> = []
      const sink = { sendUnsafe: (alert: Alert) => void alerts.push(alert), onFailure: () => undefined }
      const { alertUnsafe, start, written } = yield* Effect.provideService(
        opened({ maxAlertsPerWindow: 2, escalationThreshold: 1 }),
        AlertSinks,
        [sink]
      )
      yield* start
      alertUnsafe(panicNotice)
      alertUnsafe(failure)
      alertUnsafe(evictionNotice, () => ({ signature }))
      alertUnsafe(failure)
      yield* written
      const plain = ["message", "severity", "timestamp", "type"]
      assert.deepStrictEqual(alerts.map((alert) => Object.keys(alert).toSorted()), [
        plain,
        plain,
        ["alertCount", ...plain],
        ["message", "severity", "signature", "timestamp", "type"]
      ])
    }))
})
