/**
 * The TypeScript programs in a document. Each must be a module by itself.
 */
import { assert } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../../", import.meta.url))

/** The code of all ```ts blocks, in order. */
export const programsOf = (markdown: string): ReadonlyArray<string> =>
  Array.from(markdown.matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, code = ""]) => code)

/**
 * Runs with a temporary directory in `reports`: below the root, so that packages and the tsconfig's
 * paths are found.
 */
export const inWorkspace = async (use: (directory: string) => void | Promise<void>): Promise<void> => {
  mkdirSync(join(root, "reports"), { recursive: true })
  const directory = mkdtempSync(join(root, "reports", "programs-"))
  try {
    await use(directory)
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Asserts that all programs type-check against the sources, as strictly as the sources do. */
export const typeCheck = (programs: ReadonlyArray<string>): Promise<void> =>
  inWorkspace((directory) => {
    programs.forEach((code, i) => writeFileSync(join(directory, `program-${i}.ts`), code))
    const config = { extends: "../../tsconfig.json", include: ["*.ts"] }
    writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(config))
    const tsc = spawnSync("tsc", ["-p", directory], { encoding: "utf8" })
    assert.strictEqual(tsc.stdout, "")
    assert.strictEqual(tsc.status, 0)
  })
