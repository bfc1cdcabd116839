/**
 * Custody in processes that are killed at any moment (CONFORMANCE E9, A5).
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { random } from "../support/random.ts"
import { amount, hunt } from "../support/tiers.ts"
import { inDirectory, temporaryDirectory, verified } from "./dataDirectories.ts"

const program = join(import.meta.dirname, "durableChild.ts")

/** Runs the child, kills it some ms after its first line, and gives its whole lines. */
const killed = (directory: string, name: string, ms: number): Effect.Effect<ReadonlyArray<string>> =>
  Effect.promise(() =>
    new Promise((resolve) => {
      const child = spawn(process.execPath, [program, directory, name], { stdio: ["ignore", "pipe", "inherit"] })
      let text = ""
      child.stdout.on("data", (chunk: Buffer) => {
        if (text === "") setTimeout(() => child.kill("SIGKILL"), ms)
        text += chunk.toString()
      })
      child.once("close", () => resolve(text.split("\n").slice(0, -1)))
    })
  )

const after = (lines: ReadonlyArray<string>, mark: string): ReadonlyArray<string> =>
  lines.filter((line) => line.startsWith(`${mark} `)).map((line) => line.slice(2))

describe("a process that is killed", () => {
  const { runs, seed } = hunt("CUSTODY_KILLS", { seed: 1, runs: 50, long: 1_000 })

  it.live(
    "RFC E9 A5 leaves all evidence that was said to be durable, none whose end was, and a ledger that verifies",
    () =>
      Effect.gen(function*() {
        const { below } = random(seed)
        const directory = yield* temporaryDirectory
        /** What must be held, what may be, and what must not. */
        const durable = new Set<string>()
        const ended = new Set<string>()
        for (let run = 0; run < Math.ceil(runs / amount({ sample: 7, rest: 1, long: 1 })); run++) {
          const lines = yield* killed(directory, `${seed} ${run}`, below(60))
          for (const signature of after(lines, "+")) durable.add(signature)
          for (const signature of after(lines, "-")) durable.delete(signature)
          for (const signature of after(lines, ".")) ended.add(signature)
          yield* inDirectory(directory, ({ sync }) =>
            Effect.sync(() => {
              const lost = [...durable].filter((signature) => sync.quarantine.get(signature) === null)
              const back = [...ended].filter((signature) => sync.quarantine.get(signature) !== null)
              assert.deepStrictEqual({ lost, back }, { lost: [], back: [] }, `run ${run}`)
              const { custody } = sync.watcher.snapshot()
              assert.strictEqual(custody.durable, custody.held)
            }), { quarantine: { maxCount: 1_000_000 } })
          const { finding } = yield* verified(directory)
          assert.isNull(finding)
        }
        assert.isAbove(durable.size, 0)
        assert.isAbove(ended.size, 0)
      }),
    3_600_000
  )
})
