/**
 * The whole suite in processes that run as the RFC wants its host to: `--disable-proto=throw
 * --frozen-intrinsics`.
 *
 * Promises that every test file ran in a process with both flags: each is looked at before its
 * first test (`hardened.setup.mjs`), the suite proves it once more from inside (`RFC R1 the
 * processes of this run …` in `test/hostile/Hardened.test.ts`), and a run without that proof fails.
 * The last line is the test runner's own count; the status is not zero when anything failed, and
 * when no test ran.
 *
 * Arguments are handed to vitest: `node .ci/hardened.mjs test/intake/gate`. With any, the proof is
 * added.
 */
import { spawnSync } from "node:child_process"
import { readFileSync, rmSync } from "node:fs"
import { fileURLToPath } from "node:url"

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const report = path("../reports/vitest-hardened.json")
const proof = "test/hostile/Hardened.test.ts"

const filters = process.argv.slice(2)
rmSync(report, { force: true })
const { status } = spawnSync(
  process.execPath,
  [
    path("../node_modules/vitest/vitest.mjs"),
    "run",
    "--config",
    path("hardened.config.mjs"),
    ...(filters.length === 0 ? [] : [...filters, proof])
  ],
  { cwd: path(".."), stdio: "inherit", env: { ...process.env, HARDENED_RUN: "1" } }
)

let failed = status !== 0
try {
  const { numFailedTests, numPassedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
    readFileSync(report, "utf8")
  )
  const proofs = testResults.flatMap((file) => file.name.endsWith(proof) ? file.assertionResults : [])
  if (
    !proofs.some(({ status, title }) => title.startsWith("RFC R1 the processes of this run") && status === "passed")
  ) {
    console.error("nothing proved that the flags held")
    failed = true
  }
  const skipped = numPendingTests + numTodoTests
  console.log(
    `${numPassedTests} passed, ${numFailedTests} failed${skipped === 0 ? "" : `, ${skipped} skipped`}, hardened`
  )
  failed ||= numPassedTests === 0 || numFailedTests > 0
} catch {
  console.error("the test runner left no report")
  failed = true
}
process.exitCode = failed ? 1 : 0
