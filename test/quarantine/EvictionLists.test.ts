import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { severities, type Severity } from "../../src/domain/Severity.ts"
import { type EvictionPolicy, makeEvictionLists } from "../../src/quarantine/EvictionLists.ts"

class Item {
  readonly name: number
  severity: Severity
  prev: Item | null = null
  #next: Item | null = null
  static reads = 0
  constructor(name: number, severity: Severity) {
    this.name = name
    this.severity = severity
  }
  get next(): Item | null {
    Item.reads += 1
    return this.#next
  }
  set next(item: Item | null) {
    this.#next = item
  }
}

const names = (items: ReadonlyArray<Item>) => items.map(({ name }) => name)

describe("EvictionLists", () => {
  it("RFC Q1 evicts from low to critical, the oldest first within a severity", () => {
    const lists = makeEvictionLists<Item>("priority")
    const order: ReadonlyArray<Severity> = ["critical", "low", "high", "low", "medium", "critical"]
    order.forEach((severity, i) => lists.add(new Item(i, severity)))
    assert.deepStrictEqual(names(lists.all()), [1, 3, 4, 2, 0, 5])
    assert.strictEqual(lists.first()?.name, 1)
  })

  it("RFC Q1 under lru evicts what was not seen for longest, whatever its severity", () => {
    const lists = makeEvictionLists<Item>("lru")
    const items = severities.map((severity, i) => new Item(i, severity))
    items.forEach(lists.add)
    if (items[0] !== undefined) lists.touch(items[0])
    assert.deepStrictEqual(names(lists.all()), [1, 2, 3, 0])
  })

  it("under priority a touch moves nothing", () => {
    const lists = makeEvictionLists<Item>("priority")
    const items = [0, 1, 2].map((i) => new Item(i, "high"))
    items.forEach(lists.add)
    if (items[0] !== undefined) lists.touch(items[0])
    assert.deepStrictEqual(names(lists.all()), [0, 1, 2])
  })

  it("RFC Q1 takes the same number of steps to evict from a thousand as from a hundred thousand", () => {
    const stepsAt = (n: number) => {
      const lists = makeEvictionLists<Item>("priority")
      for (let i = 0; i < n; i++) lists.add(new Item(i, severities[i % 4] ?? "low"))
      Item.reads = 0
      for (let i = 0; i < 100; i++) {
        const first = lists.first()
        if (first !== null) lists.remove(first)
      }
      return Item.reads
    }
    assert.strictEqual(stepsAt(1000), stepsAt(100_000))
    assert.isAtMost(stepsAt(1000), 300)
  })

  const Steps = Schema.Array(Schema.Struct({
    op: Schema.Literals(["add", "remove", "touch"]),
    pick: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 15 })),
    severity: Schema.Literals(severities)
  })).check(Schema.isMaxLength(60))

  for (const policy of ["priority", "lru"] satisfies ReadonlyArray<EvictionPolicy>) {
    it.prop(`agrees with a sorted array under ${policy}`, [Steps], ([steps]) => {
      const lists = makeEvictionLists<Item>(policy)
      let model: Array<Item> = []
      let next = 0
      for (const { op, pick, severity } of steps) {
        const item = model[pick % Math.max(1, model.length)]
        if (op === "add" || item === undefined) {
          const added = new Item(next++, severity)
          lists.add(added)
          model.push(added)
        } else if (op === "remove") {
          lists.remove(item)
          model = model.filter((other) => other !== item)
        } else {
          lists.touch(item)
          if (policy === "lru") model = [...model.filter((other) => other !== item), item]
        }
        const expected = policy === "lru"
          ? model
          : severities.flatMap((rank) => model.filter((other) => other.severity === rank))
        assert.deepStrictEqual(names(lists.all()), names(expected))
        assert.strictEqual(lists.first(), expected[0] ?? null)
      }
    }, { arbitrary: { runs: 200, size: 60 } })
  }
})
