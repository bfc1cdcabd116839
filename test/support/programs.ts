/**
 * The programs of a document, taken at its word: each is a module of its own.
 */
import { assert } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../../", import.meta.url))

/** The TypeScript of a document, in order. */
export const programsOf = (markdown: string): ReadonlyArray<string> =>
  Array.from(markdown.matchAll(/^```ts\n([\s\S]*?)^```$/gm), ([, code = ""]) => code)

/**
 * Below the repository, so that packages and the tsconfig's paths are found; `reports` is not part
 * of it.
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

/** All of them type-check against the sources, as strictly as those do. */
export const typeCheck = (programs: ReadonlyArray<string>): Promise<void> =>
  inWorkspace((directory) => {
    programs.forEach((code, i) => writeFileSync(join(directory, `program-${i}.ts`), code))
    const config = { extends: "../../tsconfig.json", include: ["*.ts"] }
    writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(config))
    const tsc = spawnSync("tsc", ["-p", directory], { encoding: "utf8" })
    assert.strictEqual(tsc.stdout, "")
    assert.strictEqual(tsc.status, 0)
  })
