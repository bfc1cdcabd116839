/**
 * A reader of PromQL as our rules and dashboards use it: it parses the whole expression, and gives
 * the series that it reads and the labels that it groups by.
 */

export interface Matcher {
  readonly label: string
  readonly operator: string
  readonly value: string
}

/** One reading of a metric. */
export interface Selector {
  readonly name: string
  readonly matchers: ReadonlyArray<Matcher>
  /** The range in brackets, such as `5m`; null for the latest value. */
  readonly range: string | null
}

export interface Query {
  readonly selectors: ReadonlyArray<Selector>
  /** The labels in `by` and `without`. */
  readonly groups: ReadonlyArray<string>
}

const token =
  /\s*(?:(?<number>\d+(?:\.\d+)?)(?![\w.])|(?<word>[a-zA-Z_:][\w:]*)|(?<text>"(?:[^"\\]|\\.)*")|(?<range>\[(?:\d+[smhdw]|\$__rate_interval)\])|(?<sign>=~|!~|!=|==|<=|>=|[-+*/%^(){},=<>]))/y

interface Token {
  readonly kind: string
  readonly text: string
}

const tokensOf = (query: string): Array<Token> => {
  const found: Array<Token> = []
  token.lastIndex = 0
  while (token.lastIndex < query.trimEnd().length) {
    const at = token.lastIndex
    const groups = token.exec(query)?.groups
    if (groups === undefined) throw new Error(`cannot be read at: ${query.slice(at)}`)
    const [kind = "", text = ""] = Object.entries(groups).find(([, value]) => value !== undefined) ?? []
    found.push({ kind, text })
  }
  return found
}

const aggregations = new Set(["sum", "min", "max", "avg", "count", "topk"])
const functions = new Set(["rate", "increase", "absent", "histogram_quantile"])
const operators = new Set(["+", "-", "*", "/", "==", "!=", ">", "<", ">=", "<=", "and", "or", "unless"])

/** Reads a query; throws an Error where it is none. */
export const parsePromql = (query: string): Query => {
  const tokens = tokensOf(query)
  const selectors: Array<Selector> = []
  const groups: Array<string> = []
  let at = 0
  const peek = (): string => tokens[at]?.text ?? ""
  const take = (expected?: string): Token => {
    const next = tokens[at]
    if (next === undefined || (expected !== undefined && next.text !== expected))
      throw new Error(`expected ${expected ?? "more"}, and there is ${next?.text ?? "an end"}: ${query}`)
    at += 1
    return next
  }
  const takeKind = (kind: string): string => {
    const { kind: found, text } = take()
    if (found !== kind) throw new Error(`expected a ${kind}, and there is ${text}: ${query}`)
    return text
  }
  const list = (one: () => void): void => {
    take("(")
    for (one(); peek() === ","; one()) take(",")
    take(")")
  }
  const grouping = (): void => {
    if (peek() !== "by" && peek() !== "without") return
    take()
    list(() => groups.push(takeKind("word")))
  }
  const selector = (name: string): void => {
    const matchers: Array<Matcher> = []
    if (peek() === "{") {
      do {
        take()
        const label = takeKind("word")
        const operator = takeKind("sign")
        if (!["=", "!=", "=~", "!~"].includes(operator)) throw new Error(`no matcher: ${operator}`)
        matchers.push({ label, operator, value: JSON.parse(takeKind("text")) as string })
      } while (peek() === ",")
      take("}")
    }
    const range = tokens[at]?.kind === "range" ? take().text.slice(1, -1) : null
    selectors.push({ name, matchers, range })
  }
  const primary = (): void => {
    if (peek() === "(") {
      take()
      expression()
      take(")")
      return
    }
    const { kind, text } = take()
    if (kind === "number") return
    if (kind !== "word") throw new Error(`no expression begins with ${text}: ${query}`)
    if (aggregations.has(text)) {
      grouping()
      list(expression)
      grouping()
    } else if (functions.has(text)) list(expression)
    else if (peek() === "(") throw new Error(`no function is called ${text}`)
    else selector(text)
  }
  const expression = (): void => {
    for (primary(); operators.has(peek()); primary()) take()
  }
  expression()
  if (at < tokens.length) throw new Error(`there is more: ${peek()}: ${query}`)
  return { selectors, groups }
}
