/**
 * The rules that tie spec/conformance.md to the code, as pure functions over texts.
 *
 * Comments in `src/` cite a row as `CONFORMANCE Q2`, and titles of tests start with `RFC Q2`. These
 * functions find the citations and the rows, and say where one stands without the other. They take
 * `{ path, text }` pairs with paths from the root of the repository, and give findings as lines of
 * text that say what to change.
 *
 * **Gotchas**
 *
 * - A row of another system is `SYS P4`: it is cited as `CONFORMANCE SYS P4` in `src/` and as
 *   `SYS P4` in a title.
 * - A title is any string that starts with a row, also one in a table of cases, but not the message
 *   of an assertion.
 */
import { posix } from "node:path"
import { child, lineAt, type Node, nodes, parse } from "./syntax.ts"

/** One file; `path` is relative to the root, with forward slashes. */
export interface Source {
  readonly path: string
  readonly text: string
}

/** One row of the list; `id` is `Q2`, or `SYS P4` for a row of another system. */
export interface Row {
  readonly id: string
  readonly line: number
  /** Whether there is a sentence between its heading and its tests. */
  readonly hasPromise: boolean
  /** The files that it says hold it. */
  readonly files: ReadonlyArray<string>
}

/** A place that names a row. */
export interface Citation {
  readonly row: string
  readonly path: string
  readonly line: number
}

const list = "spec/conformance.md"
const heading = /^### /
const rowHeading = /^### ((?:SYS )?[A-Z]\d+) \S/

/** The rows of the list: a heading of the third level each, then the promise, then `Tests:`. */
export const rowsOf = (document: string): ReadonlyArray<Row> => {
  const lines = document.split("\n")
  return lines.flatMap((line, index) => {
    const id = rowHeading.exec(line)?.[1]
    if (id === undefined) return []
    const rest = lines.slice(index + 1)
    const end = rest.findIndex((next) => next.startsWith("#"))
    const paragraphs = (end < 0 ? rest : rest.slice(0, end)).join("\n").split(/\n{2,}/).map((text) => text.trim())
    const tests = paragraphs.find((text) => text.startsWith("Tests:")) ?? ""
    return [{
      id,
      line: index + 1,
      hasPromise: paragraphs.some((text) => text !== "" && text !== tests),
      files: [...tests.matchAll(/`([^`]+)`/g)].map(([, path = ""]) => path)
    }]
  })
}

/** Headings that are no row, rows that are there twice, and rows that lack a promise or tests. */
export const malformed = (document: string): ReadonlyArray<string> => {
  const rows = rowsOf(document)
  const headings = document.split("\n").flatMap((line, index) =>
    heading.test(line) && !rowHeading.test(line)
      ? [`${list}:${index + 1}: "${line}" is no row: write "### Q2 Title" or "### SYS P4 Title"`]
      : []
  )
  return [
    ...headings,
    ...rows.flatMap(({ files, hasPromise, id, line }, index) => [
      ...rows.findIndex((other) => other.id === id) < index ? [`${list}:${line}: there is a row ${id} above`] : [],
      ...hasPromise ? [] : [`${list}:${line}: row ${id} promises nothing: say what holds`],
      ...files.length > 0 ? [] : [`${list}:${line}: row ${id} has no line "Tests: \`test/…\`": name a file`]
    ])
  ]
}

/** What may stand between two words of a comment: white space, and the mark of its next line. */
const gap = "(?:\\s|(?<=\\n\\s*)(?:\\*(?!/)|//))+"
const rowName = `(?:SYS${gap})?[A-Z]\\d+`
const rowNames = new RegExp(
  `\\bCONFORMANCE\\b(?:${gap}(${rowName}(?:(?:,${gap}|${gap}(?:to|and)${gap})${rowName})*))?`,
  "g"
)

/** The rows that a file of `src/` cites; a word CONFORMANCE without a row cites the row "". */
export const citationsOf = ({ path, text }: Source): ReadonlyArray<Citation> =>
  [...text.matchAll(rowNames)].flatMap(({ 1: named = "", index }) => {
    const words = named.replaceAll(new RegExp(gap, "g"), " ")
    const parts = words.split(/, | and /)
    return parts.flatMap(range).map((row) => ({ row, path, line: lineAt(text, index) }))
  })

/**
 * `D1 to D3` is D1, D2, D3. A range that is none, such as `D3 to E1`, is a row that there is not.
 */
const range = (part: string): ReadonlyArray<string> => {
  const [from = "", to] = part.split(" to ")
  if (to === undefined) return [from]
  const [, prefix = "", first = ""] = /^(.*?)(\d+)$/.exec(from) ?? []
  const count = Number(/\d+$/.exec(to)?.[0]) - Number(first) + 1
  if (count < 2 || to !== `${prefix}${Number(first) + count - 1}`) return [part]
  return Array.from({ length: count }, (_, index) => `${prefix}${Number(first) + index}`)
}

/** The rows that titles of a test file start with. Throws where the file does not parse. */
export const titlesOf = ({ path, text }: Source): ReadonlyArray<Citation> => {
  const messages = new Set<number>()
  const found: Array<Citation> = []
  for (const node of nodes(parse(path, text))) {
    for (const argument of assertionArguments(node)) messages.add(argument)
    const title = messages.has(node.start) ? undefined : textOf(node)
    if (title !== undefined)
      found.push(...rowsOfTitle(title).map((row) => ({ row, path, line: lineAt(text, node.start) })))
  }
  return found
}

/** `RFC D8 RFC R2 …` and `RFC D8 R2 …` both name two rows. */
const rowsOfTitle = (title: string): ReadonlyArray<string> => {
  const rows: Array<string> = []
  let system: string | undefined
  for (const word of title.split(" ")) {
    if (word === "RFC" || word === "SYS") system = word
    else if (system !== undefined && /^[A-Z]\d+$/.test(word)) rows.push(system === "SYS" ? `SYS ${word}` : word)
    else break
  }
  return rows
}

/** The text of a string, or what a template begins with. */
const textOf = (node: Node): string | undefined => {
  if (node.type === "Literal") {
    const value = node.field("value")
    return typeof value === "string" ? value : undefined
  }
  if (node.type !== "TemplateLiteral") return undefined
  for (const part of nodes(node)) {
    if (part.type !== "TemplateElement") continue
    const { raw } = part.field("value") as { readonly raw: string }
    return raw
  }
  return undefined
}

/** Where the arguments of `assert.…(…)` begin. */
const assertionArguments = (node: Node): ReadonlyArray<number> => {
  const callee = node.type === "CallExpression" ? child(node, "callee") : undefined
  const object = callee === undefined ? undefined : child(callee, "object")
  if (object?.field("name") !== "assert") return []
  const given = node.field("arguments") as ReadonlyArray<{ readonly start: number }>
  return given.map(({ start }) => start)
}

/** Citations in `src/` of rows that there are not. */
export const unknownCitations = (rows: ReadonlyArray<Row>, sources: ReadonlyArray<Source>): ReadonlyArray<string> => {
  const known = new Set(rows.map(({ id }) => id))
  return sources.flatMap(citationsOf).filter(({ row }) => !known.has(row)).map(({ line, path, row }) =>
    row === ""
      ? `${path}:${line}: CONFORMANCE names no row: write CONFORMANCE Q2, CONFORMANCE Q2, Q3 or CONFORMANCE Q1 to Q4`
      : `${path}:${line}: CONFORMANCE ${row}: ${list} has no row ${row}: correct the citation, or write the row`
  )
}

/** Titles of tests that start with rows that there are not. */
export const unknownTitles = (rows: ReadonlyArray<Row>, titles: ReadonlyArray<Citation>): ReadonlyArray<string> => {
  const known = new Set(rows.map(({ id }) => id))
  return titles.filter(({ row }) => !known.has(row)).map(({ line, path, row }) =>
    `${path}:${line}: "${titled(row)} …": ${list} has no row ${row}: correct the title, or write the row`
  )
}

/** A row as titles spell it. */
const titled = (row: string): string => row.startsWith("SYS ") ? row : `RFC ${row}`

/**
 * Rows that no test holds, and files that rows name and that are not there or do not hold them.
 * `paths` are the files of all tests, `titles` are their titles.
 */
export const unheld = (
  rows: ReadonlyArray<Row>,
  paths: ReadonlyArray<string>,
  titles: ReadonlyArray<Citation>
): ReadonlyArray<string> =>
  rows.flatMap(({ files, id, line }) => {
    const holders = [...new Set(titles.filter(({ row }) => row === id).map(({ path }) => path))]
    const place = `${list}:${line}: row ${id}`
    if (holders.length === 0) return [`${place}: no test has a title "${titled(id)} …": write one, or take the row out`]
    return files.filter((file) => !holders.includes(file)).map((file) => {
      if (paths.includes(file))
        return `${place} names ${file}, where no title starts with "${titled(id)}": name ${either(holders)}`
      const moved = paths.filter((path) => stemOf(path) === stemOf(file))
      const instead = moved.filter((path) => holders.includes(path))
      return `${place} names ${file}, which is not there: name ${either(instead.length > 0 ? instead : holders)}`
    })
  })

const either = (files: ReadonlyArray<string>): string => files.join(" or ")

/** The name of a file up to its first dot: `A.test.ts` and `A.slow.test.ts` have the same. */
const stemOf = (path: string): string => posix.basename(path).split(".")[0] ?? ""

/**
 * A document, named by its path from the root; what follows `/` or `.` is a path from elsewhere.
 */
const documentName = /(?<![\w./-])(?:[\w-]+\/)*[\w-]+\.md\b/g

/** Documents that code names, in comments or strings, and that are not at that path. */
export const lostDocuments = (paths: ReadonlySet<string>, sources: ReadonlyArray<Source>): ReadonlyArray<string> =>
  sources.flatMap(({ path, text }) =>
    [...text.matchAll(documentName)].filter(([name]) => !paths.has(name)).map(({ 0: name, index }) =>
      `${path}:${lineAt(text, index)}: there is no ${name}: name a document by its path from the root`
    )
  )
