/**
 * The examples in the docstrings of `src/`: each is a module that type-checks against the sources
 * and runs to its end.
 *
 * **Gotchas**
 *
 * - All of them run in one process, one after the other, as a start costs more than any of them.
 * - An example that does not end by itself has a fence that says `ts no-run`: it is type-checked
 *   and not run.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { examplesOf, root, typeCheckIn, unfenced } from "../support/programs.ts"

const sources = globSync("src/**/*.{ts,mjs}", { cwd: root }).toSorted().map((path) => ({
  path: path.replaceAll("\\", "/"),
  text: readFileSync(join(root, path), "utf8")
}))

/** Each with the name of the file that it is written to, which tells where it stands. */
const examples = sources.flatMap(({ path, text }) =>
  examplesOf(text).map((example) => ({
    ...example,
    file: `${path.replaceAll("/", "_").replace(/\.[a-z]+$/, "")}_line_${example.line}.ts`
  }))
)

describe("the examples of docstrings", () => {
  let directory = ""

  beforeAll(() => {
    mkdirSync(join(root, "reports"), { recursive: true })
    directory = mkdtempSync(join(root, "reports", "examples-"))
    for (const { code, file } of examples) writeFileSync(join(directory, file), code)
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it("are fenced as TypeScript, all of them", () => {
    assert.isAtLeast(examples.length, 10)
    assert.deepStrictEqual(sources.flatMap(({ path, text }) => unfenced(text).map((line) => `${path}:${line}`)), [])
  })

  // What is shown is often not used any further.
  it("type-check", () => typeCheckIn(directory, { noUnusedLocals: false, noUnusedParameters: false }))

  it("run to their end", () => {
    const files = examples.filter(({ runs }) => runs).map(({ file }) => file)
    const runner = [
      "let file = \"\"",
      "process.on(\"exit\", (code) => { if (code !== 0) console.error(\"while or after \" + file + \" ran\") })",
      `for (file of ${JSON.stringify(files)}) await import("./" + file)`
    ]
    writeFileSync(join(directory, "run.mjs"), runner.join("\n"))
    const { signal, status, stderr, stdout } = spawnSync(
      process.execPath,
      ["--import", "tsx", join(directory, "run.mjs")],
      { cwd: root, encoding: "utf8", timeout: 60_000 }
    )
    assert.strictEqual(status, 0, `${signal ?? ""} ${stdout} ${stderr}`)
  }, 90_000)
})

describe("the search itself", () => {
  const docstring = (...lines: ReadonlyArray<string>): string =>
    ["/**", ...lines.map((line) => ` * ${line}`.trimEnd()), " */", ""].join("\n")

  it("finds programs, and those that are only type-checked", () => {
    const text = docstring("A.", "", "```ts", "run(1)", "", "  * 2", "```", "```sh", "no", "```") +
      docstring("```ts no-run", "serve()", "```")
    assert.deepStrictEqual(examplesOf(text), [
      { line: 4, code: "run(1)\n\n  * 2\n", runs: true },
      { line: 14, code: "serve()\n", runs: false }
    ])
  })

  it("finds an example without a fence", () => {
    assert.deepStrictEqual(unfenced(docstring("@example", "run(1)")), [2])
    assert.deepStrictEqual(unfenced(docstring("@example A title", "", "text")), [2])
    assert.deepStrictEqual(unfenced(docstring("@example", "```ts", "run(1)", "```")), [])
    assert.deepStrictEqual(unfenced(docstring("@example A title", "", "```ts no-run", "run(1)", "```")), [])
  })
})
