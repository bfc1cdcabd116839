/**
 * Most calls leave nothing to the garbage collector. Each kind is counted in a process of its own.
 */
import { assert, describe, it as every } from "@effect/vitest"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { allocationOf, bytesPerCall } from "../../bench/allocation.ts"
import { firstOfEach, sampled, shareOf } from "../support/tiers.ts"

const it = sampled(every)

const child = fileURLToPath(new URL("child.ts", import.meta.url))

interface Counted {
  /** Null on a Node that does not count them. */
  readonly bytes: number | null
  readonly gcs: number
  /** Calls with another status than the one that was wanted. */
  readonly others: number
}

const count = async (kind: string, size: number): Promise<Counted> => {
  const { NODE_OPTIONS: _, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", child, kind, String(size)], {
    env,
    timeout: 60_000
  })
  return JSON.parse(stdout) as Counted
}

describe("a million calls", () => {
  every.each(
    shareOf(
      [
        ["RFC D2 V3", "clean", 0],
        ["RFC G4", "rate_limited", 0],
        ["RFC D5", "payload_too_large", 0],
        ["RFC D7", "ignored", 64],
        ["RFC D7", "ignored", 2048]
      ] as const,
      firstOfEach(([, kind]) => kind)
    )
  )("%s that are %s allocate nothing and collect nothing (bytes of payload: %i)", async (_, kind, size) => {
    const { bytes, gcs, others } = await count(kind, size)
    assert.strictEqual(others, 0)
    // Less than a byte a call: what V8 counts by blocks, over a million.
    assert.isBelow(bytes ?? 0, 1)
    assert.strictEqual(gcs, 0)
  })
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
