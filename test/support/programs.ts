/**
 * The TypeScript programs in a document or in docstrings. Each must be a module by itself.
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

/** A program of a docstring. */
export interface Example {
  /** The line of its fence. */
  readonly line: number
  readonly code: string
  /** False where its fence says `ts no-run`, which one says of a program that does not end. */
  readonly runs: boolean
}

/** The programs in the docstrings of a source, in order. */
export const examplesOf = (source: string): ReadonlyArray<Example> =>
  Array.from(
    source.matchAll(/^ *\* ```ts(?<mark> no-run)?\n(?<code>(?: *\*.*\n)*?) *\* ```$/gm),
    ({ groups, index }) => ({
      line: source.slice(0, index).split("\n").length,
      code: (groups?.["code"] ?? "").replaceAll(/^ *\* ?/gm, ""),
      runs: groups?.["mark"] === undefined
    })
  )

/** Lines of docstrings with an `@example` that no fence of TypeScript follows: nobody runs it. */
export const unfenced = (source: string): ReadonlyArray<number> =>
  Array.from(
    source.matchAll(/^ *\* @example\b(?!(?:.*\n(?: *\*\n)*?) *\* ```ts)/gm),
    ({ index }) => source.slice(0, index).split("\n").length
  )

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

/**
 * Asserts that the programs of a workspace type-check against the sources, as strictly as the
 * sources do.
 */
export const typeCheckIn = (directory: string, compilerOptions: Readonly<Record<string, unknown>> = {}): void => {
  const config = { extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"] }
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(config))
  const tsc = spawnSync("tsc", ["-p", directory], { encoding: "utf8" })
  assert.strictEqual(tsc.stdout, "")
  assert.strictEqual(tsc.status, 0)
}

/** Asserts that all programs type-check against the sources. */
export const typeCheck = (programs: ReadonlyArray<string>): Promise<void> =>
  inWorkspace((directory) => {
    programs.forEach((code, i) => writeFileSync(join(directory, `program-${i}.ts`), code))
    typeCheckIn(directory)
  })
