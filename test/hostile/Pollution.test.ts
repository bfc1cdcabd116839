/**
 * Tests a host whose prototypes are polluted while it runs, as merging a request's JSON into the
 * wrong object does. It runs in a process of its own, since pollution reaches all code of a
 * process.
 */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { join } from "node:path"

describe("polluted prototypes", () => {
  it("RFC D4 A2 D6 change no answer, no signature and no record, and make nothing throw", () => {
    const walk = spawnSync(process.execPath, [join(import.meta.dirname, "pollutedWalk.ts")], {
      encoding: "utf8",
      timeout: 60_000,
      env: { ...process.env, NODE_OPTIONS: "" }
    })
    assert.strictEqual(walk.status, 0, walk.stderr)
    assert.deepStrictEqual(JSON.parse(walk.stdout), {
      ordinary: 12,
      differences: [],
      isTheSameAgain: true,
      verified: true
    })
  })
})
