/**
 * The core on other runtimes: each walks the same way, on portable ports, and has the same answers (CONFORMANCE R5).
 */
import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const root = fileURLToPath(new URL("../../", import.meta.url))
const smoke = "test/runtimes/smoke.ts"

/** The binary that an optional package brings; null where the package is not for this platform. */
const binaryOf = (name: string, path: string): string | null => {
  const found = createRequire(import.meta.url).resolve.paths(name)?.map((directory) => join(directory, name, path))
  return found?.find((file) => existsSync(file)) ?? null
}

/** Nothing is fetched, and no more is allowed than to read the sources and the environment. */
const deno = ["run", "--no-config", "--node-modules-dir=manual", "--cached-only", "--no-check", "--no-prompt"]
const allowed = ["--allow-read", "--allow-env"]

const runtimes: ReadonlyArray<readonly [name: string, command: string | null, args: ReadonlyArray<string>]> = [
  ["Node", process.execPath, []],
  ["Bun", binaryOf("@oven/bun-linux-x64", "bin/bun"), ["--no-install"]],
  ["Deno", binaryOf("@deno/linux-x64-glibc", "deno"), [...deno, ...allowed]]
]

interface Smoke {
  readonly runtime: string
  readonly answer: Readonly<Record<string, unknown>>
}

const run = async (command: string, args: ReadonlyArray<string>): Promise<Smoke> => {
  const { NODE_OPTIONS: _, ...env } = process.env
  const { stdout } = await promisify(execFile)(command, [...args, smoke], {
    cwd: root,
    env: { ...env, NO_COLOR: "1", DENO_DIR: join(root, "reports/deno") },
    timeout: 60_000
  })
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Smoke
}

/** CANONICAL.md's examples, and what the walk does. */
const expected = {
  statuses: { duplicate: "ignored", clean: "clean", tooLarge: "payload_too_large", noScent: "error" },
  neutralized: ["neutralized", 14],
  scoped: "quarantined",
  flushed: 20,
  wiped: true,
  verified: true,
  gzip: true,
  ascending: true,
  evidence: Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString("hex")
}

describe("other runtimes", { timeout: 90_000 }, () => {
  let onNode: Smoke["answer"] | undefined

  for (const [name, command, args] of runtimes) {
    if (command === null) {
      const isExpected = process.platform === "linux" && process.arch === "x64" && process.env["CI"] === "true"
      const why = `there is no ${name} in node_modules: npm has one for Linux on x64 with glibc`
      it(`RFC R5 the core's smoke test passes on ${name}`, ({ skip }) => isExpected ? assert.fail(why) : skip(why))
      continue
    }
    it(`RFC R5 the core's smoke test passes on ${name}`, async () => {
      const { answer, runtime } = await run(command, args)
      assert.strictEqual(runtime, name)
      assert.deepInclude(answer, expected)
      assert.deepInclude(answer["signatures"], {
        text: "injection:fc5d49bbaf39f98b659cbafac841654f529b9690293d106902a27acb82aad4b6",
        accessor: "injection:6f89b3a0672e25d1f487965426dde8cfcd9fbc97fe996d02b7ed0008fe5be091"
      })
      onNode ??= answer
      assert.deepStrictEqual(answer, onNode, "as on Node")
    })
  }
})
