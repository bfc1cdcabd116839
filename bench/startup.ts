/**
 * The fresh process of `sections/start.ts`: imports the entry that is named, makes a Tracehound,
 * sends one scent, and prints the milliseconds of the import and of the rest.
 */
import type * as Tracehound from "../src/index.ts"

const [, , entry = ""] = process.argv
const start = performance.now()
const { createTracehound } = (await import(entry)) as typeof Tracehound
const imported = performance.now()
const { status } = createTracehound().intercept({
  id: "request-1",
  source: "192.0.2.1",
  timestamp: 1_760_000_000_000,
  payload: "' OR 1=1 --",
  threat: { category: "injection", severity: "high" }
})
const answered = performance.now()
if (status !== "quarantined") throw new Error(`the first scent was answered ${status}`)
process.stdout.write(JSON.stringify({ imported: imported - start, answered: answered - imported }))
