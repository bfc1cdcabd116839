import { assert, describe, it } from "@effect/vitest"
import { Links, NONE, SlotList } from "../../src/memory/SlotLists.ts"
import { random, Seed } from "../support/random.ts"

const slots = 7

/** The slots on a list, forward and backward. */
const walk = (list: SlotList, links: Links): ReadonlyArray<number> => {
  const forward: Array<number> = []
  for (let slot = list.first; slot !== NONE; slot = links.next[slot] ?? NONE) forward.push(slot)
  const backward: Array<number> = []
  for (let slot = list.last; slot !== NONE; slot = links.previous[slot] ?? NONE) backward.push(slot)
  assert.deepStrictEqual(backward.toReversed(), forward)
  return forward
}

describe("SlotList", () => {
  it.prop("RFC G3 Q1 is an array, whatever is done to it", { seed: Seed }, ({ seed }) => {
    const { below, pick } = random(seed)
    const links = new Links()
    links.grow(slots)
    // Two lists that share their links, as those of a table do.
    const lists = [new SlotList(links), new SlotList(links)] as const
    const models: readonly [Array<number>, Array<number>] = [[], []]
    for (let step = 0; step < 60; step++) {
      const which = below(2)
      const list = lists[which] ?? lists[0]
      const model = models[which] ?? models[0]
      const slot = below(slots)
      assert.strictEqual(links.previous[slot] !== -2, models.some((others) => others.includes(slot)))
      if (model.includes(slot)) {
        model.splice(model.indexOf(slot), 1)
        if (pick([true, false])) {
          list.moveLast(slot)
          model.push(slot)
        } else list.remove(slot)
      } else if (!list.has(slot)) {
        if (pick([true, false])) {
          list.pushLast(slot)
          model.push(slot)
        } else {
          list.pushFirst(slot)
          model.unshift(slot)
        }
      }
      for (const [i, each] of lists.entries()) {
        assert.deepStrictEqual(walk(each, links), models[i])
        assert.strictEqual(each.length, models[i]?.length)
      }
    }
  })

  it("keeps what there is when it grows", () => {
    const links = new Links()
    links.grow(2)
    const list = new SlotList(links)
    list.pushLast(0)
    list.pushLast(1)
    links.grow(4)
    list.pushLast(3)
    list.moveLast(0)
    assert.deepStrictEqual(walk(list, links), [1, 3, 0])
    assert.isFalse(list.has(2))
  })
})
