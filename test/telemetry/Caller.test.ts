/**
 * The span of the code that calls: who has said it, who is asked, and for how long it holds.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Tracer } from "effect"
import { Caller, make } from "../../src/telemetry/Caller.ts"

const span = (spanId: string): Tracer.ExternalSpan => Tracer.externalSpan({ spanId, traceId: "t" })

const broken = (): never => {
  throw new Error("on purpose")
}

describe("the caller's span", () => {
  it("is that of the innermost thunk, and of none outside", () => {
    const { current, within } = make()
    const [outer, inner] = [span("outer"), span("inner")]
    const seen = within(outer, () => [current(), within(inner, current), within(undefined, current), current()])
    assert.deepStrictEqual(seen, [outer, inner, undefined, outer])
    assert.isUndefined(current())
  })

  it("is what it was before after a thunk that throws", () => {
    const { current, within } = make()
    const outer = span("outer")
    within(outer, () => {
      assert.throws(() => within(span("inner"), broken), "on purpose")
      assert.strictEqual(current(), outer)
    })
    assert.throws(() => within(outer, broken), "on purpose")
    assert.isUndefined(current())
  })

  it("is asked of the host only where nobody has said", () => {
    const own = span("the host's")
    let asked = 0
    const { current, isAsking, within } = make(() => {
      asked += 1
      return own
    })
    assert.isTrue(isAsking)
    assert.isUndefined(within(undefined, current), "work in the background came from no span")
    assert.strictEqual(within(span("known"), current)?.spanId, "known")
    assert.strictEqual(asked, 0)
    assert.strictEqual(current(), own)
    assert.strictEqual(asked, 1)
  })

  it.effect("is that of the running fiber where nobody has said, before the host is asked", () =>
    Effect.gen(function*() {
      const { current, within } = make(() => span("the host's"))
      const own = yield* Effect.withSpan(Effect.all([Effect.currentSpan, Effect.sync(current)]), "own")
      assert.strictEqual(own[0], own[1])
      assert.strictEqual(yield* Effect.withSpan(Effect.sync(() => within(undefined, current)), "other"), undefined)
      assert.strictEqual(current()?.spanId, "the host's")
    }))

  it("is none where the host fails to say", () => {
    assert.isUndefined(make(broken).current())
    assert.isFalse(make().isAsking)
  })

  it("is one reference for all, with nobody to ask", () => {
    const caller = Context.get(Context.empty(), Caller)
    assert.isFalse(caller.isAsking)
    assert.isUndefined(caller.current())
    assert.strictEqual(Context.get(Context.empty(), Caller), caller)
  })
})
