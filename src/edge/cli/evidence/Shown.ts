/**
 * How evidence is shown to people and to programs. Pure.
 *
 * Promises that nothing of an attacker's reaches a terminal but printable ASCII: no control
 * character, no escape sequence, no letter that turns the line around.
 */
import { escaped } from "../../../telemetry/Escaped.ts"
import { group } from "../Progress.ts"
import type { EvidenceItem } from "./EvidenceSource.ts"

/** How text is marked where the terminal has colours; as it is where it has none. */
export interface Paint {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly severity: (severity: string, text: string) => string
  readonly odd: (text: string) => string
}

const as = (code: string) => (text: string): string => text === "" ? "" : `\u001b[${code}m${text}\u001b[0m`
const asIs = (text: string): string => text
const severityCodes: Readonly<Record<string, string>> = { critical: "1;31", high: "33" }

/** In colours, or plain. */
export const paintOf = (canColor: boolean): Paint =>
  canColor
    ? {
      bold: as("1"),
      dim: as("2"),
      odd: as("35"),
      severity: (severity, text) => {
        const code = severityCodes[severity]
        return code === undefined ? text : as(code)(text)
      }
    }
    : { bold: asIs, dim: asIs, odd: asIs, severity: (_, text) => text }

const units = ["kB", "MB", "GB", "TB"]

/** Bytes in three digits, as `1.09 kB`. */
export const sizeText = (bytes: number): string => {
  if (bytes < 1_000) return `${bytes} B`
  let value = bytes
  let unit = ""
  for (const next of units) {
    if (unit !== "" && Number(value.toPrecision(3)) < 1_000) break
    value /= 1_000
    unit = next
  }
  return `${value.toPrecision(3)} ${unit}`
}

/** The latest time that a Date has, in ms. */
const maxTime = 8.64e15

/** `2026-11-30 14:32:03.201`, or the number where it is no time that a Date has. */
export const timeText = (ms: number): string =>
  Math.abs(ms) <= maxTime ? new Date(ms).toISOString().replace("T", " ").replace("Z", "") : `${ms} ms`

/** Characters of a source in the table. */
const maxSource = 40

interface Column {
  readonly title: string
  readonly isRight?: boolean
  readonly of: (item: EvidenceItem) => string
  readonly paint?: (paint: Paint, item: EvidenceItem, text: string) => string
}

const secondsText = (ms: number): string => timeText(ms).replace(/\.\d{3}$/, "")

const columns: ReadonlyArray<Column> = [
  { title: "TIME UTC", of: ({ time }) => secondsText(time) },
  {
    title: "SEVERITY",
    of: ({ severity }) => severity ?? "-",
    paint: (paint, { severity }, text) => paint.severity(severity ?? "", text)
  },
  { title: "CATEGORY", of: ({ category }) => category },
  { title: "SOURCE", of: ({ source }) => source === null ? "-" : escaped(source, maxSource) },
  { title: "SIGNATURE", of: ({ category, signature }) => signature.slice(category.length + 1, category.length + 13) },
  { title: "SIZE", isRight: true, of: ({ size }) => size === null ? "-" : sizeText(size) },
  { title: "WHERE", of: ({ isSealed, where }) => isSealed ? `${where}, sealed` : where }
]

/** A line for each piece, beneath a line of titles. */
export const table = (items: ReadonlyArray<EvidenceItem>, paint: Paint): ReadonlyArray<string> => {
  const cells = items.map((item) => columns.map(({ of }) => of(item)))
  const widths = columns.map(({ title }, i) =>
    cells.reduce((most, row) => Math.max(most, row[i]?.length ?? 0), title.length)
  )
  const padded = (text: string, i: number): string => {
    const last = i === columns.length - 1
    if (columns[i]?.isRight === true) return text.padStart(widths[i] ?? 0)
    return last ? text : text.padEnd(widths[i] ?? 0)
  }
  const lines = items.map((item, row) =>
    columns.map(({ paint: mark }, i) => {
      const text = padded(cells[row]?.[i] ?? "", i)
      const bare = text.trimEnd()
      return mark === undefined ? text : mark(paint, item, bare) + text.slice(bare.length)
    }).join("  ")
  )
  return [paint.dim(columns.map(({ title }, i) => padded(title, i)).join("  ")), ...lines]
}

/** One JSON object on one line, in ASCII: what is not is escaped as JSON escapes it. */
export const jsonLine = (value: object): string =>
  JSON.stringify(value).replaceAll(
    /[^\u0020-\u007e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

const lossy = new TextDecoder("utf-8")

/** Bytes as text, line by line; everything but printable ASCII is escaped. */
export const textLines = (bytes: Uint8Array): ReadonlyArray<string> =>
  lossy.decode(bytes).split("\n").map((line) => `  ${escaped(line, Infinity)}`)

const perLine = 16
const half = perLine / 2
const isPrintable = (byte: number): boolean => byte >= 0x20 && byte < 0x7f

/** Runs of bytes that are printable, or are not, each marked as one. */
const marked = (bytes: Uint8Array, show: (byte: number) => string, between: string, paint: Paint): string => {
  const parts: Array<string> = []
  for (let at = 0; at < bytes.length;) {
    const kind = isPrintable(bytes[at] ?? 0)
    let end = at
    while (end < bytes.length && isPrintable(bytes[end] ?? 0) === kind) end++
    const text = Array.from(bytes.subarray(at, end), show).join(between)
    parts.push(kind ? text : paint.odd(text))
    at = end
  }
  return parts.join(between)
}

/** Characters of so many bytes in hexadecimal. */
const widthOf = (count: number): number => Math.max(0, 3 * count - 1)
const hexOf = (byte: number): string => byte.toString(16).padStart(2, "0")
const signOf = (byte: number): string => isPrintable(byte) ? String.fromCharCode(byte) : "."

/** A dump of 16 bytes a line: where they are, in hexadecimal, and as far as they are printable. */
export const hexLines = (bytes: Uint8Array, paint: Paint): ReadonlyArray<string> =>
  Array.from({ length: Math.ceil(bytes.length / perLine) }, (_, line) => {
    const from = line * perLine
    const row = bytes.subarray(from, from + perLine)
    const left = row.subarray(0, half)
    const right = row.subarray(half)
    const hex = `${marked(left, hexOf, " ", paint)}  ${marked(right, hexOf, " ", paint)}`
    const missing = " ".repeat(widthOf(half) + widthOf(half) - widthOf(left.length) - widthOf(right.length))
    return `${paint.dim(from.toString(16).padStart(8, "0"))}  ${hex}${missing}  ${marked(row, signOf, "", paint)}`
  })

/** `96 of 271 bytes`, or `271 bytes`. */
export const partText = (shown: number, all: number): string =>
  shown === all ? `${group(all)} bytes` : `${group(shown)} of ${group(all)} bytes`
