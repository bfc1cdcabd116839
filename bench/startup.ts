/**
 * The fresh process of `sections/start.ts`: imports the module that is named; where that is
 * Tracehound, makes one and sends one scent. Prints the milliseconds of the import and of the rest.
 */
import type * as Tracehound from "../src/index.ts"

const [, , entry = "", isTracehound] = process.argv
const start = performance.now()
const imported = await import(entry) as typeof Tracehound
const there = performance.now()
if (isTracehound === "true") {
  const { status } = imported.createTracehound().intercept({
    id: "request-1",
    source: "192.0.2.1",
    timestamp: 1_760_000_000_000,
    payload: "' OR 1=1 --",
    threat: { category: "injection", severity: "high" }
  })
  if (status !== "quarantined") throw new Error(`the first scent was answered ${status}`)
}
process.stdout.write(JSON.stringify({ imported: there - start, answered: performance.now() - there }))
