import { assert, describe, it } from "@effect/vitest"
import { parsePromql } from "./promql.ts"

describe("the reader of PromQL", () => {
  it("gives what is read, over which range, and the labels of groups", () => {
    const query = parsePromql(
      "sum without (a, b) (rate(x_total{status=\"error\",kind=~\"a|b\"}[5m])) / (sum(y) by (c) + 1) > 0.01"
    )
    assert.deepStrictEqual(query, {
      selectors: [
        {
          name: "x_total",
          matchers: [
            { label: "status", operator: "=", value: "error" },
            { label: "kind", operator: "=~", value: "a|b" }
          ],
          range: "5m"
        },
        { name: "y", matchers: [], range: null }
      ],
      groups: ["a", "b", "c"]
    })
    assert.lengthOf(parsePromql("histogram_quantile(0.5, sum by (le) (rate(h_bucket[$__rate_interval])))").selectors, 1)
  })

  it.each([
    "",
    "sum(",
    "sum(x",
    "sum(x))",
    "rate(x[5 minutes])",
    "rat(x[5m])",
    "x{status=error}",
    "x{status==\"error\"}",
    "x{status=\"error\"",
    "x y",
    "x >",
    "> 1",
    "sum by status (x)",
    "x{a=\"1\",}"
  ])("refuses %s", (query) => {
    assert.throws(() => parsePromql(query))
  })
})
