/**
 * Passes anything at all in place of a scent: `intercept` never throws, and answers `error` with
 * state `agent` where it is no scent (CONFORMANCE D1, D6).
 */
import { assert, describe, it } from "@effect/vitest"
import { createTracehound, type InterceptResult } from "tracehound"
import { random, Seed } from "../support/random.ts"
import { interceptScent, smallTracehound } from "./runtime.ts"
import { hostileValue } from "./values.ts"
import { makeWires } from "./wires.ts"

const good = {
  id: "1",
  source: "192.0.2.1",
  timestamp: 1,
  payload: "p",
  threat: { category: "spam", severity: "low" }
} as const

const isAgentError = (result: InterceptResult): void => {
  if (result.status !== "error") return assert.fail(result.status)
  assert.strictEqual(result.error.state, "agent")
  assert.isTrue(result.error.recoverable)
  assert.isAbove(result.error.message.length, 10)
}

const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}

/** Values that a getter may throw: some are no Error, and some throw when they are read. */
const thrown: ReadonlyArray<unknown> = [
  new Error("x"),
  undefined,
  null,
  "text",
  Symbol("s"),
  revoked(),
  makeWires().proxy({}, "thrown"),
  new (class extends Error {
    override get message(): string {
      throw new Error("no message")
    }
    override get stack(): string {
      throw new Error("no stack")
    }
  })()
]

describe("hostile scents", () => {
  it("RFC D1 a scent that is no object, or cannot be read, is an error of the agent", () => {
    const tracehound = smallTracehound()
    const wires = makeWires()
    const nothings: ReadonlyArray<unknown> = [
      undefined,
      null,
      true,
      0,
      Number.NaN,
      1n,
      "scent",
      Symbol("s"),
      () => good,
      Object.assign(() => 1, good),
      [],
      [good],
      {},
      Object.create(null),
      new Map(Object.entries(good)),
      new Proxy({}, {}),
      revoked(),
      wires.proxy({ ...good }, "scent"),
      new Proxy({ ...good }, { get: () => undefined }),
      new Proxy({ ...good }, { get: () => revoked() }),
      new Proxy(() => 1, {}),
      new Error("x"),
      new Date(),
      globalThis
    ]
    for (const nothing of nothings) isAgentError(interceptScent(tracehound, nothing))
  })

  const invalid: Readonly<Record<string, ReadonlyArray<unknown>>> = {
    id: [undefined, null, 1, 1n, {}, [], ["1"], Object("1"), Symbol("1"), "x".repeat(257), "é".repeat(129), revoked(), {
      toString: () => "1"
    }],
    source: [undefined, null, 1, {}, [], Object("s"), "x".repeat(257), "\u{1f600}".repeat(65), "\ud800".repeat(86)],
    timestamp: [undefined, null, "1", 1n, Number.NaN, Infinity, -Infinity, Object(1), new Date(1), {
      valueOf: () => 1
    }],
    threat: [null, 1, "spam", () => 1, [], {}, revoked(), new Map([["category", "spam"], ["severity", "low"]])],
    "threat.category": [
      undefined,
      null,
      "",
      "Spam",
      "spam ",
      ["spam"],
      Object("spam"),
      "__proto__",
      "constructor",
      "toString",
      0
    ],
    "threat.severity": [
      undefined,
      null,
      "",
      "LOW",
      ["low"],
      Object("low"),
      "__proto__",
      "hasOwnProperty",
      "length",
      3,
      Symbol("low")
    ]
  }

  /** The good scent with one of its fields replaced by a property of any kind. */
  const withPlace = (place: string, property: PropertyDescriptor): object => {
    const scent = { ...good, threat: { ...good.threat } }
    const [first = "", second] = place.split(".")
    const target = second === undefined ? scent : scent.threat
    return Object.defineProperty(target, second ?? first, { enumerable: true, configurable: true, ...property }) ===
        scent
      ? scent
      : scent
  }

  for (const [place, values] of Object.entries(invalid)) {
    it(`RFC D1 scent.${place} that is not what it should be, or throws whatever it likes, is an error of the agent's`, () => {
      const tracehound = smallTracehound()
      for (const value of values) isAgentError(interceptScent(tracehound, withPlace(place, { value })))
      for (const value of values) isAgentError(interceptScent(tracehound, withPlace(place, { get: () => value })))
      for (const error of thrown) {
        const get = () => {
          throw error
        }
        isAgentError(interceptScent(tracehound, withPlace(place, { get })))
      }
      const endless = (): unknown => endless()
      isAgentError(interceptScent(tracehound, withPlace(place, { get: endless })))
      assert.strictEqual(tracehound.quarantine.count, 0)
      assert.strictEqual(interceptScent(tracehound, good).status, "quarantined")
    })
  }

  it("RFC D1 every property is read once, so that it cannot change its answer", () => {
    const tracehound = smallTracehound()
    const answers: Record<string, ReadonlyArray<unknown>> = {
      id: ["1", "x".repeat(1000)],
      source: ["192.0.2.1", Symbol("s")],
      timestamp: [1, Number.NaN],
      payload: ["p", "q"],
      threat: [good.threat, null],
      "threat.category": ["spam", "__proto__"],
      "threat.severity": ["low", "constructor"]
    }
    for (const [place, [first, ...later]] of Object.entries(answers)) {
      let reads = 0
      const get = () => reads++ === 0 ? first : later[0]
      const result = interceptScent(tracehound, withPlace(place, { get }))
      assert.strictEqual(reads, 1, place)
      if (result.status !== "quarantined") return assert.fail(`${place}: ${result.status}`)
      assert.match(result.handle.signature, /^spam:148de9c5a7a44d19/)
      assert.strictEqual(result.handle.severity, "low")
      result.handle.neutralize()
    }
  })

  it("RFC D2 G4 the payload of a clean or a rate-limited scent is not read", () => {
    const tracehound = createTracehound({ rateLimit: { maxRequests: 1 } })
    const wires = makeWires()
    const scent = withPlace("payload", { get: wires.call("payload") })
    const clean = Object.defineProperty({ ...good, source: "other", threat: undefined }, "payload", {
      get: wires.call("payload")
    })
    assert.strictEqual(interceptScent(tracehound, clean).status, "clean")
    assert.strictEqual(interceptScent(tracehound, good).status, "quarantined")
    assert.strictEqual(interceptScent(tracehound, scent).status, "rate_limited")
    assert.deepStrictEqual(wires.touched, [])
  })

  it("RFC D1 inherited fields, proxies without traps, null prototypes and frozen scents are scents", () => {
    const tracehound = smallTracehound()
    const scents: ReadonlyArray<object> = [
      Object.create(good),
      new Proxy({ ...good }, {}),
      Object.assign(Object.create(null), good),
      Object.freeze({ ...good }),
      Object.assign(() => 1, {}) && { ...good, extra: Symbol("s") },
      new (class {
        get id() {
          return "1"
        }
        readonly source = "s"
        readonly timestamp = -0
        readonly payload = "p"
        get threat() {
          return new Proxy(good.threat, {})
        }
      })()
    ]
    for (const scent of scents) {
      const result = interceptScent(tracehound, scent)
      if (result.status !== "quarantined") return assert.fail(result.status)
      result.handle.neutralize()
    }
  })

  it("RFC D6 a scent that intercepts others while it is read does no harm", () => {
    const tracehound = smallTracehound()
    let inner = 0
    const nested = (depth: number): object => ({
      ...good,
      get threat() {
        inner += 1
        if (depth > 0) interceptScent(tracehound, nested(depth - 1))
        else tracehound.flush()
        return good.threat
      },
      get payload() {
        if (depth > 0) interceptScent(tracehound, { ...good, payload: `inner ${depth}` })
        return `outer ${depth}`
      }
    })
    assert.strictEqual(interceptScent(tracehound, nested(10)).status, "quarantined")
    assert.strictEqual(inner, 11)
    assert.isTrue(tracehound.auditChain.verify())
    assert.strictEqual(tracehound.flush().length, 4)
    assert.deepStrictEqual(tracehound.watcher.snapshot().quarantine, {
      count: 0,
      bytes: 0,
      bySeverity: { low: 0, medium: 0, high: 0, critical: 0 }
    })
  })

  it.prop(
    "RFC D1 D6 anything in any place: never throws, and says `error` exactly where the shape is wrong",
    { seed: Seed },
    ({ seed }) => {
      const tracehound = shared
      const r = random(seed)
      const wires = makeWires()
      const anything = (): unknown => hostileValue(r, wires, 2)
      const scent: Record<string, unknown> = { ...good, threat: { ...good.threat } }
      let isGood = true
      for (const place of ["id", "source", "timestamp", "threat", "payload"] as const) {
        if (!r.chance(0.2)) continue
        const value = anything()
        scent[place] = value
        if (place === "id" || place === "source")
          isGood &&= typeof value === "string" && Buffer.byteLength(value) <= 256
        if (place === "timestamp") isGood &&= typeof value === "number" && Number.isFinite(value)
        if (place === "threat") isGood &&= value === undefined
      }
      const given = r.chance(0.1) ? anything() : scent
      const result = interceptScent(tracehound, given)
      if (given !== scent) isAgentError(result)
      else assert.strictEqual(result.status === "error", !isGood)
    },
    { arbitrary: { runs: 1500 } }
  )
  const shared = smallTracehound()
})
