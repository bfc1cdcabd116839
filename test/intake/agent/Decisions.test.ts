/** What a reader hears of decisions: all of them, or the sample that it asked for. */
import { assert, describe, it } from "@effect/vitest"
import type { Decision } from "../../../src/domain/Decision.ts"
import { type InterceptResult, interceptStatuses } from "../../../src/domain/InterceptResult.ts"
import { categoryRank, type Scent } from "../../../src/domain/Scent.ts"
import { type Severity, severityRank } from "../../../src/domain/Severity.ts"
import { problem } from "../../../src/domain/TracehoundError.ts"
import { Decisions } from "../../../src/intake/agent/Decisions.ts"
import { random, Seed } from "../../support/random.ts"
import { withRooms } from "../../support/rooms.ts"

const scent = (payload: unknown, severity?: Severity): Scent => ({
  id: "an attacker's id",
  source: "192.0.2.66",
  timestamp: 1,
  payload,
  ...(severity === undefined ? {} : { threat: { category: "injection", severity } as const })
})

const failing: Scent = Object.defineProperty(scent("x"), "source", {
  get: () => {
    throw new Error("hostile")
  }
})

describe("decisions of the agent", () => {
  it("RFC V3 are each told once, with what is known of them and no text of the scent", () => {
    withRooms(
      { maxPayloadSize: 64, quarantine: { maxCount: 1 }, rateLimit: { maxRequests: 8 } },
      ({ agent, quarantine }) => {
        const heard: Array<Decision> = []
        agent.interceptUnsafe(scent("unheard"))
        const leave = agent.onDecision(1, (decision) => heard.push(decision))
        const held = agent.interceptUnsafe(scent("held", "high"))
        const signature = held.status === "quarantined" ? held.handle.signature : assert.fail(held.status)
        agent.interceptUnsafe(scent("held", "low"))
        const turnedAway = agent.interceptUnsafe(scent("no room", "low"))
        const away = turnedAway.status === "quarantined" ? turnedAway.evicted?.signature : undefined
        agent.interceptUnsafe(scent("clean"))
        agent.interceptUnsafe(scent("x".repeat(65), "medium"))
        agent.interceptUnsafe({ ...scent("x"), timestamp: Number.NaN })
        agent.interceptUnsafe(failing)
        agent.interceptUnsafe(null as never)
        for (let n = 0; n < 3; n++) agent.interceptUnsafe(scent("clean"))
        agent.interceptUnsafe(scent("limited", "critical"))
        const injection = { category: "injection" }
        const ofThem = [
          { status: "quarantined", ...injection, severity: "high", signature },
          { status: "ignored", ...injection, severity: "low", signature },
          { status: "quarantined", ...injection, severity: "low", signature: away },
          { status: "clean" },
          { status: "payload_too_large", ...injection, severity: "medium" },
          { status: "error", code: "invalid_timestamp" },
          { status: "error", code: "unexpected" },
          { status: "error", code: "invalid_scent" },
          { status: "clean" },
          { status: "clean" },
          { status: "rate_limited" },
          { status: "rate_limited", ...injection, severity: "critical" }
        ]
        assert.deepStrictEqual<ReadonlyArray<unknown>>(heard, ofThem)
        assert.notMatch(JSON.stringify(heard), /attacker|192\.0\.2|held"|no room/)
        leave()
        agent.interceptUnsafe(scent("unheard"))
        assert.lengthOf(heard, ofThem.length)
        assert.strictEqual(quarantine.get(signature)?.severity, "high")
      }
    )
  })
})

/** An answer of each status, but for those with evidence. */
const answers: Readonly<Record<string, InterceptResult>> = {
  clean: { status: "clean" },
  rate_limited: { status: "rate_limited", retryAfter: 1 },
  payload_too_large: { status: "payload_too_large", limit: 1 },
  ignored: { status: "ignored", signature: `injection:${"0".repeat(64)}` },
  error: { status: "error", error: problem({ state: "agent", code: "x", message: "", recoverable: true }) }
}

const tell = (decisions: Decisions, status: string): void =>
  decisions.tellUnsafe(
    interceptStatuses.indexOf(status as Decision["status"]),
    answers[status] ?? assert.fail(status),
    categoryRank("spam"),
    severityRank("low")
  )

describe("a sample", () => {
  it.prop("RFC V3 has the first of each status and every n-th after it, whatever comes between", [Seed], ([seed]) => {
    const { below, pick } = random(seed)
    const decisions = new Decisions()
    const intervals = [1, 2, 1 + below(9)]
    const heard = intervals.map((): Array<string> => [])
    for (const [i, every] of intervals.entries()) decisions.add(every, ({ status }) => heard[i]?.push(status))
    const told = Array.from({ length: 200 }, () => pick(["clean", "clean", "clean", "ignored", "error"]))
    for (const status of told) tell(decisions, status)
    for (const [i, every] of intervals.entries()) {
      const seen = new Map<string, number>()
      const expected = told.filter((status) => {
        const before = seen.get(status) ?? 0
        seen.set(status, before + 1)
        return before % every === 0
      })
      assert.deepStrictEqual(heard[i], expected)
    }
  })

  it("RFC V3 is of each reader's own, from when it came to when it left", () => {
    const decisions = new Decisions()
    const heard: Array<string> = []
    assert.isFalse(decisions.isHeard)
    const leave = decisions.add(2, () => {
      heard.push("first")
      decisions.add(1, () => heard.push("second"))
      leave()
    })
    assert.isTrue(decisions.isHeard)
    tell(decisions, "clean")
    tell(decisions, "clean")
    assert.deepStrictEqual(heard, ["first", "second"])
  })

  it("RFC V3 makes one object for all that take a decision, and none for one that nobody takes", () => {
    const decisions = new Decisions()
    const heard: Array<Decision> = []
    for (let n = 0; n < 3; n++) decisions.add(3, (decision) => heard.push(decision))
    let asked = 0
    const answer: InterceptResult = {
      status: "ignored",
      get signature() {
        asked += 1
        return `injection:${"0".repeat(64)}` as const
      }
    }
    for (let n = 0; n < 3; n++) decisions.tellUnsafe(3, answer, categoryRank("spam"), severityRank("low"))
    assert.strictEqual(asked, 1)
    assert.strictEqual(new Set(heard).size, 1)
    assert.isTrue(Object.isFrozen(heard[0]))
  })
})
