/**
 * What a verifier reads of an entry: its place, and the entry that it names (spec/ledger.md,
 * "Verifying a ledger").
 *
 * Reading JSON and writing it again costs several times an entry's hash. Custody's own entries, by
 * far the most, are one regular expression instead: what it takes is canonical, and anything else
 * is read in full.
 */
import * as Result from "effect/Result"
import { type EntryFault, parseEntry } from "./Entry.ts"

/** The place of an entry, and the hash of the entry before it. */
export interface EntryLinks {
  readonly sequence: number
  readonly previous: string
}

const hash = "[0-9a-f]{64}"
const whole = "(?:0|[1-9][0-9]{0,14})"

/**
 * An entry of custody in its plainest form: whole numbers of at most 15 digits, and a destination
 * without anything that JSON escapes. Every text that it takes is canonical.
 */
const custodyEntry = new RegExp(
  `^\\{"action":"(?:neutralized|evacuated|transferred|evicted|purged)","actor":"tracehound",` +
    `(?:"compressedSize":${whole},)?(?:"destination":(?:null|"[ !#-[\\]-~]*"),)?` +
    `"id":"[0-9a-f-]{45}","payloadHash":"${hash}","previous":"(${hash})",(?:"reason":"[a-z]{1,8}",)?` +
    `"sequence":(${whole}),(?:"severity":"[a-z]{1,8}",)?"signature":"[a-z]{1,9}:${hash}",` +
    `"size":${whole},"time":${whole}\\}$`
)

/** The longest text that is looked at for custody's plain form. */
const maxPlainLength = 1_024

/** Reads the links of an entry, whoever wrote it. Never throws. */
export const entryLinks = (text: string): Result.Result<EntryLinks, EntryFault> => {
  const found = text.length <= maxPlainLength ? custodyEntry.exec(text) : null
  if (found === null) return parseEntry(text)
  const [, previous = "", sequence = ""] = found
  return Result.succeed({ sequence: Number(sequence), previous })
}
