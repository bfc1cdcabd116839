/**
 * The README: a user's first ten minutes. Its first program runs.
 */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { inWorkspace, programsOf, root } from "../support/programs.ts"
import { documentAt } from "./documents.ts"

const { text } = documentAt("README.md")
const programs = programsOf(text)

describe("README", () => {
  it("has at most 200 lines", () => {
    assert.isAtMost(text.split("\n").length, 200)
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
