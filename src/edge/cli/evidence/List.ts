/**
 * `tracehound evidence list`: a page of the evidence that there is.
 */
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { ThreatCategory } from "../../../domain/Scent.ts"
import type { Severity } from "../../../domain/Severity.ts"
import { WrongUse } from "../Failure.ts"
import { group } from "../Progress.ts"
import { isSignaturePrefix, isWanted, type Order, Page, readPlace, spellPlace, type Wanted } from "./Page.ts"
import { sayNo, sourceAt, type Where } from "./Place.ts"
import { jsonLine, paintOf, table } from "./Shown.ts"

/** The most pieces of a page. */
export const maxPage = 1_000

export interface ListFlags extends Where {
  readonly category: Option.Option<ThreatCategory>
  readonly severity: Option.Option<Severity>
  readonly signature: string
  readonly sort: Order
  readonly after: Option.Option<string>
  readonly limit: number
  readonly json: boolean
}

const wantedBy = Effect.fnUntraced(function*(flags: ListFlags) {
  const { after, category, limit, severity, signature, sort } = flags
  if (limit < 1 || limit > maxPage)
    return yield* new WrongUse({ message: `--limit takes 1 to ${group(maxPage)} pieces` })
  if (!isSignaturePrefix(signature))
    return yield* new WrongUse({ message: "--signature takes the beginning of a signature, or of its digits" })
  const place = Option.isNone(after) ? null : readPlace(sort, after.value)
  if (Option.isSome(after) && place === null) {
    const message = "--after takes what a page ends with, with the same --sort: leave it out for the first page"
    return yield* new WrongUse({ message })
  }
  const wanted: Wanted = { category: Option.getOrNull(category), severity: Option.getOrNull(severity), signature }
  return { wanted, page: new Page(sort, place, limit) }
})

const orderText: Readonly<Record<Order, string>> = { time: "newest first", severity: "worst first" }

/** What follows a page: how many there are, and how to go on. */
const footer = ({ hasMore, items, total }: Page, sort: Order): string => {
  const last = items.at(-1)
  const next = hasMore && last !== undefined ? ` Next: --after ${spellPlace(sort, last)}` : ""
  return `${group(items.length)} of ${group(total)}, ${orderText[sort]}.${next}`
}

/** Prints the page. What is no envelope is counted, and told on standard error. */
export const list = Effect.fn("evidence.list")(function*(flags: ListFlags) {
  const { page, wanted } = yield* wantedBy(flags)
  const source = yield* sourceAt(flags)
  let unreadable = 0
  yield* Stream.runForEach(source.batches, (batch) =>
    Effect.sync(() => {
      unreadable += batch.unreadable
      for (const item of batch.items) if (isWanted(item, wanted)) page.add(item)
    })).pipe(Effect.catchTag("EvidenceUnavailable", sayNo))
  const { items } = page
  const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
  const paint = paintOf(canColor)
  const end = footer(page, flags.sort)
  if (flags.json) {
    if (items.length > 0) yield* Console.log(items.map(jsonLine).join("\n"))
    yield* Console.error(end)
  } else if (items.length === 0) yield* Console.log(end)
  else yield* Console.log([...table(items, paint), "", paint.dim(end)].join("\n"))
  if (unreadable > 0) {
    const files = unreadable === 1 ? "file is" : "files are"
    yield* Console.error(`${group(unreadable)} ${files} named as an envelope and cannot be read as one`)
  }
})
