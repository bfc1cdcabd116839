import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect } from "effect"
import { createTracehound } from "../../src/index.ts"
import * as Arbitraries from "../../src/testing/Arbitraries.ts"
import { sample } from "./arbitraries.ts"

describe("payloads of bytes", () => {
  it.effect("are empty, small, and on both sides of the size from which evidence has a buffer of its own", () =>
    Effect.gen(function*() {
      const lengths = (yield* sample(Arbitraries.bytes)).map(({ length }) => length)
      for (const edge of [0, 64_511, 64_512, 64_513, 65_536]) assert.include(lengths, edge)
      assert.isAbove(lengths.filter((length) => length > 0 && length <= 64).length, 150)
      assert.isAbove(lengths.filter((length) => length > 64 && length <= 8_192).length, 50)
    }))

  it.effect("come as views, as buffers and as views of parts, with the same bytes", () =>
    Effect.gen(function*() {
      const payloads = yield* sample(Arbitraries.bytesPayload, 300)
      const kinds = new Set(payloads.map((payload) => Object.prototype.toString.call(payload).slice(8, -1)))
      assert.sameMembers([...kinds], ["ArrayBuffer", "DataView", "Int8Array", "Uint8Array", "Uint8ClampedArray"])
      assert.isTrue(payloads.some((payload) => "buffer" in payload && payload.byteOffset > 0))
      assert.isTrue(payloads.some((payload) => payload.byteLength === 0))
    }))

  it.effect("of at least so many bytes shrink to exactly so many", () =>
    Effect.gen(function*() {
      const result = yield* Arbitrary.checkEffect(Arbitraries.bytes, ({ length }) => length < 300, {
        runs: 300,
        seed: 1,
        maxShrinks: 2_000
      })
      assert.strictEqual(result._tag, "Falsified")
      if (result._tag === "Falsified") {
        assert.lengthOf(result.shrunkInput, 300)
        assert.strictEqual(new Set(result.shrunkInput).size, 1)
      }
    }))
})

describe("payloads of text and JSON", () => {
  it.effect("text is empty, short, long, and not always well-formed", () =>
    Effect.gen(function*() {
      const texts = yield* sample(Arbitraries.textPayload)
      assert.include(texts, "")
      assert.isTrue(texts.some((text) => text.length > 10_000))
      assert.isTrue(texts.some((text) => !text.isWellFormed()))
    }))

  it.effect("JSON survives JSON.stringify and JSON.parse", () =>
    Effect.gen(function*() {
      for (const value of yield* sample(Arbitraries.jsonPayload, 300)) {
        // Except the sign of zero.
        assert.strictEqual(JSON.stringify(JSON.parse(JSON.stringify(value))), JSON.stringify(value))
      }
    }))

  it.effect("JSON has every kind of value, -0, own __proto__, and exceeds both default bounds", () =>
    Effect.gen(function*() {
      const values = yield* sample(Arbitraries.jsonPayload, 1_500)
      const kinds = new Set(
        values.map((value) => value === null ? "null" : Array.isArray(value) ? "array" : typeof value)
      )
      assert.sameMembers([...kinds], ["null", "boolean", "number", "string", "array", "object"])
      assert.isTrue(values.some((value) => Object.is(value, -0)))
      assert.isTrue(
        values.some((value) => typeof value === "object" && value !== null && Object.hasOwn(value, "__proto__"))
      )
      const depth = (value: unknown): number =>
        typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depth)) : 0
      const depths = values.map(depth)
      assert.isTrue(depths.includes(256))
      assert.isTrue(depths.some((it) => it > 256))
      const widths = values.map((value) => Object.keys(Object(value) as object).length)
      assert.isTrue(widths.includes(4_096))
      assert.isTrue(widths.some((it) => it > 4_096))
    }))
})

describe("hostile payloads", () => {
  it.effect("every kind comes up, and can be made", () =>
    Effect.gen(function*() {
      const seen = new Set<string>()
      const touched: Array<string> = []
      for (const { make, name } of yield* sample(Arbitraries.hostile, 2_000)) {
        seen.add(name.split(" (")[0] ?? "")
        make((wire) => touched.push(wire))
      }
      assert.sameMembers([...seen], [...Arbitraries.hostileKinds])
      assert.deepStrictEqual(touched, [], "making a value touches none of its wires")
    }))

  it.effect("are new each time, so that one run of a property does not spoil the next", () =>
    Effect.gen(function*() {
      for (const { make, name } of yield* sample(Arbitraries.hostile, 300)) {
        const made = make()
        if (typeof made === "object" && made !== null) assert.isFalse(Object.is(made, make()), name)
      }
    }))

  it.effect("a tripwire reports its name, and throws", () =>
    Effect.gen(function*() {
      const touched: Array<string> = []
      const recipes = yield* sample(Arbitraries.hostile, 2_000)
      const made = (kind: string) =>
        recipes.find(({ name }) => name.split(" (")[0] === kind)?.make((wire) => touched.push(wire)) as Record<
          string,
          unknown
        >
      assert.throws(() => made("an accessor that throws")["a"], /getter ran/)
      assert.throws(() => JSON.stringify(made("toJSON and conversions of its own")), /toJSON ran/)
      assert.throws(() => Object.keys(made("a proxy of an object")), /proxy\.ownKeys ran/)
      assert.deepStrictEqual(touched, ["getter", "toJSON", "proxy.ownKeys"])
    }))

  it.effect("shrink to a kind by itself", () =>
    Effect.gen(function*() {
      const result = yield* Arbitrary.checkEffect(Arbitraries.hostile, ({ name }) => !name.startsWith("a detached"), {
        runs: 1_000,
        seed: 3,
        maxShrinks: 2_000
      })
      assert.strictEqual(result._tag === "Falsified" ? result.shrunkInput.name : result._tag, "a detached buffer")
    }))

  it.effect("RFC D4 a Tracehound takes every one of them, and triggers no tripwire", () =>
    Effect.gen(function*() {
      const tracehound = createTracehound({ rateLimit: { maxRequests: 1_000_000 } })
      const touched: Array<string> = []
      const statuses = new Set<string>()
      for (const { make } of yield* sample(Arbitraries.hostile, 1_000)) {
        const payload = make((wire) => touched.push(wire))
        const { status } = tracehound.intercept({
          id: "a",
          payload,
          source: "192.0.2.7",
          timestamp: 1,
          threat: { category: "unknown", severity: "high" }
        })
        statuses.add(status)
      }
      yield* Effect.promise(() => tracehound.dispose())
      assert.deepStrictEqual(touched, [])
      assert.isTrue(statuses.has("quarantined"))
    }))
})

describe("scents", () => {
  it.effect("are clean one in four times: without a threat, or with an undefined one", () =>
    Effect.gen(function*() {
      const scents = yield* sample(Arbitraries.scent, 800)
      const clean = scents.filter(({ threat }) => threat === undefined)
      assert.closeTo(clean.length, 200, 50)
      assert.isTrue(clean.some((scent) => "threat" in scent))
      assert.isTrue(clean.some((scent) => !("threat" in scent)))
    }))

  it.effect("have payloads of all kinds", () =>
    Effect.gen(function*() {
      const payloads = (yield* sample(Arbitraries.threatScent, 2_000)).map(({ payload }) => payload)
      const kinds = new Set(payloads.map((payload) => payload === undefined ? "nothing" : typeof payload))
      assert.includeMembers([...kinds], [
        "nothing",
        "string",
        "number",
        "boolean",
        "object",
        "function",
        "bigint",
        "symbol"
      ])
      assert.isTrue(payloads.some((payload) => ArrayBuffer.isView(payload)))
      assert.isTrue(payloads.some((payload) => payload === ""))
      assert.isTrue(payloads.some((payload) => ArrayBuffer.isView(payload) && payload.byteLength === 0))
    }))

  it.effect("use the arbitraries that they are given", () =>
    Effect.gen(function*() {
      const own = { source: Arbitrary.Constant("here"), payload: Arbitrary.Constant(1) }
      for (const arbitrary of [Arbitraries.threatScentOf(own), Arbitraries.cleanScentOf(own)]) {
        for (const { payload, source } of yield* sample(arbitrary, 20))
          assert.deepStrictEqual([source, payload], ["here", 1])
      }
    }))
})
