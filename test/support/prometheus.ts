/**
 * A strict reader of Prometheus' text format, version 0.0.4: it refuses what a scraper may forgive.
 *
 * Beside the grammar it holds that each family stands together, with its TYPE (and HELP, if any) in
 * front and once, that no series is there twice, that counters do not go below 0, and that each
 * histogram has ascending buckets that add up, `+Inf`, `_sum` and `_count`.
 */

export interface Sample {
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

export interface Family {
  readonly name: string
  readonly type: string
  readonly help: string | null
  readonly samples: ReadonlyArray<Sample>
}

/** A family while it is read. */
interface Open {
  readonly name: string
  type: string | null
  help: string | null
  readonly samples: Array<Sample>
}

const types = new Set(["counter", "gauge", "histogram", "summary", "untyped"])
const metricName = /^[a-zA-Z_:][a-zA-Z0-9_:]*/
const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*/
const number = /^(?:[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|NaN|[+-]Inf)(?= |$)/

/**
 * The families in their order; throws an Error that names the line where the text is not as it must
 * be.
 */
export const parsePrometheus = (text: string): ReadonlyArray<Family> => {
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line has no end")
  const families: Array<Open> = []
  const series = new Set<string>()
  for (const [at, line] of text.split("\n").slice(0, -1).entries()) {
    try {
      readLine(line, families, series)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`line ${at + 1}: ${why}: ${line}`, { cause: error })
    }
  }
  return families.map(finished)
}

const readLine = (line: string, families: Array<Open>, series: Set<string>): void => {
  if (line === "") return
  const comment = /^# (HELP|TYPE) (\S+)(?: (.*))?$/.exec(line)
  if (comment !== null) {
    const [, kind = "", name = "", rest = ""] = comment
    if (metricName.exec(name)?.[0] !== name) throw new Error("no metric name")
    const family = openFor(name, families)
    if (family.samples.length > 0) throw new Error(`${kind} behind samples`)
    if (kind === "TYPE") {
      if (family.type !== null) throw new Error("a second TYPE")
      if (!types.has(rest)) throw new Error("no such type")
      family.type = rest
    } else {
      if (family.help !== null) throw new Error("a second HELP")
      family.help = unescaped(rest, /\\(.?)/g, "\\n")
    }
    return
  }
  if (line.startsWith("#")) return
  const sample = readSample(line)
  const key = JSON.stringify([sample.name, [...sample.labels].toSorted()])
  if (series.has(key)) throw new Error("the series is there twice")
  series.add(key)
  familyOf(sample.name, families).samples.push(sample)
}

/** The family of this name: the last one, or a new one. */
const openFor = (name: string, families: Array<Open>): Open => {
  const last = families.at(-1)
  if (last?.name === name) return last
  if (families.some((family) => family.name === name)) throw new Error("the family is in two places")
  const family: Open = { name, type: null, help: null, samples: [] }
  families.push(family)
  return family
}

const suffixesOf = (type: string | null): ReadonlyArray<string> =>
  type === "histogram" ? ["_bucket", "_sum", "_count"] : type === "summary" ? ["", "_sum", "_count"] : [""]

const familyOf = (name: string, families: Array<Open>): Open => {
  const last = families.at(-1)
  if (last !== undefined && suffixesOf(last.type).some((suffix) => name === `${last.name}${suffix}`)) return last
  if (families.some((family) => suffixesOf(family.type).some((suffix) => name === `${family.name}${suffix}`)))
    throw new Error("the family is in two places")
  throw new Error("the family has no TYPE before it")
}

const readSample = (line: string): Sample => {
  const name = metricName.exec(line)?.[0]
  if (name === undefined) throw new Error("no metric name")
  let rest = line.slice(name.length)
  const labels = new Map<string, string>()
  if (rest.startsWith("{")) {
    rest = rest.slice(1)
    while (!rest.startsWith("}")) {
      const label = labelName.exec(rest)?.[0]
      if (label === undefined) throw new Error("no label name")
      rest = rest.slice(label.length)
      const quoted = /^="((?:[^"\\]|\\.)*)"/.exec(rest)
      if (quoted === null) throw new Error("no label value")
      if (labels.has(label)) throw new Error("a label is there twice")
      labels.set(label, unescaped(quoted[1] ?? "", /\\(.?)/g, "\\\"n"))
      rest = rest.slice(quoted[0].length)
      if (rest.startsWith(",") && !rest.startsWith(",}")) rest = rest.slice(1)
      else if (!rest.startsWith("}")) throw new Error("labels are not apart")
    }
    rest = rest.slice(1)
  }
  if (!rest.startsWith(" ")) throw new Error("no value")
  const value = number.exec(rest.slice(1))?.[0]
  if (value === undefined) throw new Error("no value")
  if (!/^(?: -?\d+)?$/.test(rest.slice(1 + value.length))) throw new Error("no timestamp")
  return { name, labels, value: Number(value.replace("Inf", "Infinity")) }
}

/** The text with its escapes undone; only the characters of `known` may be escaped. */
const unescaped = (text: string, escape: RegExp, known: string): string =>
  text.replaceAll(escape, (_, character: string) => {
    if (character === "" || !known.includes(character)) throw new Error("an unknown escape")
    return character === "n" ? "\n" : character
  })

const finished = ({ help, name, samples, type }: Open): Family => {
  if (type === null) throw new Error(`${name} has no TYPE`)
  if (samples.length === 0) throw new Error(`${name} has no samples`)
  if (type === "counter") {
    for (const { value } of samples) if (!(value >= 0)) throw new Error(`${name} counts ${value}`)
  }
  if (type === "histogram") checkHistogram(name, samples)
  return { name, type, help, samples }
}

/** The labels of a sample without this one. */
const keyWithout = (label: string, { labels }: Sample): string =>
  JSON.stringify([...labels].filter(([name]) => name !== label).toSorted())

const checkHistogram = (name: string, samples: ReadonlyArray<Sample>): void => {
  const of = (suffix: string) => samples.filter((sample) => sample.name === `${name}${suffix}`)
  const keys = new Set(samples.map((sample) => keyWithout("le", sample)))
  for (const key of keys) {
    const mine = (suffix: string) => of(suffix).filter((sample) => keyWithout("le", sample) === key)
    const [count] = mine("_count")
    if (count === undefined || mine("_sum").length === 0) throw new Error(`${name} lacks its _sum or _count`)
    const buckets = mine("_bucket").map(({ labels, value }) => {
      const le = labels.get("le")
      if (le === undefined || number.exec(le)?.[0] !== le) throw new Error(`${name} has a bucket without its end`)
      return { le: Number(le.replace("Inf", "Infinity")), value }
    })
    for (const [place, { le, value }] of buckets.entries()) {
      const before = buckets[place - 1]
      if (before !== undefined && !(before.le < le)) throw new Error(`${name} has buckets out of order`)
      if (before !== undefined && before.value > value) throw new Error(`${name} has buckets that do not add up`)
    }
    const last = buckets.at(-1)
    if (last?.le !== Number.POSITIVE_INFINITY) throw new Error(`${name} has no bucket +Inf`)
    if (last.value !== count.value) throw new Error(`${name} has another _count than its last bucket`)
  }
}
