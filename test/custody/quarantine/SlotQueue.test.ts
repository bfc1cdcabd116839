import { assert, it } from "@effect/vitest"
import { SlotQueue } from "../../../src/custody/quarantine/SlotQueue.ts"
import { random } from "../../support/random.ts"

it("SlotQueue gives what came first, whatever its ring has to do for it", () => {
  const { below } = random(3)
  const queue = new SlotQueue()
  const model: Array<readonly [number, number, number]> = []
  for (let step = 0; step < 5_000; step++) {
    if (below(100) < 55 || model.length === 0) {
      const one = [below(1_000), below(1_000), below(1_000)] as const
      queue.push(...one)
      model.push(one)
    } else {
      assert.deepStrictEqual([queue.slot, queue.generation, queue.weight], [...model.shift() ?? []])
      queue.shift()
    }
    assert.strictEqual(queue.length, model.length)
  }
})
