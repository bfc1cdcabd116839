/**
 * The width of prose: comments and Markdown have at most 100 columns, as pure functions over texts.
 *
 * Free of the limit is what cannot be wrapped: tables, code (fenced, or indented by four) and a
 * link that stands alone on its line. The formatter holds the width of code.
 */

/** Columns of a line of prose, its indentation and its comment marker counted. */
export const proseColumns = 100

/** A line, where it stands, and what is left of it without its comment marker. */
interface Line {
  readonly number: number
  readonly whole: string
  readonly text: string
}

/** The lines of prose over the limit, each as `path:line: columns`. */
export const overlong = (path: string, text: string): ReadonlyArray<string> =>
  proseOf(path, text).flatMap((lines) => tooWide(lines)).map(({ number, whole }) =>
    `${path}:${number}: ${whole.length} columns`
  )

/** The runs of prose in a file: all of a document, each comment of a program. */
const proseOf = (path: string, text: string): ReadonlyArray<ReadonlyArray<Line>> => {
  const lines = text.split("\n")
  if (path.endsWith(".md")) return [lines.map((whole, index) => ({ number: index + 1, whole, text: whole }))]
  return /\.[mc]?[jt]s$/.test(path) ? comments(lines) : hashComments(lines)
}

/** A comment that has its line for itself: `//`, or the first line of a block. */
const opening = /^\s*(?:\/\/|\/\*\*?) ?(?<text>.*)$/

/** Comments of one line that follow each other are one run, as a block is. */
const comments = (lines: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<Line>> => {
  const runs: Array<Array<Line>> = []
  let run: Array<Line> = []
  let isInBlock = false
  const end = (): void => {
    if (run.length > 0) runs.push(run)
    run = []
  }
  for (const [index, whole] of lines.entries()) {
    const number = index + 1
    const found = opening.exec(whole)?.groups?.["text"]
    if (isInBlock) {
      run.push({ number, whole, text: whole.replace(/^\s*\* ?/, "") })
      isInBlock = !whole.includes("*/")
      if (!isInBlock) end()
    } else if (found === undefined) {
      end()
      const text = behindCode(whole)
      if (text !== null) runs.push([{ number, whole, text }])
    } else {
      const isBlock = whole.trimStart().startsWith("/*")
      if (isBlock) end()
      run.push({ number, whole, text: found })
      isInBlock = isBlock && !whole.includes("*/")
      if (isBlock && !isInBlock) end()
    }
  }
  end()
  return runs
}

const quoted = /(?<quote>["'`])(?:\\.|(?!\k<quote>).)*\k<quote>/g

/** The comment behind the code of a line; two slashes within quotes are none. */
const behindCode = (line: string): string | null => {
  for (let at = line.indexOf(" // "); at >= 0; at = line.indexOf(" // ", at + 1)) {
    const code = line.slice(0, at).replaceAll(quoted, "")
    if (!/["'`]/.test(code)) return line.slice(at + 4)
  }
  return null
}

const hashComments = (lines: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<Line>> =>
  lines.flatMap((whole, index) => {
    const text = /^\s*# ?(?<text>.*)$/.exec(whole)?.groups?.["text"]
    return text === undefined ? [] : [[{ number: index + 1, whole, text }]]
  })

const tooWide = (lines: ReadonlyArray<Line>): ReadonlyArray<Line> => {
  const found: Array<Line> = []
  let isFenced = false
  let isIndented = false
  let isAfterBlank = true
  for (const line of lines) {
    const { text } = line
    const isFence = text.trimStart().startsWith("```")
    if (isFence) isFenced = !isFenced
    const isBlank = text.trim() === ""
    // An indented paragraph is code; the further lines of a list's item are not one of their own.
    if (!isBlank) isIndented = /^ {4}/.test(text) && (isAfterBlank || isIndented)
    isAfterBlank = isBlank
    const isFree = isFence || isFenced || isIndented || text.trimStart().startsWith("|") || isLoneLink(text)
    if (line.whole.length > proseColumns && !isFree) found.push(line)
  }
  return found
}

/** A link and nothing else, but for a list's mark or the label that it defines. */
const isLoneLink = (text: string): boolean =>
  /^(?:[-*>]|\d+\.|\[[^\]]+\]:)?\s*(?:<?https?:\/\/\S+|\[[^\]\s]*\]\(\S+\)|!\[[^\]]*\]\(\S+\))$/.test(text.trim())
