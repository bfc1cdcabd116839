import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as Clock from "effect/Clock"
import { createHash, createHmac } from "node:crypto"
import { Settings } from "../../../src/config/Settings.ts"
import { Quarantine } from "../../../src/custody/quarantine/Quarantine.ts"
import { Scent, threatCategories } from "../../../src/domain/Scent.ts"
import { severities } from "../../../src/domain/Severity.ts"
import { Hash } from "../../../src/host/port/Hash.ts"
import { Introspection } from "../../../src/host/port/Introspection.ts"
import { Memory } from "../../../src/host/port/Memory.ts"
import { Randomness } from "../../../src/host/port/Randomness.ts"
import { make } from "../../../src/intake/agent/Agent.ts"
import { Escalation } from "../../../src/intake/agent/Escalation.ts"
import { RateLimiter } from "../../../src/intake/gate/RateLimiter.ts"
import { Throughput } from "../../../src/intake/gate/Throughput.ts"
import { Alerts } from "../../../src/safety/alert/Alerts.ts"
import { makeTold, rooms, withRooms } from "../../support/rooms.ts"

const signal = { category: "injection", severity: "high" } as const
const scent = { id: "1", source: "192.0.2.1", timestamp: 1, payload: "x" }

/** A payload that counts every way of touching it. */
const untouchable = () => {
  let touched = 0
  const trap = () => {
    touched += 1
    return undefined
  }
  const payload = new Proxy({}, {
    get: trap,
    has: () => trap() === undefined,
    ownKeys: () => (trap(), []),
    getPrototypeOf: () => (trap(), null)
  })
  return { payload, touched: () => touched }
}

describe("Agent", () => {
  it("RFC D1 answers a malformed scent with an error of its own, never with an exception", () => {
    withRooms({}, ({ agent, told }) => {
      const throwing = {
        get id(): string {
          throw new Error("hostile")
        },
        source: "s",
        timestamp: 1,
        payload: 1
      }
      const cases: ReadonlyArray<readonly [unknown, string]> = [
        [undefined, "invalid_scent"],
        [null, "invalid_scent"],
        ["text", "invalid_scent"],
        [7, "invalid_scent"],
        [[], "invalid_id"],
        [{ ...scent, id: 7 }, "invalid_id"],
        [{ ...scent, id: "i".repeat(257) }, "invalid_id"],
        [{ ...scent, id: "é".repeat(129) }, "invalid_id"],
        [{ ...scent, source: undefined }, "invalid_source"],
        [{ ...scent, source: "\u{1f600}".repeat(65) }, "invalid_source"],
        [{ ...scent, timestamp: Number.NaN }, "invalid_timestamp"],
        [{ ...scent, timestamp: Number.POSITIVE_INFINITY }, "invalid_timestamp"],
        [{ ...scent, timestamp: "1" }, "invalid_timestamp"],
        [{ ...scent, timestamp: 1n }, "invalid_timestamp"],
        [{ ...scent, threat: null }, "invalid_threat"],
        [{ ...scent, threat: "injection" }, "invalid_threat"],
        [{ ...scent, threat: {} }, "invalid_threat"],
        [{ ...scent, threat: { ...signal, severity: "fatal" } }, "invalid_threat"],
        [{ ...scent, threat: { ...signal, category: "__proto__" } }, "invalid_threat"],
        [{ ...scent, threat: { ...signal, category: ["injection"] } }, "invalid_threat"],
        [throwing, "unexpected"]
      ]
      for (const [value, code] of cases) {
        const result = agent.interceptUnsafe(value as typeof scent)
        assert.strictEqual(result.status, "error", code)
        if (result.status !== "error") continue
        assert.strictEqual(result.error.code, code)
        assert.strictEqual(result.error.state, "agent")
        assert.strictEqual(result.error.recoverable, true)
      }
      assert.strictEqual(told.errors.length, cases.length)
    })
  })

  it("RFC D1 takes identifiers of exactly 256 bytes", () => {
    withRooms({}, ({ agent }) => {
      assert.strictEqual(
        agent.interceptUnsafe({ ...scent, id: "é".repeat(128), source: "s".repeat(256) }).status,
        "clean"
      )
    })
  })

  const Hostile = Schema.Struct({
    id: Schema.Union([Schema.String, Schema.Number, Schema.Null]),
    source: Schema.Union([Schema.String, Schema.Undefined]),
    timestamp: Schema.Union([Schema.Number, Schema.String]),
    payload: Schema.Union([Schema.String, Schema.Number]),
    threat: Schema.Union([
      Schema.Undefined,
      Schema.Null,
      Schema.Struct({
        category: Schema.Union([Schema.Literals(threatCategories), Schema.String]),
        severity: Schema.Union([Schema.Literals(severities), Schema.String])
      })
    ])
  })

  it.prop("RFC D1 refuses by hand exactly what the schema of the domain refuses", [Hostile], ([value]) => {
    withRooms({}, ({ agent }) => {
      const result = agent.interceptUnsafe(value as typeof scent)
      assert.strictEqual(result.status === "error", !Schema.is(Scent)(value))
    })
  }, { arbitrary: { runs: 300 } })

  it("RFC D2 keeps nothing of a scent without a signal, and does not touch its payload", () => {
    withRooms({}, ({ agent, chain, quarantine }) => {
      const { payload, touched } = untouchable()
      assert.deepStrictEqual(agent.interceptUnsafe({ ...scent, payload }), { status: "clean" })
      assert.deepStrictEqual(agent.interceptUnsafe({ ...scent, payload, threat: undefined }), { status: "clean" })
      assert.strictEqual(touched(), 0)
      assert.strictEqual(quarantine.stats().count, 0)
      assert.strictEqual(chain.length, 0)
    })
  })

  it("RFC D3 signs with the category and the SHA-256 of the canonical bytes", () => {
    withRooms({}, ({ agent }) => {
      const sha = (text: string) => createHash("sha256").update(text).digest("hex")
      for (
        const [payload, canonical] of [["plain text", "plain text"], [
          { b: 1, a: [true, null] },
          "{\"a\":[true,null],\"b\":1}"
        ]]
      ) {
        const result = agent.interceptUnsafe({ ...scent, payload, threat: signal })
        assert.strictEqual(result.status, "quarantined")
        if (result.status === "quarantined")
          assert.strictEqual(result.handle.signature, `injection:${sha(String(canonical))}`)
      }
    })
  })

  it("RFC D8 with a key signs with its HMAC, and the record still has the SHA-256 of the bytes", () => {
    const key = "a key that is long enough for it, yes"
    const payloads = ["text", "", { b: [1, 2], a: "é" }, new Uint8Array(100_000).fill(3), "x".repeat(70_000)]
    withRooms({ signature: { key } }, ({ agent, chain, quarantine }) => {
      for (const payload of payloads) {
        const canonical = typeof payload === "object" && !(payload instanceof Uint8Array)
          ? "{\"a\":\"é\",\"b\":[1,2]}"
          : payload
        const result = agent.interceptUnsafe({ ...scent, payload, threat: signal })
        if (result.status !== "quarantined") return assert.fail(result.status)
        const mac = createHmac("sha256", key).update(canonical).digest("hex")
        assert.strictEqual(result.handle.signature, `injection:${mac}`)
        assert.strictEqual(result.handle.hash, createHash("sha256").update(canonical).digest("hex"))
        assert.strictEqual(quarantine.get(`injection:${mac}`)?.hash, result.handle.hash)
        assert.strictEqual(quarantine.get(`injection:${result.handle.hash}`), null)
        assert.strictEqual(agent.interceptUnsafe({ ...scent, payload, threat: signal }).status, "ignored")
      }
      const flushed = quarantine.flush()
      assert.isTrue(flushed.every(({ hash, signature }) => signature !== `injection:${hash}`))
      assert.isTrue(chain.inspect().valid)
    })
  })

  it("RFC D8 another key gives another signature, and none the RFC's own", () => {
    const signatures = [{}, { key: "k".repeat(32) }, { key: "l".repeat(32) }].map((signature) =>
      withRooms({ signature }, ({ agent }) => {
        const result = agent.interceptUnsafe({ ...scent, threat: signal })
        return result.status === "quarantined" ? result.handle.signature : ""
      })
    )
    assert.strictEqual(new Set(signatures).size, 3)
    assert.strictEqual(signatures[0], `injection:${createHash("sha256").update("x").digest("hex")}`)
  })

  it("RFC D3 tells categories apart, and the order of keys not", () => {
    withRooms({}, ({ agent }) => {
      const send = (payload: unknown, category: "injection" | "spam") =>
        agent.interceptUnsafe({ ...scent, payload, threat: { category, severity: "low" } }).status
      assert.strictEqual(send({ a: 1, b: 2 }, "injection"), "quarantined")
      assert.strictEqual(send({ b: 2, a: 1 }, "injection"), "ignored")
      assert.strictEqual(send({ b: 2, a: 1 }, "spam"), "quarantined")
    })
  })

  it("RFC D5 refuses one byte over maxPayloadSize with the limit, and takes exactly it", () => {
    withRooms({ maxPayloadSize: 10 }, ({ agent }) => {
      const send = (payload: unknown) => agent.interceptUnsafe({ ...scent, payload, threat: signal })
      assert.deepStrictEqual(send("12345678901"), { status: "payload_too_large", limit: 10 })
      assert.deepStrictEqual(send({ a: "123" }), { status: "payload_too_large", limit: 10 })
      assert.strictEqual(send("1234567890").status, "quarantined")
      assert.strictEqual(send({ a: "12" }).status, "quarantined")
    })
  })

  it("RFC D5 names the bound where it was not the size", () => {
    withRooms({ maxDepth: 2, maxKeys: 2 }, ({ agent }) => {
      const send = (payload: unknown) => agent.interceptUnsafe({ ...scent, payload, threat: signal })
      assert.deepStrictEqual(send([[[]]]), { status: "payload_too_large", limit: 2, bound: "maxDepth" })
      assert.deepStrictEqual(send({ a: 1, b: 2, c: 3 }), { status: "payload_too_large", limit: 2, bound: "maxKeys" })
    })
  })

  it("RFC D6 gives each answer that needs no hound, synchronously", () => {
    withRooms({ maxPayloadSize: 100, rateLimit: { maxRequests: 3 } }, ({ agent }) => {
      const send = (over: object) => agent.interceptUnsafe({ ...scent, ...over })
      assert.strictEqual(send({}).status, "clean")
      assert.strictEqual(send({ threat: signal }).status, "quarantined")
      assert.strictEqual(send({ threat: signal }).status, "ignored")
      assert.strictEqual(send({ threat: signal }).status, "rate_limited")
      assert.strictEqual(send({ source: "b", threat: signal, payload: "x".repeat(101) }).status, "payload_too_large")
      assert.strictEqual(send({ id: 1 }).status, "error")
    })
  })

  it("RFC D7 keeps the first evidence of a duplicate, and what it was captured with", () => {
    withRooms({}, ({ agent, quarantine }) => {
      const first = agent.interceptUnsafe({ ...scent, threat: signal })
      const second = agent.interceptUnsafe({ ...scent, id: "2", timestamp: 99, threat: signal })
      assert.strictEqual(second.status, "ignored")
      if (first.status !== "quarantined" || second.status !== "ignored") return assert.fail("not quarantined first")
      assert.strictEqual(quarantine.get(second.signature)?.captured, first.handle.captured)
      assert.strictEqual(JSON.parse(JSON.stringify(first.handle)).scent.id, "1")
    })
  })

  it("RFC G4 limits before any work on the payload", () => {
    withRooms({ rateLimit: { maxRequests: 1, blockDurationMs: 5000 } }, ({ agent }) => {
      agent.interceptUnsafe(scent)
      const { payload, touched } = untouchable()
      const result = agent.interceptUnsafe({ ...scent, payload, threat: signal })
      assert.strictEqual(result.status, "rate_limited")
      assert.strictEqual(touched(), 0)
    })
  })

  it("RFC E5 owns its copy: what the caller does to the payload afterwards changes nothing", () => {
    withRooms({}, ({ agent }) => {
      const payload = new Uint8Array([1, 2, 3])
      const result = agent.interceptUnsafe({ ...scent, payload, threat: signal })
      payload.fill(0)
      agent.interceptUnsafe({ ...scent, payload: "something else", threat: signal })
      if (result.status !== "quarantined") return assert.fail(result.status)
      assert.deepStrictEqual(new Uint8Array(result.handle.bytes ?? new ArrayBuffer(0)), new Uint8Array([1, 2, 3]))
    })
  })

  it("RFC D6 never throws and never answers with a promise, whatever the payload", () => {
    const cycle: Record<string, unknown> = {}
    cycle["self"] = cycle
    const revoked = Proxy.revocable({}, {})
    revoked.revoke()
    const payloads: ReadonlyArray<unknown> = [
      undefined,
      null,
      Number.NaN,
      -0,
      12n,
      Symbol("s"),
      () => 1,
      cycle,
      revoked.proxy,
      new Array(4_294_967_295),
      new Map([[cycle, cycle]]),
      new Date(Number.NaN),
      Object.create(null),
      {
        toJSON: () => {
          throw new Error("toJSON")
        }
      },
      {
        get trap(): never {
          throw new Error("getter")
        }
      },
      new Proxy({}, {
        ownKeys: () => {
          throw new Error("trap")
        }
      }),
      structuredClone(new Uint8Array(3).buffer, { transfer: [] }),
      JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`)
    ]
    withRooms({}, ({ agent }) => {
      for (const payload of payloads) {
        const result = agent.interceptUnsafe({ ...scent, payload, threat: signal })
        assert.include(["quarantined", "ignored", "payload_too_large", "error"], result.status)
      }
    })
  })
})

describe("make", () => {
  it.effect("RFC F3 a closed agent gives one answer, reads nothing of the scent and no time; disposing comes last", () =>
    Effect.gen(function*() {
      let ticks = 0
      const { dispose, interceptUnsafe, panic } = make({
        settings: yield* Settings,
        clock: yield* Clock.Clock,
        monotonicTime: {
          last: new Float64Array(1),
          tick: () => {
            ticks += 1
          }
        },
        hash: yield* Hash,
        introspection: yield* Introspection,
        memory: yield* Memory,
        randomness: yield* Randomness,
        rateLimiter: yield* RateLimiter,
        throughput: yield* Throughput,
        quarantine: yield* Quarantine,
        escalation: yield* Escalation,
        alerts: yield* Alerts
      })
      const untouched = new Proxy(scent, { get: () => assert.fail("a property was read") })
      const code = (): string => {
        const result = interceptUnsafe(untouched)
        return result.status === "error" ? result.error.code : result.status
      }
      assert.strictEqual(interceptUnsafe({ ...scent, threat: signal }).status, "quarantined")
      panic()
      assert.strictEqual(code(), "panicked")
      dispose()
      assert.strictEqual(code(), "disposed")
      panic()
      assert.strictEqual(code(), "disposed")
      assert.strictEqual(ticks, 1)
    }).pipe(Effect.provide(rooms({}, makeTold()))))
})
