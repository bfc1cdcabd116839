/**
 * Most calls leave nothing to the garbage collector, and the others no more than is said here. Each
 * kind is counted in a process of its own.
 */
import { assert, describe, it as every } from "@effect/vitest"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { allocationOf, bytesPerCall } from "../../bench/allocation.ts"
import { firstOfEach, restOf, sampled, shareOf } from "../support/tiers.ts"
import type { CaseName } from "./allocationCases.ts"
import type { Count } from "./child.ts"

const it = sampled(every)
const rest = restOf(every)

const run = async (script: string, ...args: ReadonlyArray<string>): Promise<string> => {
  const { NODE_OPTIONS: _, ...env } = process.env
  const file = fileURLToPath(new URL(script, import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", file, ...args], {
    env,
    timeout: 60_000
  })
  return stdout
}

const count = async (name: CaseName): Promise<Count> => JSON.parse(await run("child.ts", name)) as Count

/** Promises, and what they are about: of each promise one is of the sample. */
const nothings: ReadonlyArray<readonly [string, CaseName]> = [
  ["RFC D2 V3", "clean"],
  ["RFC G4", "limited"],
  ["RFC D5", "too large, bytes"],
  ["RFC D5", "too large, text"],
  ["RFC D7", "a duplicate of 64 bytes"],
  ["RFC D7", "a duplicate of 2 KiB"],
  ["RFC D7", "a duplicate of 16 KiB"],
  ["RFC D7", "a duplicate of 2 KiB of text"],
  ["the gate:", "the key of a source"],
  ["evidence:", "an id as bytes"]
]

/**
 * What a call allocates at the most, in bytes: half as much again as it takes, since V8 compiles
 * the same code in more than one way. Where it takes less, say less here.
 */
const bounds: ReadonlyArray<readonly [CaseName, number]> = [
  ["no scent", 200],
  ["a duplicate of 1 MiB", 48],
  ["a duplicate of an object of 1 KiB", 160],
  ["a duplicate of an object without doubles, 1 KiB", 8],
  // 16 for each thousand bytes: the rest of a block, over so many calls.
  ["a duplicate of an object without doubles, 16 KiB", 256],
  ["new evidence of 64 bytes", 300],
  ["new evidence that evicts", 600],
  ["new evidence of an object of 1 KiB", 500],
  ["new evidence of an object of 64 KiB", 12_000],
  ["a message told", 80],
  ["a record appended", 80]
]

describe("many calls", () => {
  const isSampled = firstOfEach(([promise]: typeof nothings[number]) => promise)
  every.each(shareOf(nothings, (one) => one[0].startsWith("RFC") && isSampled(one)))(
    "%s %s: allocate nothing and collect nothing",
    async (_, name) => {
      const { bytes, gcs, others } = await count(name)
      assert.strictEqual(others, 0)
      // Less than a byte a call: what V8 counts by blocks, over so many.
      assert.isBelow(bytes ?? 0, 1)
      assert.strictEqual(gcs, 0)
    }
  )

  rest.each(bounds)("%s: allocate no more than %i bytes each", async (name, most) => {
    const { bytes, others } = await count(name)
    assert.strictEqual(others, 0)
    assert.isAtMost(bytes ?? 0, most)
  })

  rest("a full Tracehound keeps no more after a million mixed calls than before", async () => {
    assert.isBelow(Number(await run("heapChild.ts")), 1_048_576)
  }, 60_000)
})

describe("the count itself", () => {
  it("sees what a call allocates", () => {
    const { bytes } = allocationOf({ name: "an object of two numbers", run: (i) => ({ i, j: i }) }, 200_000)
    // Two fields, and the map, the properties and the elements that every object has.
    if (bytes !== null) assert.approximately(bytes, 40, 2)
  })

  it("sees nothing where nothing is", () => {
    const { bytes } = allocationOf({ name: "a small number", run: (i) => i & 7 }, 1_000_000, 5)
    assert.isBelow(bytes ?? 0, 1)
  })

  it("leaves out what makes ready and what cleans up", () => {
    let kept: ReadonlyArray<unknown> = []
    const fill = (): void => {
      kept = Array.from({ length: 100_000 }, (_, i) => ({ i }))
    }
    const { bytes } = allocationOf({ name: "busy", before: fill, after: fill, run: (i) => i & 7 }, 1_000_000)
    assert.isBelow(bytes ?? 0, 1)
    assert.strictEqual(kept.length, 100_000)
  })

  it("says nothing of calls that were too few", () => {
    assert.isNull(bytesPerCall(16_000, 1000))
    assert.strictEqual(bytesPerCall(16_000_000, 1_000_000), 16)
    assert.strictEqual(bytesPerCall(0, 1_000_000), 0)
    assert.strictEqual(bytesPerCall(2_000_000_000, 1000), 2_000_000)
  })
})
