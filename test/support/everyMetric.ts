/**
 * A Tracehound that has every metric: it posts alerts, and has a data directory, which is gone with
 * it.
 */
import { Effect, Layer } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { TracehoundTest } from "../../src/testing/TracehoundTest.ts"

export const everyMetric = Layer.unwrap(Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "tracehound-metrics-"))),
    (directory) => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
  ),
  (directory) =>
    TracehoundTest.layer({
      alerts: { devopsEndpoint: "http://127.0.0.1:9" },
      dataDirectory: join(directory, "data")
    })
))
