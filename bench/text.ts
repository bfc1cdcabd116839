/**
 * Figures and tables as text, for a terminal and for a document.
 */

/** A number to three digits or to the unit, whichever is more. */
export const digits = (value: number): string =>
  Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en-US") : String(Number(value.toPrecision(3)))

/** A time of so many nanoseconds. */
export const nanos = (ns: number): string =>
  ns < 10_000 ? `${digits(ns)} ns` : ns < 10_000_000 ? `${digits(ns / 1000)} us` : `${digits(ns / 1e6)} ms`

type Cells = ReadonlyArray<string>

/** How a row is set where all of these are to stand below each other on a terminal. */
export const aligned = (rows: ReadonlyArray<Cells>, isText: (column: number) => boolean): (row: Cells) => string => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)))
  return (row) =>
    row.map((cell, column) => {
      const width = widths[column] ?? 0
      return isText(column) ? cell.padEnd(width) : cell.padStart(width)
    }).join("  ").trimEnd()
}

/** The lines of a table in Markdown. The first row is its head. */
export const markdownTable = (
  [head = [], ...rows]: ReadonlyArray<Cells>,
  isText: (column: number) => boolean
): ReadonlyArray<string> => {
  const line = (row: Cells): string => `| ${row.join(" | ")} |`
  return [line(head), line(head.map((_, column) => isText(column) ? "---" : "---:")), ...rows.map(line)]
}

/** Columns of the document's prose. */
const columns = 100

/** The text in lines of at most `columns`; all but the first are indented. */
export const wrapped = (text: string, indent = ""): string => {
  const lines: Array<string> = []
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(lines.length === 0 ? word : indent + word)
  }
  return lines.join("\n")
}

/** Between these two lines of a document stands the part of this name, which a run makes. */
export const markersOf = (part: string): { readonly begin: string; readonly end: string } => ({
  begin: `<!-- ${part}: begin -->`,
  end: `<!-- ${part}: end -->`
})

/**
 * The document with other parts, of those that it has markers for; where it has none, all parts.
 */
export const withParts = (document: string, parts: Readonly<Record<string, string>>): string => {
  let found = false
  let text = document
  for (const [part, content] of Object.entries(parts)) {
    const markers = markersOf(part)
    const begin = text.indexOf(markers.begin)
    const end = text.indexOf(markers.end)
    if (begin < 0 || end < begin) continue
    found = true
    text = `${text.slice(0, begin + markers.begin.length)}\n\n${content}\n\n${text.slice(end)}`
  }
  return found ? text : `${Object.values(parts).join("\n\n")}\n`
}
