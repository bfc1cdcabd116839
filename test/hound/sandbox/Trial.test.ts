import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { LaunchPlan } from "../../../src/hound/process/Spawner.ts"
import { notInTime, tryOut as trial } from "../../../src/hound/sandbox/Trial.ts"
import { launchTrialHound, type TrialEvent } from "../../../src/hound/sandbox/TrialHound.ts"
import { children, exists, hasProc, isAlive, planFor, unspawnable } from "../process/spawners.ts"

const tryOut = (plan: LaunchPlan, deadline?: number): Promise<string | null> => Effect.runPromise(trial(plan, deadline))

/** A plan that runs this program. */
const running = (program: string): LaunchPlan => planFor("waits", "", { args: ["-e", program.replaceAll(/\s+/g, " ")] })

describe("tryOut", () => {
  it("RFC H2 a plan works where its hound becomes ready", async () => {
    assert.isNull(await tryOut(planFor("works")))
  })

  it("RFC H2 a finding is how the hound ended, or the first line that it wrote", async () => {
    assert.strictEqual(await tryOut(planFor("exits", "3")), "it ended with code 3")
    assert.strictEqual(await tryOut(planFor("aborts")), "it ended with SIGTERM")
    const speaking = running(`console.error("\\n\\x1b[31mno way\\nmore"); process.exit(1)`)
    assert.strictEqual(await tryOut(speaking), "?[31mno way")
    const long = running(`console.error("x".repeat(100_000)); process.exit(1)`)
    assert.strictEqual(await tryOut(long), "x".repeat(200))
  })

  it("RFC H2 a finding says why there is no process", async () => {
    assert.include(await tryOut(unspawnable), "ENOENT")
    assert.match(await tryOut(planFor("waits", "", { args: ["a\0b"] })) ?? "", /^[ -~]{1,200}$/)
  })

  it("RFC H2 a hound that says something else than `ready` does not work", async () => {
    assert.strictEqual(await tryOut(planFor("greets")), notInTime)
    const lying = running(`require("fs").writeSync(3, "x".repeat(24)); setInterval(() => 0, 1000)`)
    assert.strictEqual(await tryOut(lying), notInTime)
  })

  it.runIf(hasProc)("RFC H2 a hound that is not ready at the deadline does not work, and is gone", async () => {
    const before = children()
    assert.strictEqual(await tryOut(planFor("stays"), 500), notInTime)
    const closing = running(`require("fs").closeSync(3); setInterval(() => 0, 1000)`)
    assert.strictEqual(await tryOut(closing, 500), notInTime)
    assert.deepStrictEqual(children(), before)
  })

  it.live.each([0, 1, 5, 20, 60, 120])(
    "RFC R4 whoever is interrupted after %d ms leaves no process behind",
    (moment) =>
      Effect.gen(function*() {
        if (!hasProc) return
        const before = children()
        for (const behaviour of ["works", "stays", "waits"] as const) {
          const trying = yield* Effect.forkChild(trial(planFor(behaviour)))
          yield* moment === 0 ? Effect.yieldNow : Effect.sleep(moment)
          yield* Fiber.interrupt(trying)
          assert.deepStrictEqual(children(), before, behaviour)
        }
      })
  )
})

describe("TrialHound", () => {
  it.live("RFC H4 tells what happens to a hound, in order", () =>
    Effect.gen(function*() {
      const hound = yield* launchTrialHound(planFor("works"))
      const events: Array<TrialEvent["type"]> = []
      const takeOne = Effect.map(hound.take(), ({ type }) => void events.push(type))
      assert.isNull(hound.pid)
      yield* takeOne
      assert.isNotNull(hound.pid)
      const bytes = Uint8Array.of(1, 2, 3)
      hound.send({ job: 1, length: 3, category: 0, severity: 0, digest: null }, bytes)
      for (let i = 0; i < 3; i++) yield* takeOne
      assert.deepStrictEqual(bytes, new Uint8Array(3))
      assert.isAtLeast(hound.bytesRead, 4 * 24)
      assert.isTrue(yield* hound.end())
      yield* takeOne
      assert.deepStrictEqual(events, ["ready", "status", "metrics", "status", "down"])
      assert.strictEqual(hound.exit?.cause, "killed")
      assert.isNull(hound.pid)
      assert.isTrue(yield* hound.end())
    }))

  it.live("RFC H4 ends with its scope, and so do the children of its process", () =>
    Effect.gen(function*() {
      if (!hasProc) return
      const wrapped = planFor("works", "", { file: "/bin/sh" })
      const program = `"$@" & wait`
      const plan = { ...wrapped, args: ["-c", program, "sh", process.execPath, ...wrapped.args] }
      const pid = yield* Effect.scoped(Effect.gen(function*() {
        const hound = yield* launchTrialHound(plan)
        assert.strictEqual((yield* hound.take()).type, "ready")
        return hound.pid ?? assert.fail("no process")
      }))
      assert.isFalse(exists(pid))
      assert.isFalse(isAlive(pid))
    }))
})
