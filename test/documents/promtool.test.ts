/**
 * Prometheus' own judgement, where `promtool` is installed (Debian: `apt-get install prometheus`).
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { prometheusName } from "../../src/index.ts"
import { everyMetric } from "../support/everyMetric.ts"
import { root } from "../support/programs.ts"

const isInstalled = spawnSync("promtool", ["--version"]).status === 0

/** Says that promtool is missing; where it must be there, that is a failure. */
const skipped = (skip: (note: string) => void): void => {
  assert.notStrictEqual(process.env["CI"], "true", "CI must have promtool")
  skip("promtool is not installed")
}

/** Runs `promtool check` and gives what it said, and whether all was well. */
const check = (what: "metrics" | "rules", file: ReadonlyArray<string>, input = "") => {
  const { status, stderr, stdout } = spawnSync("promtool", ["check", what, ...file], { input, encoding: "utf8" })
  return { status, said: `${stdout}${stderr}` }
}

describe("promtool", () => {
  it("takes the alerting rules", ({ skip }) => {
    if (!isInstalled) return skipped(skip)
    const { said, status } = check("rules", [join(root, "contrib/prometheus-rules.yml")])
    assert.strictEqual(status, 0, said)
  })

  it.effect("takes the text of a Tracehound, and finds nothing to improve", ({ skip }) =>
    Effect.gen(function*() {
      if (!isInstalled) return skipped(skip)
      const text = yield* PrometheusMetrics.format({ metricNameMapper: prometheusName })
      const own = text.split("\n").filter((line) => /^(?:# \w+ )?tracehound_/.test(line)).join("\n")
      const { said, status } = check("metrics", [], `${own}\n`)
      assert.strictEqual(status, 0, said)
    }).pipe(
      Effect.provide(everyMetric),
      Effect.provideService(Metric.MetricRegistry, new Map())
    ))

  it("takes every query of the dashboard", ({ skip }) => {
    if (!isInstalled) return skipped(skip)
    const dashboard = readFileSync(join(root, "contrib/grafana-dashboard.json"), "utf8")
    const queries = Array.from(
      dashboard.matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g),
      ([, quoted = ""]) => JSON.parse(quoted) as string
    )
    assert.isAtLeast(queries.length, 20)
    const rules = queries.map((query, i) => ({
      record: `query:panel${i}`,
      expr: query.replaceAll("$__rate_interval", "5m")
    }))
    const folder = mkdtempSync(join(tmpdir(), "tracehound-rules-"))
    try {
      const file = join(folder, "rules.json")
      writeFileSync(file, JSON.stringify({ groups: [{ name: "dashboard", rules }] }))
      const { said, status } = check("rules", [file])
      assert.strictEqual(status, 0, said)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
