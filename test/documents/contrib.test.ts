/**
 * What contrib/ has for operators, held against the metrics that there are: names, labels, and the
 * words that labels can be.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric, Schema } from "effect"
import * as Yaml from "effect/encoding/Yaml"
import { PrometheusMetrics } from "effect/observability"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { prometheusName } from "../../src/index.ts"
import { catalogue } from "../../src/runtime/MetricNames.ts"
import { everyMetric } from "../support/everyMetric.ts"
import { root } from "../support/programs.ts"
import { parsePrometheus } from "../support/prometheus.ts"
import { parsePromql, type Selector } from "../support/promql.ts"

const textOf = (name: string): string => readFileSync(join(root, "contrib", name), "utf8")

const Rules = Schema.Struct({
  groups: Schema.Array(Schema.Struct({
    name: Schema.String,
    rules: Schema.Array(Schema.Struct({
      alert: Schema.String,
      expr: Schema.String,
      for: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^\d+[smh]$/))),
      labels: Schema.Struct({ severity: Schema.Literals(["critical", "warning"]) }),
      annotations: Schema.Struct({ summary: Schema.NonEmptyString, description: Schema.NonEmptyString })
    }))
  }))
})

const Dashboard = Schema.Struct({
  schemaVersion: Schema.Literal(39),
  templating: Schema.Struct({ list: Schema.Array(Schema.Struct({ name: Schema.String, query: Schema.String })) }),
  panels: Schema.Array(Schema.Struct({
    id: Schema.Int,
    type: Schema.String,
    title: Schema.String,
    targets: Schema.optionalKey(Schema.Array(Schema.Struct({ expr: Schema.String, legendFormat: Schema.String })))
  }))
})

const strict = { onExcessProperty: "error" } as const
const rules = Schema.decodeUnknownSync(Rules, strict)(Yaml.parse(textOf("prometheus-rules.yml"))).groups
  .flatMap((group) => group.rules)
const dashboard = Schema.decodeUnknownSync(Dashboard)(JSON.parse(textOf("grafana-dashboard.json")))
const panels = dashboard.panels.flatMap(({ targets = [], title }) => targets.map((target) => ({ ...target, title })))

/** The labels of each series that a scraper reads, with the words that they can be. */
const scraped = Effect.map(PrometheusMetrics.format({ metricNameMapper: prometheusName }), (text) => {
  const words = new Map<string, Map<string, Set<string>>>()
  for (const { samples } of parsePrometheus(text)) {
    for (const { labels, name } of samples) {
      const of = words.get(name) ?? new Map<string, Set<string>>()
      words.set(name, of)
      for (const [label, word] of labels) of.set(label, (of.get(label) ?? new Set()).add(word))
    }
  }
  return words
}).pipe(
  Effect.provide(everyMetric),
  Effect.provideService(Metric.MetricRegistry, new Map())
)

/** What is wrong with a query: empty where nothing is. */
const mistakesIn = (query: string, words: ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>) => {
  const { groups, selectors } = parsePromql(query)
  const labels = new Set(selectors.flatMap(({ name }) => [...words.get(name)?.keys() ?? []]))
  const wrong = ({ matchers, name, range }: Selector): ReadonlyArray<string> => {
    const known = words.get(name)
    if (known === undefined) return [`there is no ${name}`]
    const isCounter = /_(?:total|bucket|sum|count)$/.test(name)
    return [
      ...(isCounter === (range !== null) ? [] : [`${name} is ${isCounter ? "a counter" : "no counter"}`]),
      ...matchers.flatMap(({ label, operator, value }) => {
        const possible = known.get(label)
        if (possible === undefined) return [`${name} has no label ${label}`]
        if (value === "$instance") return []
        const named = operator === "=~" ? value.split("|") : [value]
        return named.filter((word) => !possible.has(word)).map((word) => `${name} is never ${label}=${word}`)
      })
    ]
  }
  return [
    ...selectors.flatMap(wrong),
    ...groups.filter((group) => !labels.has(group)).map((group) => `nothing has the label ${group}`)
  ]
}

describe("contrib/prometheus-rules.yml", () => {
  it.effect("reads metrics that there are, by labels and words that they have", () =>
    Effect.gen(function*() {
      const words = yield* scraped
      for (const { alert, expr } of rules) assert.deepStrictEqual(mistakesIn(expr, words), [], alert)
      assert.isAtLeast(rules.length, 10)
      assert.strictEqual(new Set(rules.map(({ alert }) => alert)).size, rules.length)
    }))

  it("alerts on what an operator must hear of", () => {
    const read = rules.flatMap(({ expr }) => parsePromql(expr).selectors.map(({ name }) => name))
    const musts = [
      "panicked",
      "intercepts_total",
      "coldstorage_failed_total",
      "coldstorage_refused_total",
      "coldstorage_pending_age_seconds",
      "coldstorage_breaker_open",
      "quarantine_exits_total",
      "alerts_suppressed_total",
      "devops_breaker_open",
      "hounds",
      "hound_jobs_total",
      "hound_endings_total",
      "actor_crashes_total",
      "actor_mailbox_age_seconds",
      "actor_dead_letters_total"
    ].map((name) => `tracehound_${name}`)
    assert.deepStrictEqual(musts.filter((name) => !read.includes(name)), [])
  })
})

describe("contrib/grafana-dashboard.json", () => {
  it.effect("reads metrics that there are, by labels and words that they have", () =>
    Effect.gen(function*() {
      const words = yield* scraped
      for (const { expr, legendFormat, title } of panels) {
        assert.deepStrictEqual(mistakesIn(expr, words), [], title)
        const { groups } = parsePromql(expr)
        for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) assert.include([...groups], label, title)
      }
      const [, metric = "", label = ""] = /^label_values\((\w+), (\w+)\)$/.exec(
        dashboard.templating.list.find(({ name }) => name === "instance")?.query ?? ""
      ) ?? []
      assert.isTrue(words.get(metric)?.has(label))
    }))

  it("shows every metric that there is", () => {
    const read = new Set(panels.flatMap(({ expr }) => parsePromql(expr).selectors.map(({ name }) => name)))
    const missing = catalogue.filter(({ kind, name }) =>
      !read.has(`${prometheusName(name)}${kind === "histogram" ? "_bucket" : ""}`)
    )
    assert.deepStrictEqual(missing, [])
    assert.strictEqual(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length)
  })
})

describe("the checks themselves", () => {
  it.effect.each(
    [
      ["tracehound_panicks > 0", "there is no tracehound_panicks"],
      ["rate(tracehound_panicked[5m])", "tracehound_panicked is no counter"],
      ["tracehound_intercepts_total", "tracehound_intercepts_total is a counter"],
      ["rate(tracehound_intercepts_total{state=\"error\"}[5m])", "tracehound_intercepts_total has no label state"],
      [
        "rate(tracehound_intercepts_total{status=~\"error|bad\"}[5m])",
        "tracehound_intercepts_total is never status=bad"
      ],
      ["sum by (status) (tracehound_panicked)", "nothing has the label status"]
    ] as const
  )(
    "find the mistake in %s",
    ([query, mistake]) => Effect.map(scraped, (words) => assert.deepStrictEqual(mistakesIn(query, words), [mistake]))
  )
})
