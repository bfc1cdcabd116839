/**
 * The pauses of collections, of those that this test asks for.
 */
import { assert, describe, it } from "@effect/vitest"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { PauseWatch } from "../../bench/pauses.ts"

/** A collection on demand, whatever this process was started with. */
const collect = (): void => {
  setFlagsFromString("--expose-gc")
  const gc = runInNewContext("gc") as () => void
  setFlagsFromString("--no-expose-gc")
  gc()
}

describe("the pauses of collections", () => {
  it("are those between a start and a stop, each with its length", async () => {
    const watch = new PauseWatch()
    collect()
    assert.deepStrictEqual(watch.read(), { count: 0, p99: 0, longest: 0, total: 0 })
    watch.start()
    for (let i = 0; i < 3; i++) collect()
    await watch.stop()
    const { count, longest, p99, total } = watch.read()
    assert.isAtLeast(count, 3)
    assert.isAbove(p99, 0)
    assert.isAtLeast(longest, p99)
    assert.isAtLeast(total, longest)
    collect()
    watch.start()
    collect()
    await watch.stop()
    assert.isAbove(watch.read().count, count)
    assert.isBelow(watch.read().count, 2 * count + 1)
  })
})
