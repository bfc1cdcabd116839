/**
 * A Tracehound whose hounds run an analyzer of our own: bundles it, takes a few scents into
 * custody, and prints how their examinations ended.
 */
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { chmodSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { createTracehound } from "tracehound"

// In service this is a directory of your own, and the SHA-256 one that you wrote down when you
// built the bundle.
const directory = realpathSync(mkdtempSync(join(tmpdir(), "tracehound-analyzer-")))
const path = join(directory, "analyzer.mjs")
try {
  // A Tracehound that runs as root starts its hounds as nobody, who has to be able to read the
  // bundle.
  chmodSync(directory, 0o755)
  execFileSync(process.execPath, [join(import.meta.dirname, "bundle.mjs"), directory])
  const sha256 = createHash("sha256").update(readFileSync(path)).digest("hex")

  const tracehound = createTracehound({
    hound: { analyzer: { path, sha256 } },
    // Senders can provoke errors of this analyzer: they must not be able to provoke a panic.
    failSafe: { onHoundError: "quarantine" }
  })
  try {
    // Resolves when hounds are ready; rejects with the reason where the analyzer cannot be started.
    await tracehound.init()
    const { dormant, sandbox } = tracehound.watcher.snapshot().hound
    console.log(`the sandbox in effect: ${sandbox}; hounds that wait: ${dormant}`)

    const payloads = [
      `{"user":"admin","filter":{"$gt":""}}`,
      `{"role":"user","role":"admin"}`,
      `{"\\u005f_proto__":{"isAdmin":true}}`,
      "[".repeat(1000)
    ]
    for (const [index, payload] of payloads.entries()) {
      const result = tracehound.intercept({
        id: String(index),
        source: "192.0.2.7",
        timestamp: Date.now(),
        payload,
        threat: { category: "injection", severity: "critical" }
      })
      const shown = payload.length > 40 ? `${payload.slice(0, 40)}…` : payload
      console.log(`${shown}: ${result.status}`)
    }

    // Hounds look at evidence on their own time: `intercept` has long answered. Where this machine
    // has none, nobody does.
    const looked = (): number => {
      const { complete, error, timeout } = tracehound.hounds.outcomes()
      return complete + error + timeout
    }
    if (sandbox !== "none") {
      for (let tries = 0; looked() < payloads.length && tries < 300; tries++) await setTimeout(100)
    }
    const { complete, error } = tracehound.hounds.outcomes()
    console.log(`examined: ${complete}, could not be examined: ${error}, still held: ${tracehound.quarantine.count}`)
  } finally {
    await tracehound.dispose()
  }
} finally {
  rmSync(directory, { recursive: true, force: true })
}
