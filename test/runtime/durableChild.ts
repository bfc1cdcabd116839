/**
 * Takes evidence in until it is killed, and says on its standard output what it was promised: a
 * line `+ signature` for evidence that is on disk, `- signature` before it is neutralized, and
 * `. signature` when the record of that is on disk. Arguments: the directory, and a name of its
 * own.
 */
import { writeSync } from "node:fs"
import { createTracehound } from "../../src/index.ts"

const [dataDirectory = "", name = ""] = process.argv.slice(2)

const tracehound = createTracehound({
  dataDirectory,
  hound: { enabled: false },
  rateLimit: { maxRequests: 1_000_000 },
  quarantine: { maxCount: 1_000_000 }
})
await tracehound.init()

const say = (lines: ReadonlyArray<string>): void => void writeSync(1, `${lines.join("\n")}\n`)

for (let step = 0;; step++) {
  const handles = [0, 1, 2, 3].flatMap((n) => {
    const result = tracehound.intercept({
      id: `${step}`,
      source: "192.0.2.7",
      timestamp: step,
      payload: `${name} ${step} ${n}`.padEnd(10 + 300 * n, "x"),
      threat: { category: "injection", severity: "medium" }
    })
    return result.status === "quarantined" ? [result.handle] : []
  })
  await Promise.all(handles.map(tracehound.whenDurable))
  say(handles.map(({ signature }) => `+ ${signature}`))
  const leaving = handles.slice(2)
  say(leaving.map(({ signature }) => `- ${signature}`))
  for (const handle of leaving) handle.neutralize()
  const { size } = tracehound.watcher.snapshot().ledger
  while (tracehound.watcher.snapshot().ledger.durable < size) await new Promise(setImmediate)
  say(leaving.map(({ signature }) => `. ${signature}`))
}
