/**
 * The README's programs: each one type-checks against the sources, and the first one runs.
 */
import { assert, describe, it as every } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { inWorkspace, programsOf, root, typeCheck } from "./support/programs.ts"
import { sampleOf } from "./support/tiers.ts"

const it = sampleOf(every, 2)

const programs = programsOf(readFileSync(join(root, "README.md"), "utf8"))

describe("README", () => {
  it("has programs that type-check", () => {
    assert.isAtLeast(programs.length, 3)
    return typeCheck(programs)
  })

  it("has a first program that takes a threat into custody", () =>
    inWorkspace((directory) => {
      const file = join(directory, "first.ts")
      writeFileSync(file, programs[0] ?? "")
      const output = execFileSync(process.execPath, ["--import", "tsx", file], { cwd: root, encoding: "utf8" })
      assert.match(output, /^escalated injection:[0-9a-f]{64}\n$/)
    }))

  it("embeds in about twenty lines", () => {
    for (const program of programs.slice(0, 2)) assert.isAtMost(program.trim().split("\n").length, 22)
  })
})
