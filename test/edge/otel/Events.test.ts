/**
 * Everything that can happen, as an observer sees it: through a real SDK, and through Effect's OTLP
 * exporter by a real collector.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Otlp from "effect/observability/Otlp"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as References from "effect/References"
import * as Request from "effect/Request"
import type * as Scope from "effect/Scope"
import { setTimeout } from "node:timers/promises"
import { type ActorRef, ActorSystem, define, fifo } from "tracehound/actor"
import { OpenTelemetry } from "tracehound/otel"
import { TracehoundTest } from "tracehound/testing"
import { receiver, status } from "../../safety/devops/receivers.ts"
import { makeCollector } from "./collector.ts"
import { type Event, events } from "./events.ts"
import { makeSdk } from "./sdk.ts"
import { type Attributes, type Observer, type Series, without } from "./seen.ts"

/** A way to observe: what is provided, and what there is to see after `flush`. */
interface Way extends Observer {
  readonly telemetry: Layer.Layer<never>
  readonly flush: Effect.Effect<void>
}

/** Effect's exporter says the message of what was thrown, escaped; the bridge the class alone. */
const saysMessage: Readonly<Record<string, boolean>> = { "an SDK": false, "Effect's OTLP exporter": true }

const ways: Readonly<Record<string, Effect.Effect<Way, never, Scope.Scope>>> = {
  "an SDK": Effect.sync(() => {
    const sdk = makeSdk()
    return { ...sdk, telemetry: OpenTelemetry.layer(sdk), flush: Effect.void }
  }),
  "Effect's OTLP exporter": Effect.gen(function*() {
    const collector = yield* makeCollector
    let flush: Effect.Effect<void> = Effect.void
    const exporter = Otlp.layerJson({ baseUrl: collector.baseUrl, resource: { serviceName: "test" } }).pipe(
      Layer.provide(FetchHttpClient.layer),
      // The registry that all tests of a process share has metrics of others.
      Layer.provideMerge(Layer.sync(Metric.MetricRegistry, () => new Map()))
    )
    const telemetry = Layer.effectDiscard(Effect.map(OtlpExporter.Flusher, (flusher) => {
      flush = flusher.flush
    })).pipe(Layer.provideMerge(exporter))
    return { ...collector, telemetry, flush: Effect.suspend(() => flush) }
  })
}

const numberOf = (value: unknown): number => typeof value === "number" ? value : (value as { count: number }).count

/** By how much each of these series changed. */
const changes = (before: ReadonlyArray<Series>, after: ReadonlyArray<Series>): Readonly<Record<string, number>> => {
  const keyed = (all: ReadonlyArray<Series>) =>
    new Map(all.map(({ attributes, name, value }) => {
      const labels = Object.entries(without(attributes, "tracehound.instance"))
      return [`${name}{${labels.map((pair) => pair.join("=")).toSorted().join(",")}}`, numberOf(value)] as const
    }))
  const was = keyed(before)
  return Object.fromEntries(
    Array.from(keyed(after), ([key, value]) => [key, value - (was.get(key) ?? 0)] as const)
      .filter(([, change]) => change !== 0)
  )
}

/** The series of a Tracehound, without those of its actors. */
const ofTracehound = (all: ReadonlyArray<Series>): ReadonlyArray<Series> =>
  all.filter(({ attributes, name }) => {
    if (name.includes("actor")) return false
    assert.strictEqual(attributes["tracehound.instance"], "tracehound", name)
    return true
  })

/** Ids of hounds, and what names a line of the sources. */
const masked = (attributes: Attributes): Attributes =>
  Object.fromEntries(
    Object.entries(attributes).map((
      [key, value]
    ) => [key, ["tracehound.hound", "frames", "cause"].includes(key) ? "…" : value])
  )

/** Lets the world outside of Tracehound go on until it holds; gives up in the end. */
const eventually = (holds: Effect.Effect<boolean>, turns = 200): Effect.Effect<void> =>
  Effect.flatMap(holds, (is) =>
    is || turns === 0
      ? Effect.void
      : Effect.andThen(Effect.promise(() => setTimeout(5)), eventually(holds, turns - 1)))

/**
 * What is seen while `run` happens within the span of a caller, in the words of the table, once so
 * many spans have ended.
 */
const observe = Effect.fnUntraced(function*<E, R>(way: Way, run: Effect.Effect<unknown, E, R>, spansExpected: number) {
  const collect = Effect.andThen(way.flush, Effect.promise(way.collect))
  const before = yield* collect
  const skipped = { spans: way.spans().length, records: way.records().length }
  yield* Effect.withSpan(run, "caller", { root: true })
  const expected = skipped.spans + spansExpected + 1
  yield* eventually(Effect.map(way.flush, () => way.spans().length >= expected))
  const after = yield* collect
  const spans = way.spans().slice(skipped.spans)
  const caller = spans.find(({ name }) => name === "caller")
  return {
    before,
    after,
    caller: caller?.attributes,
    spans: spans.filter((span) => span !== caller).map(({ attributes, kind, links, name, parent, status }) => {
      assert.isUndefined(parent)
      const isLinked = links.length === 1 && links[0] === caller?.id
      return { name, kind, status, isLinked, attributes: masked(attributes) }
    }),
    records: way.records().slice(skipped.records).map(({ attributes, body, severityText, span }) => ({
      level: severityText,
      body,
      span: span === undefined ? null : spans.find(({ id }) => id === span)?.name ?? "unknown",
      attributes: masked(attributes)
    }))
  }
})

/** What is seen of one event. */
const seen = Effect.fnUntraced(function*(event: Event, way: Way) {
  const devops = yield* receiver(status(204))
  return yield* Effect.gen(function*() {
    yield* event.before ?? Effect.void
    yield* TracehoundTest.settled
    return yield* observe(way, Effect.andThen(event.run, TracehoundTest.settled), event.spans.length)
  }).pipe(
    Effect.provide(TracehoundTest.layer(event.config?.(devops.origin)).pipe(Layer.provideMerge(way.telemetry))),
    Effect.provideService(References.MinimumLogLevel, "Debug")
  )
})

class Work extends Request.TaggedClass("Work")<{}, void> {}

const worker = define<Work>()("worker", {
  mailbox: fifo({ capacity: 8 }),
  behaviour: () => Effect.succeed({ Work: () => Effect.andThen(Effect.yieldNow, Effect.die(new RangeError("words"))) })
})

/** How its message came, and the span that its crash is logged in. */
const messages = {
  asked: { send: (actor: ActorRef<Work>) => Effect.ignore(actor.ask(new Work())), span: "worker.Work" },
  told: {
    send: (actor: ActorRef<Work>) => Effect.andThen(Effect.sync(() => actor.tellUnsafe(new Work())), actor.down),
    span: "caller"
  }
}

/** An actor of the host's, that crashes over its only message. */
const crash = (way: Way, how: keyof typeof messages) =>
  Effect.gen(function*() {
    const { root } = yield* ActorSystem
    const actor = yield* root.spawn(worker, { restart: "temporary" })
    return yield* observe(way, messages[how].send(actor), how === "asked" ? 1 : 0)
  }).pipe(Effect.scoped, Effect.provide(ActorSystem.layer().pipe(Layer.provideMerge(way.telemetry))))

for (const [way, make] of Object.entries(ways)) {
  describe(`through ${way}, there is to see of`, () => {
    for (const event of events) {
      it.effect(event.name, () =>
        Effect.gen(function*() {
          const { caller, metrics, records, spans } = event
          const actual = yield* seen(event, yield* make)
          assert.deepStrictEqual<unknown>(actual.caller, caller)
          assert.sameDeepMembers<unknown>(actual.spans, [...spans])
          assert.sameDeepMembers<unknown>(actual.records, [...records])
          assert.deepStrictEqual(changes(ofTracehound(actual.before), ofTracehound(actual.after)), metrics)
        }))
    }

    for (const how of ["asked", "told"] as const) {
      it.effect(`RFC W7 an actor that crashes over what it was ${how}`, () =>
        Effect.gen(function*() {
          const { after, before, caller, records, spans } = yield* crash(yield* make, how)
          assert.deepStrictEqual(caller, {})
          assert.deepStrictEqual(
            spans,
            how === "told" ? [] : [{
              name: "worker.Work",
              kind: "CONSUMER",
              status: "ERROR",
              isLinked: true,
              attributes: { actor: "root/worker" }
            }]
          )
          const stack = String(records[0]?.attributes["exception.stacktrace"])
          assert.match(stack, /^(?:RangeError: words\n)? {4}at .*Events\.test\.ts/)
          assert.deepStrictEqual<unknown>(records, [{
            level: "Error",
            body: "root/worker crashed",
            span: messages[how].span,
            attributes: {
              actor: "root/worker",
              incarnation: 1,
              reason: "RangeError",
              "exception.type": "RangeError",
              "exception.stacktrace": stack,
              ...(saysMessage[way] === true ? { "exception.message": "words" } : {})
            }
          }])
          assert.deepStrictEqual(changes(before, after), {
            "tracehound.actor.crashes{actor=worker,system=root}": 1,
            "tracehound.actor.dead_letters{actor=worker,reason=crashed,system=root}": 1
          })
        }))
    }
  })
}
