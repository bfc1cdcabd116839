// Everything but the tests: types, Effect's diagnostics, lint, format, dead code, and the package
// as it would be published. Each step is a program of its own that changes nothing in the tree. As
// many run at once as there are cores; one line each with its time, the output of what failed, and
// a status that is not zero when anything did.
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { setTimeout } from "node:timers/promises"

const root = join(import.meta.dirname, "..")
const out = mkdtempSync(join(tmpdir(), "tracehound-check-"))
const tarball = () => join(out, readdirSync(out).find((name) => name.endsWith(".tgz")) ?? "no-tarball.tgz")

/**
 * The longest first: with two lanes the order is most of the schedule. `needs` names a step that
 * must have passed.
 */
const steps = [
  { name: "package", run: () => ["node", ".ci/pack.mjs", "tarball", out] },
  { name: "attw", needs: "package", run: () => ["attw", tarball(), "--profile", "esm-only", "--no-color"] },
  { name: "publint", needs: "package", run: () => ["publint", "run", tarball(), "--strict"] },
  { name: "tsc", run: () => ["tsc", "-p", "tsconfig.json", "--pretty", "false"] },
  {
    name: "effect",
    run: () => ["effect-tsgo", "diagnostics", "--project", "tsconfig.json", "--strict", "--format", "text"]
  },
  { name: "oxlint", run: () => ["oxlint"] },
  { name: "knip", run: () => ["knip", "--treat-config-hints-as-errors", "--no-progress"] },
  { name: "dprint", run: () => ["dprint", "check"] }
]

const execute = ([command, ...args]) =>
  new Promise((resolve) => {
    const chunks = []
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`, NO_COLOR: "1" },
      shell: process.platform === "win32",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 300_000
    })
    child.stdout.on("data", (chunk) => chunks.push(chunk))
    child.stderr.on("data", (chunk) => chunks.push(chunk))
    child.on("error", (error) => resolve({ passed: false, output: String(error) }))
    child.on("close", (code, signal) =>
      resolve({
        passed: code === 0,
        output: Buffer.concat(chunks).toString() + (signal === null ? "" : `ended by ${signal}\n`)
      }))
  })

const results = new Map()
const waiting = [...steps]

const lane = async () => {
  for (;;) {
    const index = waiting.findIndex(({ needs }) => needs === undefined || results.has(needs))
    if (index < 0) {
      if (waiting.length === 0) return
      await setTimeout(20)
      continue
    }
    const [step] = waiting.splice(index, 1)
    if (step.needs !== undefined && results.get(step.needs) === false) {
      results.set(step.name, false)
      process.stdout.write(`- ${step.name} not run: ${step.needs} failed\n`)
      continue
    }
    const started = performance.now()
    const { output, passed } = await execute(step.run())
    results.set(step.name, passed)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    process.stdout.write(`${passed ? "ok" : "FAILED"} ${step.name} ${seconds} s\n${passed ? "" : `${output}\n`}`)
  }
}

const started = performance.now()
if (!existsSync(join(root, "node_modules"))) throw new Error("run `npm ci` first")
try {
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), 4) }, lane))
} finally {
  rmSync(out, { recursive: true, force: true })
}
const failed = steps.filter(({ name }) => results.get(name) !== true)
const total = ((performance.now() - started) / 1000).toFixed(1)
process.stdout.write(`${steps.length - failed.length} of ${steps.length} checks passed in ${total} s\n`)
process.exitCode = failed.length === 0 ? 0 : 1
