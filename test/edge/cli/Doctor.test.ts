/**
 * `tracehound doctor --sandbox` within this process: which attacks its flags choose, and what is
 * said of them.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import { TestConsole } from "effect/testing"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { type Diagnosis, doctorCommand } from "../../../src/edge/cli/Doctor.ts"
import { WrongUse } from "../../../src/edge/cli/Failure.ts"
import type { LevelReport } from "../../../src/edge/probes/Report.ts"
import { hasHard } from "../../hound/sandbox/boots.ts"
import { inTemporaryDirectory } from "../../support/command.ts"

/** The answer of the doctor, or how it failed. That this process lacks flags is of no interest. */
const doctor = (...args: ReadonlyArray<string>): Promise<{ readonly failure: unknown; readonly said: string }> =>
  Effect.gen(function*() {
    const run = Command.runWith(doctorCommand, { version: "0.0.0" })(args)
    const failure = yield* Effect.matchEffect(run, {
      onFailure: (error) => Effect.succeed(error),
      onSuccess: () => Effect.succeed(null)
    })
    const lines = yield* TestConsole.logLines
    return { failure, said: lines.join("\n") }
  }).pipe(Effect.provide(Layer.mergeAll(NodeServices.layer, TestConsole.layer)), Effect.runPromise)

const diagnosis = async (...args: ReadonlyArray<string>): Promise<Diagnosis> =>
  JSON.parse((await doctor("--json", ...args)).said)

/** What came of the attacks. */
const attacked = async (...args: ReadonlyArray<string>): Promise<LevelReport> =>
  (await diagnosis("--sandbox", ...args)).sandbox.probes ?? assert.fail("there were no attacks")

const oneControl = ["--only", "^allow/timer$"]

describe("doctor --sandbox", () => {
  it("RFC H2 refuses flags that choose attacks where there are to be none", async () => {
    for (const args of [["--level", "hard"], ["--resources"], ["--only", "^net/"]]) {
      const { failure, said } = await doctor(...args)
      assert.instanceOf(failure, WrongUse)
      assert.include(failure.message, "--sandbox")
      assert.strictEqual(said, "")
    }
  })

  it("RFC H2 refuses a choice that it cannot read, or that chooses nothing", async () => {
    assert.instanceOf((await doctor("--sandbox", "--only", "(")).failure, WrongUse)
    assert.instanceOf((await doctor("--sandbox", "--only", "^resource/")).failure, WrongUse, "they need --resources")
    assert.isTrue(CliError.isCliError((await doctor("--sandbox", "--level", "harder")).failure))
  })

  it("RFC H2 attacks the level in effect, and names every attack", async () => {
    const { level, probes, resources } = await attacked(...oneControl)
    assert.strictEqual(level, "default")
    assert.deepStrictEqual(probes.map(({ name, outcome }) => [name, outcome]), [["allow/timer", "works"]])
    assert.isNull(resources)
    const { said } = await doctor("--sandbox", ...oneControl)
    assert.match(said, /ok {7}attacks at the level default: 0 closed, 1 that must work do/)
    assert.match(said, /^allow: 1 works$/m)
    assert.match(said, /^ {2}works {2}timer {16}works$/m)
  })

  it("RFC H2 attacks the level that it is told to, whatever is configured", () =>
    inTemporaryDirectory(async (directory) => {
      const file = join(directory, "tracehound.json")
      writeFileSync(file, "{\"hound\":{\"enabled\":false}}")
      const { probes } = await attacked("--config", file, "--level", "default", ...oneControl)
      assert.strictEqual(probes[0]?.outcome, "works")
      const { sandbox } = await diagnosis("--sandbox", "--config", file, ...oneControl)
      assert.isFalse(sandbox.enabled)
      assert.isNull(sandbox.probes)
    }))

  it("RFC H2 attacks the level hard though the level default is configured, or says that it is missing", async () => {
    const { level, missing, probes } = await attacked("--level", "hard", ...oneControl)
    assert.strictEqual(level, "hard")
    if (hasHard) assert.strictEqual(probes[0]?.outcome, "works")
    else assert.match(missing ?? "", /there is no level hard here/)
  })

  it("RFC H4 makes the attacks on time and memory where it is told to", async () => {
    const choice = ["--resources", "--only", "^resource/loop$"]
    const { probes, resources } = await attacked(...choice)
    assert.deepStrictEqual(probes, [])
    assert.deepStrictEqual(
      resources?.results.map(({ end, name, outcome }) => [name, outcome, end]),
      [["resource/loop", "contained", "deadline"]]
    )
    const { said } = await doctor("--sandbox", ...choice)
    assert.match(said, /0 closed, 0 that must work do, 1 contained/)
    assert.match(said, /^resource\/loop +contained +deadline/m)
  })
})
