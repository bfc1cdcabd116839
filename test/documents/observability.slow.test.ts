/**
 * docs/observability.md: its programs run to their end, beside an SDK and without a collector.
 */
import { assert, describe, it as every } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { inWorkspace, programsOf, root } from "../support/programs.ts"
import { restOf } from "../support/tiers.ts"
import { documentAt } from "./documents.ts"

const it = restOf(every)

const { text } = documentAt("docs/observability.md")

describe("docs/observability.md", () => {
  it("has programs that run to their end", () =>
    inWorkspace((directory) => {
      const programs = programsOf(text)
      assert.isAtLeast(programs.length, 3)
      programs.forEach((code, i) => writeFileSync(join(directory, `program-${i}.ts`), code))
      writeFileSync(
        join(directory, "run.mjs"),
        programs.map((_, i) => `await import("./program-${i}.ts")`).join("\n")
      )
      const { signal, status, stderr } = spawnSync(
        process.execPath,
        ["--import", "tsx", join(directory, "run.mjs")],
        { cwd: root, encoding: "utf8", timeout: 25_000 }
      )
      assert.deepStrictEqual([status, signal, stderr], [0, null, ""])
    }))

  it("names the versions that are tested", () => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      readonly devDependencies: Readonly<Record<string, string>>
    }
    for (const name of ["@effect/opentelemetry", "@opentelemetry/sdk-metrics", "@opentelemetry/sdk-logs"])
      assert.include(text, devDependencies[name] ?? "no version", name)
  })
})
