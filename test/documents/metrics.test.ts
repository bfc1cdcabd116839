/**
 * docs/metrics.md and the code: each has the metrics of the other, with kind, unit and labels.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { catalogue } from "../../src/runtime/MetricNames.ts"
import { everyMetric } from "../support/everyMetric.ts"
import { documentAt } from "./documents.ts"

interface Row {
  readonly name: string
  readonly kind: string
  readonly unit: string
  /** Each label, with the words that the page says it can have. */
  readonly labels: ReadonlyMap<string, ReadonlyArray<string>>
}

/** The rows of the page's tables. */
const rows: ReadonlyArray<Row> = documentAt("docs/metrics.md").text.split("\n")
  .filter((line) => line.startsWith("| `tracehound."))
  .map((line) => {
    const [, name = "", kind = "", unit = "", attributes = "", meaning = "", moves = ""] = line.split("|").map((cell) =>
      cell.trim()
    )
    assert.isAbove(meaning.length, 10, name)
    assert.isAbove(moves.length, 5, name)
    const labels = attributes === "" ? [] : attributes.split(";").map((label) => {
      const [, word = "", words = ""] = /^\s*`(\w+)`(?:: (.*))?$/.exec(label) ?? assert.fail(`${name}: ${label}`)
      return [word, words === "" || words.startsWith("those of") ? [] : words.split(", ")] as const
    })
    return { name: name.slice(1, -1), kind, unit: unit.slice(1, -1), labels: new Map(labels) }
  })

describe("docs/metrics.md", () => {
  it("has a row for each metric of the catalogue and for no other, with its kind and unit", () => {
    const rowOf = ({ kind, name, unit }: { readonly kind: string; readonly name: string; readonly unit: string }) =>
      `${name} ${kind} ${unit}`
    assert.deepStrictEqual(rows.map(rowOf).toSorted(), catalogue.map(rowOf).toSorted())
  })

  it.effect("names the labels that the series have, and their words, and no other", () =>
    Effect.gen(function*() {
      const words = new Map<string, Map<string, Set<string>>>()
      for (const { attributes, id } of yield* Metric.snapshot) {
        const { "tracehound.instance": _, unit: __, ...labels } = attributes ?? {}
        const of = words.get(id) ?? new Map<string, Set<string>>()
        words.set(id, of)
        for (const [label, word] of Object.entries(labels)) of.set(label, (of.get(label) ?? new Set()).add(word))
      }
      for (const { labels, name } of rows) {
        const found = words.get(name) ?? assert.fail(`${name} has no series`)
        assert.deepStrictEqual([...labels.keys()].toSorted(), [...found.keys()].toSorted(), name)
        for (const [label, listed] of labels)
          if (listed.length > 0) assert.sameMembers([...listed], [...found.get(label) ?? []], `${name} ${label}`)
      }
    }).pipe(Effect.provide(everyMetric), Effect.provideService(Metric.MetricRegistry, new Map())))
})
