/**
 * Decodes Tracehound's own NDJSON, one Scent a line, for a detector that can write it.
 *
 * ```json
 * {"id":"r-1","source":"192.0.2.7","timestamp":1760000000000,"payload":{"q":"' OR 1=1"},"threat":{"category":"injection","severity":"high"}}
 * {"id":"r-2","source":"192.0.2.8","timestamp":1760000000500,"payloadBase64":"AAEC/w=="}
 * ```
 *
 * **Gotchas**
 *
 * - A line has its payload exactly once: as `payload`, any JSON value, `null` too, or as
 *   `payloadBase64`, raw bytes in strict base64. A value that JSON.parse loses something of becomes
 *   its raw bytes (`RawValue.ts`).
 * - A scent without a threat has no `threat` key; `null` is a mistake.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Scent } from "../../domain/Scent.ts"
import { decodeBase64 } from "./Base64.ts"
import { jsonLine } from "./JsonLine.ts"
import { type DecodedLine, rawValue, type SourceLine } from "./RawValue.ts"
import { SignalError } from "./SignalError.ts"

const advice = "a scent is {id, source, timestamp in ms, payload or payloadBase64, threat?: {category, severity}}"

/** The domain's Scent, but for the two ways to write a payload. */
const ScentLine = Schema.Struct({
  ...Scent.fields,
  payload: Schema.optionalKey(Schema.Unknown),
  payloadBase64: Schema.optionalKey(Schema.String)
})

const format = { syntaxAdvice: () => advice, adviceAt: () => advice, opening: "{\"id\":" }

const decodeLine = jsonLine(ScentLine, format, { errors: "all" })

const mistake = (message: string) => Result.fail(new SignalError({ message: `${message}: ${advice}` }))

/**
 * Decodes a line of the `scent` format. The payload is the value that JSON.parse makes; a new
 * Uint8Array where the line has `payloadBase64`; or the bytes of the value as they stand in the
 * line where JSON.parse loses some of it, as it does of a key that comes twice. Never throws.
 *
 * **Example** (A scent with raw bytes)
 *
 * ```ts
 * import { Result } from "effect"
 * import { decodeScent } from "tracehound/signal"
 *
 * const line = JSON.stringify({
 *   id: "r-1",
 *   source: "192.0.2.7",
 *   timestamp: 1_760_000_000_000,
 *   payloadBase64: "AAEC/w=="
 * })
 * const scent = Result.getOrThrow(decodeScent(line))
 * scent.payload // => Uint8Array [0, 1, 2, 255]
 * ```
 */
export const decodeScent = (line: string): Result.Result<Scent, SignalError> =>
  Result.map(readScent({ text: line }), ({ scent }) => scent)

/** The same for a line with its bytes, where it is not valid UTF-8. */
export const readScent = (line: SourceLine): Result.Result<DecodedLine, SignalError> => {
  const decoded = decodeLine(line.text)
  if (Result.isFailure(decoded)) return Result.fail(decoded.failure)
  const { id, payloadBase64, source, threat, timestamp } = decoded.success
  const hasPayload = Object.hasOwn(decoded.success, "payload")
  if (hasPayload && payloadBase64 !== undefined) return mistake("expected one of payload and payloadBase64, found both")
  if (!hasPayload && payloadBase64 === undefined) return mistake("expected payload or payloadBase64, found neither")
  const payload = payloadBase64 === undefined ? decoded.success.payload : decodeBase64(payloadBase64)
  if (payload === undefined) return mistake("expected base64 with its padding, RFC 4648 section 4, at payloadBase64")
  const raw = rawValue(line, [hasPayload ? "payload" : "payloadBase64"], decoded.success.payload)
  const scent = { id, payload: raw ?? payload, source, timestamp, ...(threat === undefined ? {} : { threat }) }
  return Result.succeed({ scent, isRaw: raw !== undefined })
}
