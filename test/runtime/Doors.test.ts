/**
 * The ways into the core, as they meet a caller's span: an Effect's, the host's own, or none.
 */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Option, Tracer } from "effect"
import { createHash } from "node:crypto"
import { type Scent, Tracehound } from "tracehound"
import { TracehoundTest } from "tracehound/testing"
import { makeIntercept } from "../../src/runtime/Doors.ts"
import { Caller, make } from "../../src/telemetry/Caller.ts"

const scent = (payload: string, isThreat = true): Scent => ({
  id: "1",
  source: "192.0.2.7",
  timestamp: 0,
  payload,
  ...(isThreat ? { threat: { category: "injection", severity: "high" } as const } : {})
})

const spanOf = (name: string, isSampled = true): Tracer.Span =>
  Tracer.nativeTracer.span({
    name,
    parent: Option.none(),
    annotations: Context.empty(),
    links: [],
    startTime: 0n,
    kind: "server",
    root: true,
    sampled: isSampled
  })

/** What a span says of Tracehound. */
const said = ({ attributes }: Tracer.Span) => Object.fromEntries(attributes)

/** Each intercept in a span of its own: the spans, oldest first. */
const eachInSpan = Effect.fnUntraced(function*(scents: ReadonlyArray<Scent>) {
  const tracehound = yield* Tracehound
  return yield* Effect.forEach(
    scents,
    (scent) =>
      Effect.andThen(tracehound.intercept(scent), Effect.currentSpan).pipe(Effect.withSpan("request"), Effect.orDie)
  )
})

describe("a caller's span", () => {
  it.effect("RFC W6 gets the status of the answer, and the signature where there is one", () =>
    Effect.gen(function*() {
      const spans = yield* eachInSpan([
        scent("clean", false),
        scent("a"),
        scent("a"),
        scent("a".repeat(33)),
        scent("b")
      ])
      const held = `injection:${createHash("sha256").update("a").digest("hex")}`
      assert.deepStrictEqual(spans.map(said), [
        { "tracehound.status": "clean" },
        { "tracehound.status": "quarantined", "tracehound.signature": held },
        { "tracehound.status": "ignored", "tracehound.signature": held },
        { "tracehound.status": "payload_too_large" },
        { "tracehound.status": "rate_limited" }
      ])
    }).pipe(Effect.provide(TracehoundTest.layer({ maxPayloadSize: 32, rateLimit: { maxRequests: 4 } }))))

  it.effect("is the one that is told, and none where there is none", () =>
    Effect.gen(function*() {
      const { intercept } = yield* Tracehound
      const [outer, unsampled] = [spanOf("outer"), spanOf("unsampled", false)]
      const external = Tracer.externalSpan({ spanId: "s", traceId: "t" })
      yield* intercept(scent("a"))
      yield* Effect.withParentSpan(intercept(scent("b")), unsampled)
      yield* Effect.withParentSpan(intercept(scent("c")), external)
      assert.deepStrictEqual([said(outer), said(unsampled)], [{}, {}])
      yield* Effect.withParentSpan(intercept(scent("d")), outer)
      assert.strictEqual(said(outer)["tracehound.status"], "quarantined")
    }).pipe(Effect.provide(TracehoundTest.layer())))

  it("that nobody can be asked for costs the plain object nothing: its intercept is the Agent's own", () => {
    const intercept = () => assert.fail("nobody calls")
    assert.strictEqual(makeIntercept(make(), intercept), intercept)
  })

  it.effect("that throws costs the caller nothing", () =>
    Effect.gen(function*() {
      const { intercept } = yield* Tracehound
      const broken = new Proxy(spanOf("broken"), {
        get: (span, key) => key === "attribute" ? assert.fail("on purpose") : Reflect.get(span, key)
      })
      const result = yield* Effect.withParentSpan(intercept(scent("a")), broken)
      assert.strictEqual(result.status, "quarantined")
    }).pipe(Effect.provide(TracehoundTest.layer())))

  it.effect("is asked of the host where the plain object is called, and where a fiber has none", () => {
    const host = spanOf("host")
    let asked = 0
    const caller = make(() => {
      asked += 1
      return host
    })
    return Effect.gen(function*() {
      const { intercept, neutralize, sync } = yield* Tracehound
      const result = sync.intercept(scent("a"))
      const { signature } = result.status === "quarantined" ? result.handle : assert.fail(result.status)
      assert.deepStrictEqual(said(host), { "tracehound.status": "quarantined", "tracehound.signature": signature })
      yield* intercept(scent("b", false))
      assert.strictEqual(said(host)["tracehound.status"], "clean")
      assert.strictEqual(asked, 2)
      const own = spanOf("own")
      yield* Effect.withParentSpan(Effect.andThen(intercept(scent("a")), neutralize(signature)), own)
      assert.strictEqual(said(own)["tracehound.status"], "ignored")
      assert.strictEqual(asked, 2, "nobody asks where the fiber has said")
    }).pipe(Effect.provide(TracehoundTest.layer()), Effect.provideService(Caller, caller))
  })
})
