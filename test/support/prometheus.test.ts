/**
 * The strict reader of Prometheus' text, on texts that are right and texts that are not.
 */
import { assert, describe, it } from "@effect/vitest"
import { parsePrometheus } from "./prometheus.ts"

const good = `# HELP http_requests_total Requests\\nso far: \\\\ and "all"
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="a\\\\b\\"c\\nd",code="400"} 3

# a comment
# TYPE up gauge
up -1.5e3
# TYPE odd untyped
odd{} NaN
# TYPE age gauge
age{a="1"} +Inf
# HELP took Seconds
# TYPE took histogram
took_bucket{le="0.05"} 2
took_bucket{le="1"} 2
took_bucket{le="+Inf"} 3
took_sum 53.4
took_count 3
took_bucket{x="y",le="+Inf"} 0
took_sum{x="y"} 0
took_count{x="y"} 0
# TYPE quantiles summary
quantiles{quantile="0.5"} 4
quantiles_sum 8
quantiles_count 2
`

const counter = "# TYPE a_total counter\n"
const histogram = "# TYPE h histogram\n"

describe("the reader of Prometheus' text", () => {
  it("reads types, help, labels with their escapes, and values", () => {
    const families = parsePrometheus(good)
    assert.deepStrictEqual(families.map(({ name, samples, type }) => `${name} ${type} ${samples.length}`), [
      "http_requests_total counter 2",
      "up gauge 1",
      "odd untyped 1",
      "age gauge 1",
      "took histogram 8",
      "quantiles summary 3"
    ])
    const [requests, up, odd, age] = families
    assert.strictEqual(requests?.help, "Requests\nso far: \\ and \"all\"")
    assert.deepStrictEqual(requests?.samples[1]?.labels.get("method"), "a\\b\"c\nd")
    assert.deepStrictEqual([up, odd, age].map((family) => family?.samples[0]?.value), [
      -1500,
      Number.NaN,
      Number.POSITIVE_INFINITY
    ])
    assert.deepStrictEqual(parsePrometheus(""), [])
  })

  it.each([
    ["a last line without an end", `${counter}a_total 1`, "no end"],
    ["a sample without a TYPE", "a_total 1\n", "no TYPE"],
    ["a family without samples", counter, "no samples"],
    ["HELP without a TYPE", "# HELP a A\n", "no TYPE"],
    ["a second TYPE", `${counter}${counter}a_total 1\n`, "second TYPE"],
    ["a second HELP", `# HELP a_total A\n# HELP a_total A\n${counter}a_total 1\n`, "second HELP"],
    ["TYPE behind samples", `${counter}a_total 1\n# TYPE a_total counter\n`, "behind samples"],
    ["a type that is none", "# TYPE a info\na 1\n", "no such type"],
    ["a family in two places", `${counter}a_total 1\n# TYPE b gauge\nb 1\na_total{x="1"} 1\n`, "two places"],
    ["the TYPE of a family in two places", `${counter}a_total 1\n# TYPE b gauge\nb 1\n${counter}`, "two places"],
    ["a series twice", `${counter}a_total{x="1",y="2"} 1\na_total{y="2",x="1"} 2\n`, "twice"],
    ["a label twice", `${counter}a_total{x="1",x="2"} 1\n`, "twice"],
    ["a metric name that is none", "# TYPE a.b gauge\na.b 1\n", "no metric name"],
    ["a label name that is none", `${counter}a_total{x.y="1"} 1\n`, "label"],
    ["a label value without quotes", `${counter}a_total{x=1} 1\n`, "label value"],
    ["a label value that does not end", `${counter}a_total{x="1\\"} 1\n`, "label value"],
    ["an unknown escape in a label", `${counter}a_total{x="\\t"} 1\n`, "escape"],
    ["an unknown escape in HELP", `# HELP a_total \\"\n${counter}a_total 1\n`, "escape"],
    ["labels that are not apart", `${counter}a_total{x="1"y="2"} 1\n`, "apart"],
    ["a comma too many", `${counter}a_total{x="1",} 1\n`, "apart"],
    ["no value", `${counter}a_total\n`, "no value"],
    ["a value that is none", `${counter}a_total 1.x\n`, "no value"],
    ["a value of JavaScript", `${counter}a_total Infinity\n`, "no value"],
    ["a timestamp that is none", `${counter}a_total 1 now\n`, "timestamp"],
    ["a counter below 0", `${counter}a_total -1\n`, "counts -1"],
    ["a counter that is no number", `${counter}a_total NaN\n`, "counts NaN"],
    ["a histogram without +Inf", `${histogram}h_bucket{le="1"} 1\nh_sum 1\nh_count 1\n`, "+Inf"],
    ["a histogram without _sum", `${histogram}h_bucket{le="+Inf"} 1\nh_count 1\n`, "_sum"],
    ["a histogram without _count", `${histogram}h_bucket{le="+Inf"} 1\nh_sum 1\n`, "_count"],
    ["another _count than the last bucket", `${histogram}h_bucket{le="+Inf"} 1\nh_sum 1\nh_count 2\n`, "_count"],
    [
      "buckets out of order",
      `${histogram}h_bucket{le="2"} 1\nh_bucket{le="1"} 1\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n`,
      "order"
    ],
    [
      "buckets that do not add up",
      `${histogram}h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n`,
      "add up"
    ],
    ["a bucket without its end", `${histogram}h_bucket 1\nh_sum 1\nh_count 1\n`, "its end"],
    ["a sample of a histogram that is none of its", `${histogram}h 1\n`, "no TYPE before"]
  ])("refuses %s", (_, text, why) => {
    assert.throws(() => parsePrometheus(text), why)
  })
})
