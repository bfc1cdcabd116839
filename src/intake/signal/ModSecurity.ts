/**
 * Decodes the JSON audit log of ModSecurity v3 (`SecAuditLogFormat JSON`), one transaction a line.
 *
 * | of a scent | from the transaction |
 * |---|---|
 * | id | `unique_id` |
 * | source | `client_ip` |
 * | timestamp | `time_stamp`, taken as UTC |
 * | payload | `request`, as it stands; its raw bytes where JSON.parse loses some (`RawValue.ts`) |
 * | threat | there is one when `messages` is not empty, or `is_interrupted` is true |
 * | severity | the worst of the messages' syslog numbers that are set: 1 and 2 critical, 3 high, 4 medium, others or none low |
 * | category | by the messages' tags, see `categories` below |
 *
 * **Gotchas**
 *
 * - ModSecurity writes its host's local time without a zone. On a host that does not run on UTC,
 *   the times are off by its zone, all alike.
 * - ModSecurity writes 0 for the severity of a rule that sets none, so 0 is not "emergency".
 * - A rule with `nolog` that denies, and an engine error that interrupts, leave no message. Such a
 *   transaction is a threat all the same, of an unknown category and of high severity.
 * - A transaction that lacks `messages` and was not interrupted is refused and not called clean:
 *   part H was switched off, so the log does not say. Releases that write no `is_interrupted` are
 *   read by their messages alone.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { maxIdentifierBytes, type Scent, type ThreatCategory, type ThreatSignal } from "../../domain/Scent.ts"
import type { Severity } from "../../domain/Severity.ts"
import { BoundedString } from "../../domain/Text.ts"
import { parseAsctime } from "./Asctime.ts"
import { jsonLine } from "./JsonLine.ts"
import { type DecodedLine, rawValue, type SourceLine } from "./RawValue.ts"
import { SignalError } from "./SignalError.ts"

const altered = "see what else writes to this log, or changes it on its way"

/** What to do about a mistake: most of them are no setting of ModSecurity's. */
const format = {
  syntaxAdvice: (line: string) =>
    line.trimStart().startsWith("{")
      ? "the line was cut off while it was written, or something was written into it"
      : "set SecAuditLogFormat JSON",
  adviceAt: (place: string) => {
    switch (place) {
      case "transaction.request":
        return "have part B in SecAuditLogParts"
      case "transaction.messages":
        return "have part H in SecAuditLogParts"
      case "":
      case "transaction":
        return "give an audit log of ModSecurity v3"
      default:
        return altered
    }
  },
  opening: "{\"transaction\":"
}

const Identifier = BoundedString(maxIdentifierBytes)

const missingMessages = Result.fail(
  new SignalError({ message: `missing key at transaction.messages: ${format.adviceAt("transaction.messages")}` })
)

const payloadPath = ["transaction", "request"]

/** An object, left as JSON.parse made it. */
const Untouched = Schema.Unknown.check(
  Schema.makeFilter((value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value), {
    expected: "object"
  })
)

const Message = Schema.Struct({
  details: Schema.optionalKey(Schema.Struct({
    /**
     * A string in version 3. A value that is no syslog number counts as low.
     */
    severity: Schema.optionalKey(Schema.Unknown),
    tags: Schema.optionalKey(Schema.Array(Schema.String))
  }))
})
type Message = typeof Message.Type

const AuditLine = Schema.Struct({
  transaction: Schema.Struct({
    unique_id: Identifier,
    client_ip: Identifier,
    time_stamp: Schema.String,
    request: Untouched,
    is_interrupted: Schema.optionalKey(Schema.Boolean),
    messages: Schema.optionalKey(Schema.Array(Message))
  })
})

const decodeLine = jsonLine(AuditLine, format)

/** The tags of each category. The first category that has a tag of any message counts. */
const categories: ReadonlyArray<readonly [ThreatCategory, ReadonlyArray<string>]> = [
  ["ddos", ["attack-dos"]],
  ["injection", [
    "attack-sqli",
    "attack-xss",
    "attack-rce",
    "attack-lfi",
    "attack-rfi",
    "attack-ssrf",
    "attack-ldap",
    "attack-injection-*",
    "attack-fixation"
  ]],
  ["malware", ["attack-webshell", "attack-malware"]],
  ["spam", ["attack-reputation-scanner", "attack-reputation-crawler", "attack-reputation-script"]]
]

const injectionPrefix = "attack-injection-"
const rankOfTag = new Map(categories.flatMap(([, tags], rank) => tags.map((tag) => [tag, rank] as const)))
const rankOf = (tag: string): number | undefined =>
  rankOfTag.get(tag.startsWith(injectionPrefix) ? `${injectionPrefix}*` : tag)

const categoryOf = (messages: ReadonlyArray<Message>): ThreatCategory => {
  let best = categories.length
  for (const { details } of messages) for (const tag of details?.tags ?? []) best = Math.min(best, rankOf(tag) ?? best)
  return categories[best]?.[0] ?? "unknown"
}

/** By syslog number (RFC 5424, 6.2.1), from 1 to 4; a number past the end is low. */
const severityOfNumber: ReadonlyArray<Severity> = ["critical", "critical", "high", "medium"]

/** The number, or the mildest one for a value that is none and for 0, which means "not set". */
const syslogNumber = (severity: unknown): number => {
  const number = typeof severity === "string" && /^\d$/.test(severity) ? Number(severity) : severity
  return typeof number === "number" && Number.isInteger(number) && number >= 1 ? number : 7
}

const severityOf = (messages: ReadonlyArray<Message>): Severity => {
  let worst = 7
  for (const { details } of messages) worst = Math.min(worst, syslogNumber(details?.severity))
  return severityOfNumber[worst - 1] ?? "low"
}

const threatOf = (messages: ReadonlyArray<Message>, isInterrupted: boolean): ThreatSignal | undefined =>
  messages.length > 0
    ? { category: categoryOf(messages), severity: severityOf(messages) }
    : isInterrupted
    ? { category: "unknown", severity: "high" }
    : undefined

/**
 * Decodes a line of a ModSecurity v3 JSON audit log. Never throws. Takes about twice as long as
 * JSON.parse alone.
 *
 * **Example** (A clean transaction)
 *
 * ```ts
 * import { Result } from "effect"
 * import { decodeModSecurity } from "tracehound/signal"
 *
 * const line = JSON.stringify({
 *   transaction: {
 *     unique_id: "179522954252.237230",
 *     client_ip: "198.51.9.69",
 *     time_stamp: "Sat Nov 21 02:52:22 2026",
 *     request: { method: "GET", uri: "/" },
 *     messages: []
 *   }
 * })
 * const scent = Result.getOrThrow(decodeModSecurity(line))
 * scent.timestamp // => 1795229542000
 * scent.threat // => undefined
 * ```
 */
export const decodeModSecurity = (line: string): Result.Result<Scent, SignalError> =>
  Result.map(readModSecurity({ text: line }), ({ scent }) => scent)

/** The same for a line with its bytes, where it is not valid UTF-8. */
export const readModSecurity = (line: SourceLine): Result.Result<DecodedLine, SignalError> => {
  const decoded = decodeLine(line.text)
  if (Result.isFailure(decoded)) return Result.fail(decoded.failure)
  const { client_ip, is_interrupted = false, messages, request, time_stamp, unique_id } = decoded.success.transaction
  if (messages === undefined && !is_interrupted)
    return missingMessages
  const threat = threatOf(messages ?? [], is_interrupted)
  const timestamp = parseAsctime(time_stamp)
  if (timestamp === undefined) {
    return Result.fail(
      new SignalError({
        message: `expected a date such as "Sat Nov 21 02:52:22 2026" at transaction.time_stamp: ${altered}`
      })
    )
  }
  const raw = rawValue(line, payloadPath, request)
  const scent = {
    id: unique_id,
    payload: raw ?? request,
    source: client_ip,
    timestamp,
    ...(threat === undefined ? {} : { threat })
  }
  return Result.succeed({ scent, isRaw: raw !== undefined })
}
