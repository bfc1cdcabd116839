/**
 * The tests that docs/testing.md shows: their very text, run as a reader would run it.
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { programsOf, root } from "../support/programs.ts"
import { documentAt } from "./documents.ts"

const tests = programsOf(documentAt("docs/testing.md").text)
  .filter((code) => code.includes("from \"@effect/vitest\""))

// Below the repository, so that packages and the tsconfig's paths are found; `reports` is not part
// of it.
mkdirSync(join(root, "reports"), { recursive: true })
const directory = mkdtempSync(join(root, "reports", "shown-tests-"))
afterAll(() => rmSync(directory, { recursive: true }))
writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ extends: "../../tsconfig.json", include: ["*.ts"] }))

describe("docs/testing.md's own tests", () => {
  it("are a property in at most 25 lines, and how to steer the rest", () => {
    assert.lengthOf(tests, 2)
    assert.include(tests[0], "it.effect.prop(")
    assert.isAtMost(tests[0]?.trim().split("\n").length ?? Infinity, 25)
  })
})

// What a module says to `it` while it is loaded becomes a test of this file.
for (const [i, code] of tests.entries()) {
  const file = join(directory, `shown-${i}.ts`)
  writeFileSync(file, code)
  await import(pathToFileURL(file).href)
}
