/**
 * Tests the core under the flags that the RFC requires of its host. `.ci/hardened.mjs` runs the
 * whole suite under them; this file runs `hardenedWalk.ts` under them, in a process of its own.
 */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

/** Set by `.ci/hardened.mjs`. */
const isHardened = process.env["HARDENED_RUN"] === "1"

const flags = ["--disable-proto=throw", "--frozen-intrinsics"]

describe("hardened", () => {
  if (isHardened) {
    it("RFC R1 the processes of this run have frozen intrinsics and no __proto__", () => {
      for (const intrinsic of [Object, Array, Map, Promise, ArrayBuffer])
        assert.isTrue(Object.isFrozen(intrinsic.prototype), intrinsic.name)
      assert.throws(() => Reflect.get({}, "__proto__"), /disallowed/)
      assert.throws(() => Reflect.set({}, "__proto__", null), /disallowed/)
      for (const flag of flags) assert.include(process.execArgv, flag)
    })
  }

  it("RFC R1 everything that the core does works under the flags that the RFC requires", () => {
    const directory = mkdtempSync(join(tmpdir(), "tracehound-hardened-"))
    try {
      const walk = spawnSync(
        process.execPath,
        [...flags, "--max-old-space-size=512", join(import.meta.dirname, "hardenedWalk.ts"), directory],
        { encoding: "utf8", timeout: 60_000, env: { ...process.env, NODE_OPTIONS: "" } }
      )
      assert.strictEqual(walk.status, 0, walk.stderr)
      assert.deepStrictEqual(JSON.parse(walk.stdout), {
        protoThrows: true,
        frozen: true,
        // 17 kinds of payload, the last that its source may send, and three that leave in three
        // ways; two hounds are free when the quarantine is nearly full.
        statuses: { quarantined: 19, escalated: 2, payload_too_large: 5, ignored: 1, error: 2, rate_limited: 1 },
        flushed: 7,
        left: { evicted: 11, transferred: 1, evacuated: 1, neutralized: 8 },
        verified: true,
        opened: 12,
        written: 12
      })
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })
})
