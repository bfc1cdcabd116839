/**
 * Root spans: their links, how they end, and that a tracer's own mistakes cost nothing else.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Effect, Exit, Fiber, Option, References, Tracer } from "effect"
import { TestClock } from "effect/testing"
import { fromContext, make, within } from "../../src/telemetry/RootSpans.ts"

const capture = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return { spans, withTracer: Effect.provideService(Tracer.Tracer, tracer) }
}

const origin = Tracer.externalSpan({ spanId: "s", traceId: "t" })
const options = { kind: "internal", origin, attributes: { "tracehound.size": 1 } } as const

/** How a span ended: `ok`, the text of its failure, or `open`. */
const endOf = ({ status }: Tracer.Span): string =>
  status._tag === "Started"
    ? "open"
    : Exit.isSuccess(status.exit)
    ? "ok"
    : Cause.prettyErrors(status.exit.cause).map(({ message }) => message).join()

describe("an open span", () => {
  it.effect("RFC W6 is a root, linked to its origin, and ends once, as was said", () => {
    const { spans, withTracer } = capture()
    return Effect.gen(function*() {
      const { open } = yield* Effect.withSpan(fromContext, "of the layer")
      yield* TestClock.setTime(5)
      const [good, bad, lone] = [
        open("good", () => options),
        open("bad", () => options),
        open("lone", () => ({ ...options, origin: undefined }))
      ]
      yield* TestClock.setTime(7)
      good?.set({ "tracehound.outcome": "written" })
      good?.event("tracehound.try", { n: 1 })
      good?.end()
      good?.end("late")
      bad?.end("timeout")
      lone?.end()
      const made = spans.slice(1)
      assert.deepStrictEqual(made.map((span) => [span.name, endOf(span)]), [["good", "ok"], ["bad", "timeout"], [
        "lone",
        "ok"
      ]])
      assert.deepStrictEqual(made.map(({ links }) => links.map(({ span }) => span.spanId)), [["s"], ["s"], []])
      for (const { kind, parent, startTime, status } of made) {
        assert.deepStrictEqual([kind, parent, startTime], ["internal", Option.none(), 5_000_000n])
        assert.strictEqual(status._tag === "Ended" ? status.endTime : 0n, 7_000_000n)
      }
      assert.deepStrictEqual(Object.fromEntries(made[0]?.attributes ?? []), {
        "tracehound.size": 1,
        "tracehound.outcome": "written"
      })
      assert.deepStrictEqual(made[0]?.events, [["tracehound.try", 7_000_000n, { n: 1 }]])
      assert.strictEqual(made[1]?.attributes.get("error.type"), "timeout")
    }).pipe(withTracer)
  })

  it("is none where nobody would see it", () => {
    const unseen = () => assert.fail("nobody asks what it would say")
    assert.isNull(make(Context.empty()).open("unseen", unseen))
    assert.isNull(make(Context.make(Tracer.Tracer, Tracer.nativeTracer)).open("unseen", unseen))
  })

  it("has no times where the host wants none", () => {
    const { spans, withTracer } = capture()
    Effect.runSync(
      Effect.map(fromContext, ({ open }) => open("a", () => options)?.end()).pipe(
        withTracer,
        Effect.provideService(References.TracerTimingEnabled, false)
      )
    )
    assert.deepInclude(spans[0]?.status, { startTime: 0n, endTime: 0n })
  })

  const broken = (): never => {
    throw new Error("on purpose")
  }

  it("costs nothing but itself where the tracer breaks", () => {
    const { open } = make(Context.make(Tracer.Tracer, Tracer.make({ span: broken })))
    assert.isNull(open("a", () => options))
    const half = Tracer.make({
      span: (made) => Object.assign(new Tracer.NativeSpan(made), { end: broken, event: broken })
    })
    const span = make(Context.make(Tracer.Tracer, half)).open("b", () => options)
    assert.isNotNull(span)
    span.event("e", {})
    span.end("error")
    Object.assign(span.span, { attribute: broken })
    span.set({ a: 1 })
    span.end()
  })
})

describe("an effect in a root span", () => {
  it.effect("ends it as itself, with the texts of a failure escaped, and fails as it was", () => {
    const { spans, withTracer } = capture()
    return Effect.gen(function*() {
      const seen = yield* Effect.currentSpan.pipe(Effect.orDie, (effect) => within(effect, "ok", options))
      const failed = yield* Effect.exit(within(Effect.fail("a\nb"), "fails", options))
      const died = yield* Effect.exit(within(Effect.die(new TypeError("c\nd")), "dies", options))
      const fiber = yield* Effect.forkChild(within(Effect.never, "interrupted", options), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(seen, spans[0])
      assert.strictEqual(Exit.isFailure(failed) ? Cause.squash(failed.cause) : "", "a\nb")
      assert.include(Exit.isFailure(died) ? String(Cause.squash(died.cause)) : "", "c\nd")
      assert.deepStrictEqual(spans.map((span) => [span.name, endOf(span)]), [
        ["ok", "ok"],
        ["fails", "a\\u{a}b"],
        ["dies", "c\\u{a}d"],
        ["interrupted", "All fibers interrupted without error"]
      ])
      assert.deepStrictEqual(spans.map(({ links }) => links.length), [1, 1, 1, 1])
    }).pipe(withTracer)
  })
})
