/**
 * The README's programs: each one type-checks against the sources, and the first one runs.
 */
import { assert, describe, it } from "@effect/vitest"
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../", import.meta.url))
const readme = readFileSync(join(root, "README.md"), "utf8")
const programs = Array.from(readme.matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, code = ""]) => code)

/** Below the repository, so that packages and the tsconfig's paths are found; `reports` is not part of it. */
const inWorkspace = (use: (directory: string) => void) => {
  mkdirSync(join(root, "reports"), { recursive: true })
  const directory = mkdtempSync(join(root, "reports", "readme-"))
  try {
    use(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

describe("README", () => {
  it("has programs that type-check", () =>
    inWorkspace((directory) => {
      assert.isAtLeast(programs.length, 3)
      programs.forEach((code, i) => writeFileSync(join(directory, `program-${i}.ts`), code))
      writeFileSync(
        join(directory, "tsconfig.json"),
        JSON.stringify({ extends: "../../tsconfig.json", include: ["*.ts"] })
      )
      const tsc = spawnSync("tsc", ["-p", directory], { encoding: "utf8" })
      assert.strictEqual(tsc.stdout, "")
      assert.strictEqual(tsc.status, 0)
    }))

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
