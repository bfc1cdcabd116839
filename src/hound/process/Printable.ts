/**
 * Text of a process that is not trusted, made fit for any terminal and any log.
 */

/** Longest text of `firstLine`, in characters. */
const maxLine = 200

/** Printable ASCII as it is, and `?` in place of every other byte. O(length). */
export const printable = (bytes: Uint8Array): string =>
  Buffer.from(bytes.map((byte) => (byte >= 0x20 && byte < 0x7f ? byte : 0x3f))).toString("latin1")

/** The first line that is not blank, printable, of at most 200 characters; else an empty text. */
export const firstLine = (bytes: Uint8Array): string => {
  const text = Buffer.from(bytes).toString("latin1")
  const line = text.split("\n").find((line) => line.trim() !== "") ?? ""
  return printable(Buffer.from(line, "latin1")).trim().slice(0, maxLine)
}
