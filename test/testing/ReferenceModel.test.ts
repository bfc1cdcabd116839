/**
 * The reference model by itself: one example, worked out by hand, for each sentence of the
 * conformance list. The runtime is measured by the model, so no code of the runtime is used here.
 */
import { assert, describe, it } from "@effect/vitest"
import type { Severity } from "../../src/domain/Severity.ts"
import { type ModelConfig, ReferenceModel } from "../../src/testing/ReferenceModel.ts"

const config = (
  quarantine: Partial<ModelConfig["quarantine"]> = {},
  coldStorage: number | null = null
): ModelConfig => ({
  maxPayloadSize: 100,
  rateLimit: { windowMs: 10, maxRequests: 2, blockDurationMs: 30, maxSources: 2 },
  quarantine: { maxCount: 3, maxBytes: 100, evictionPolicy: "priority", ...quarantine },
  coldStorage
})

let sources = 0

/** Intercepts one threat, from a new source each time, so that no rate limit is reached. */
const arrive = (model: ReferenceModel, name: string, severity: Severity = "low", size = 10) =>
  model.intercept(`source ${sources++}`, { name, size }, { category: "spam", severity }, 0)

const names = (model: ReferenceModel): string => model.order().map(({ signature }) => signature.slice(5)).join("")
const audit = (model: ReferenceModel): ReadonlyArray<string> =>
  model.audit.map(({ evidence, status }) => `${status} ${evidence.signature}`)

describe("the reference model", () => {
  it("RFC G1 a window lasts from the first request, a block from the first refusal, exact to the ms", () => {
    const model = new ReferenceModel(config())
    assert.deepStrictEqual([100, 109, 109, 110, 138].map((now) => model.request("a", now)), [0, 0, 30, 29, 1])
    assert.strictEqual(model.request("a", 139), 0)
    // The first window would have ended at 149 if the block had not begun a new one at 139.
    assert.deepStrictEqual([148, 148].map((now) => model.request("a", now)), [0, 30])
  })

  it("RFC G1 at exactly the end of a window a new one begins; without a block of its own a block ends with its window", () => {
    const { rateLimit, ...rest } = config()
    const model = new ReferenceModel({ ...rest, rateLimit: { ...rateLimit, blockDurationMs: 0 } })
    assert.deepStrictEqual([0, 9, 9, 10, 19].map((now) => model.request("a", now)), [0, 0, 1, 0, 0])
  })

  it("RFC G2 a reset forgets the block and the count", () => {
    const model = new ReferenceModel(config())
    for (const expected of [0, 0, 30]) assert.strictEqual(model.request("a", 0), expected)
    model.reset("a")
    assert.deepStrictEqual(model.sources(0), { sources: 0, blocked: 0 })
    assert.strictEqual(model.request("a", 0), 0)
  })

  it("RFC G3 a full table drops sources whose block is over first, then unblocked ones, and blocked ones last", () => {
    const model = new ReferenceModel(config())
    for (let i = 0; i < 3; i++) model.request("blocked", 0)
    model.request("seen", 0)
    model.request("new", 1)
    assert.strictEqual(model.request("blocked", 1), 29)
    for (let i = 0; i < 2; i++) model.request("new", 2)
    // Both are blocked now: the one blocked longest ago is dropped.
    model.request("third", 3)
    assert.strictEqual(model.request("new", 3), 29)
    assert.strictEqual(model.request("blocked", 3), 0)
    // The block of `new` is over at 32: it is dropped before the unblocked one.
    for (let i = 0; i < 2; i++) model.request("blocked", 31)
    model.request("fourth", 32)
    assert.strictEqual(model.request("blocked", 32), 30)
  })

  it("RFC G4 D2 D5 the rate is checked before the signal, and the signal before the payload", () => {
    const model = new ReferenceModel(config())
    const large = { name: "large", size: 101 }
    const threat = { category: "spam", severity: "low" } as const
    const answers = [null, threat, threat].map((signal) => model.intercept("a", large, signal, 0).status)
    assert.deepStrictEqual(answers, ["clean", "payload_too_large", "rate_limited"])
    assert.strictEqual(model.intercept("b", { name: "fits", size: 100 }, threat, 0).status, "quarantined")
  })

  it("RFC D7 the same content again is ignored while it is held, but counts as new in another category", () => {
    const model = new ReferenceModel(config())
    const first = arrive(model, "a")
    assert.strictEqual(arrive(model, "a").status, "ignored")
    assert.strictEqual(model.hits, 1)
    assert.strictEqual(
      model.intercept("x", { name: "a", size: 10 }, { category: "ddos", severity: "low" }, 0).status,
      "quarantined"
    )
    if (first.status !== "quarantined") return assert.fail(first.status)
    assert.isTrue(model.neutralize(first.evidence))
    assert.isFalse(model.neutralize(first.evidence))
    assert.strictEqual(arrive(model, "a").status, "quarantined")
  })

  it("RFC Q1 the least severe is evicted first, then the oldest; a worse duplicate makes evidence the newest of its new severity", () => {
    const model = new ReferenceModel(config({ maxCount: 5 }))
    arrive(model, "a", "high")
    arrive(model, "b", "low")
    arrive(model, "c", "high")
    arrive(model, "d", "low")
    assert.strictEqual(names(model), "bdac")
    arrive(model, "b", "high")
    assert.strictEqual(names(model), "dacb")
    arrive(model, "a", "high")
    arrive(model, "a", "low")
    assert.strictEqual(names(model), "dacb")
    assert.deepStrictEqual(model.stats(), {
      count: 4,
      bytes: 40,
      bySeverity: { low: 1, medium: 0, high: 3, critical: 0 }
    })
  })

  it("RFC Q1 under lru every duplicate makes evidence the newest", () => {
    const model = new ReferenceModel(config({ evictionPolicy: "lru" }))
    for (const name of ["a", "b", "c", "a"]) arrive(model, name)
    assert.strictEqual(names(model), "bca")
    arrive(model, "d")
    assert.strictEqual(names(model), "cad")
  })

  it("RFC Q1 both bounds hold, and an arrival evicts as many as it needs", () => {
    const model = new ReferenceModel(config({ maxBytes: 30 }))
    for (const name of ["a", "b", "c"]) arrive(model, name)
    arrive(model, "d", "low", 25)
    assert.strictEqual(names(model), "d")
    assert.strictEqual(model.evictions, 3)
    assert.deepStrictEqual(audit(model), ["evicted spam:a", "evicted spam:b", "evicted spam:c"])
  })

  it("RFC Q3 an arrival never evicts worse evidence: it is evicted itself, and nothing is evicted in vain", () => {
    const model = new ReferenceModel(config({ maxBytes: 30 }))
    arrive(model, "a", "high", 25)
    arrive(model, "b", "low", 5)
    const large = arrive(model, "c", "medium", 10)
    assert.isTrue(large.status === "quarantined" && large.isEvicted)
    assert.strictEqual(names(model), "ba")
    assert.deepStrictEqual(audit(model), ["evicted spam:c"])
    // Evicted content that comes again is new again.
    assert.strictEqual(arrive(model, "c", "medium", 10).status, "quarantined")
  })

  it("RFC Q3 under lru less recently used evidence may be evicted before the arrival meets worse evidence", () => {
    const model = new ReferenceModel(config({ evictionPolicy: "lru", maxBytes: 30 }))
    arrive(model, "a", "low", 10)
    arrive(model, "b", "high", 10)
    arrive(model, "c", "low", 10)
    const newcomer = arrive(model, "d", "low", 20)
    assert.isTrue(newcomer.status === "quarantined" && newcomer.isEvicted)
    assert.strictEqual(names(model), "bc")
    assert.deepStrictEqual(audit(model), ["evicted spam:a", "evicted spam:d"])
  })

  it("RFC E4 C1 evidence that cold storage refuses is not evacuated, but evicted all the same", () => {
    const model = new ReferenceModel(config({ maxCount: 1 }, 1))
    arrive(model, "a")
    arrive(model, "b")
    assert.deepStrictEqual(model.stored.map(({ signature }) => signature), ["spam:a"])
    const held = model.find("spam:b")
    if (held === undefined) return assert.fail("b is not held")
    assert.isFalse(model.evacuate(held))
    assert.isTrue(model.isHeld(held))
    arrive(model, "c")
    assert.deepStrictEqual([model.refused, model.evictions, model.stored.length], [2, 2, 1])
    assert.deepStrictEqual(audit(model), ["evicted spam:a", "evicted spam:b"])
  })

  it("RFC Q4 A1 flush neutralizes in the order of eviction; every way out is recorded once", () => {
    const model = new ReferenceModel(config({}, 10))
    for (const [name, severity] of [["a", "high"], ["b", "low"], ["c", "medium"]] as const)
      arrive(model, name, severity)
    assert.deepStrictEqual(model.flush().map(({ signature }) => signature), ["spam:b", "spam:c", "spam:a"])
    assert.deepStrictEqual(model.flush(), [])
    for (const way of ["transfer", "evacuate"] as const) {
      const { evidence } = { evidence: undefined, ...arrive(model, way) }
      if (evidence === undefined) return assert.fail(way)
      assert.isTrue(model[way](evidence))
      assert.isFalse(model[way](evidence))
    }
    assert.deepStrictEqual(audit(model), [
      "neutralized spam:b",
      "neutralized spam:c",
      "neutralized spam:a",
      "transferred spam:transfer",
      "evacuated spam:evacuate"
    ])
  })
})
