/**
 * The core on other runtimes: each walks the same way, on portable ports, and has the same answers
 * (CONFORMANCE R5).
 *
 * **Gotchas**
 *
 * - npm has Bun and Deno as packages for Linux on x64 with glibc. Elsewhere their tests are
 *   skipped, aloud; there, with CI=true, a missing one is a failure.
 */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openEnvelope } from "../../src/index.ts"
import { shareOf } from "../support/tiers.ts"

const root = join(import.meta.dirname, "../..")
const smoke = join(import.meta.dirname, "smoke.ts")

/** A binary that an optional dependency brings, or undefined. What is missing is said aloud. */
const needsBinary = (path: string): string | undefined => {
  const found = join(root, "node_modules", path)
  if (existsSync(found)) return found
  const message = `there is no node_modules/${path}: npm has it for Linux on x64 with glibc`
  if (process.env["CI"] === "true" && process.platform === "linux" && process.arch === "x64") throw new Error(message)
  console.warn(`SKIPPED: ${message}`)
  return undefined
}

/**
 * Nothing is fetched, nothing is asked, nothing written beside the sources, and of Deno's
 * permissions none is given.
 */
const deno = [
  "run",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--cached-only",
  "--node-modules-dir=manual",
  "--no-check",
  "--no-prompt"
]

type Runtime = readonly [
  name: string,
  userAgent: string,
  binary: () => string | undefined,
  flags: ReadonlyArray<string>
]

const runtimes: readonly [Runtime, ...ReadonlyArray<Runtime>] = [
  ["Node", "Node.js", () => process.execPath, []],
  ["Bun", "Bun", () => needsBinary("@oven/bun-linux-x64/bin/bun"), ["--no-install", "--no-env-file"]],
  ["Deno", "Deno", () => needsBinary("@deno/linux-x64-glibc/deno"), deno]
]

interface Smoke {
  readonly runtime: string
  readonly version: string
  readonly checks: number
  readonly failed: ReadonlyArray<string>
  readonly answer: Readonly<Record<string, string>>
}

interface Ended {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the smoke test in a process of its own, whose caches are gone afterwards. */
const run = async (binary: string, flags: ReadonlyArray<string>): Promise<Ended> => {
  const caches = mkdtempSync(join(tmpdir(), "tracehound-runtimes-"))
  const { NODE_OPTIONS: _, ...inherited } = process.env
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn(binary, [...flags, smoke], {
        cwd: root,
        env: {
          ...inherited,
          NO_COLOR: "1",
          DENO_DIR: caches,
          DENO_NO_UPDATE_CHECK: "1",
          BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0"
        },
        stdio: ["ignore", "pipe", "pipe"],
        timeout: 60_000
      })
      let stdout = ""
      let stderr = ""
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        stdout += text
      })
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text
      })
      child.on("error", reject)
      child.on("close", (status) => resolve({ status, stdout, stderr }))
    })
  } finally {
    rmSync(caches, { recursive: true, force: true })
  }
}

describe("other runtimes", { timeout: 90_000 }, () => {
  /** What the first of them said. */
  let first: Smoke | undefined

  // The first is what the others are compared with: so it is of each tier.
  const [node, ...others] = runtimes
  const wanted = [node, ...shareOf(others, (_, index) => index === 0)]
  for (const [name, userAgent, binaryOf, flags] of wanted) {
    it(`RFC R5 the core's smoke test passes on ${name}`, async ({ skip }) => {
      const binary = binaryOf() ?? skip(`${name} is not installed`)
      const { status, stderr, stdout } = await run(binary, flags)
      assert.strictEqual(status, 0, `${stdout}${stderr}`)
      const said = JSON.parse(stdout) as Smoke
      assert.strictEqual(said.runtime, userAgent)
      assert.deepStrictEqual([...said.failed], [])
      assert.isAbove(said.checks, 500)

      first ??= said
      assert.strictEqual(said.checks, first.checks)
      assert.deepStrictEqual(said.answer, first.answer, `as on ${first.runtime}`)
      const { content, record } = openEnvelope(Buffer.from(said.answer["envelope"] ?? "", "hex"))
      assert.strictEqual(content.length, 5_000)
      assert.strictEqual(record.category, "malware")
    })
  }
})
