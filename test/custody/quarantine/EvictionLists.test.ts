import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { EvictionLists, type EvictionPolicy } from "../../../src/custody/quarantine/EvictionLists.ts"
import { severities, type SeverityRank, severityRank } from "../../../src/domain/Severity.ts"

const LOW = severityRank("low")
const MEDIUM = severityRank("medium")
const HIGH = severityRank("high")
const CRITICAL = severityRank("critical")

const listsOf = (policy: EvictionPolicy, ranks: ReadonlyArray<SeverityRank>): EvictionLists => {
  const lists = new EvictionLists(policy)
  lists.grow(64)
  ranks.forEach((rank, slot) => lists.add(slot, rank))
  return lists
}

interface Entry {
  readonly slot: number
  readonly rank: SeverityRank
  readonly seen: number
}

/** The order that the lists must be in, by sorting. */
const expected = (policy: EvictionPolicy, entries: ReadonlyArray<Entry>) =>
  entries.toSorted((a, b) => policy === "lru" ? a.seen - b.seen : a.rank - b.rank || a.seen - b.seen)
    .map(({ slot }) => slot)

const Step = Schema.Struct({
  slot: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 15 })),
  severity: Schema.Literals(severities),
  isTouch: Schema.Boolean
})

describe("EvictionLists", () => {
  it("RFC Q1 evicts from low to critical, the oldest first within a severity", () => {
    const lists = listsOf("priority", [CRITICAL, LOW, HIGH, LOW, MEDIUM, CRITICAL])
    assert.deepStrictEqual([...lists.all()], [1, 3, 4, 2, 0, 5])
    assert.strictEqual(lists.first(), 1)
  })

  it("RFC Q1 under lru evicts what was not seen for longest, whatever its severity", () => {
    const lists = listsOf("lru", [LOW, MEDIUM, HIGH, CRITICAL])
    lists.touch(0, LOW)
    assert.deepStrictEqual([...lists.all()], [1, 2, 3, 0])
  })

  it("RFC Q1 under priority touching changes nothing", () => {
    const lists = listsOf("priority", [LOW, LOW])
    lists.touch(0, LOW)
    assert.deepStrictEqual([...lists.all()], [0, 1])
  })

  it("is empty at the start, and when everything was removed", () => {
    const lists = listsOf("priority", [LOW, HIGH])
    lists.remove(1, HIGH)
    lists.remove(0, LOW)
    assert.strictEqual(lists.first(), -1)
    assert.deepStrictEqual([...lists.all()], [])
  })

  for (const policy of ["priority", "lru"] as const) {
    it.prop(
      `RFC Q1 under ${policy} is in the order that sorting gives, after every step`,
      [Schema.Array(Step)],
      ([steps]) => {
        const lists = listsOf(policy, [])
        const entries = new Map<number, Entry>()
        steps.forEach(({ isTouch, severity, slot }, seen) => {
          const rank = severityRank(severity)
          const entry = entries.get(slot)
          if (entry === undefined) {
            lists.add(slot, rank)
            entries.set(slot, { slot, rank, seen })
          } else if (isTouch) {
            lists.touch(slot, entry.rank)
            if (policy === "lru") entries.set(slot, { ...entry, seen })
          } else {
            lists.remove(slot, entry.rank)
            entries.delete(slot)
          }
          const order = expected(policy, [...entries.values()])
          assert.deepStrictEqual([...lists.all()], order)
          assert.strictEqual(lists.first(), order[0] ?? -1)
        })
      },
      { arbitrary: { runs: 200, size: 60 } }
    )
  }
})
