/**
 * The formats that detectors write, a closed list, each with its decoder from a line to a Scent.
 */
import type * as Result from "effect/Result"
import type { Scent } from "../../domain/Scent.ts"
import { decodeModSecurity, readModSecurity } from "./ModSecurity.ts"
import type { DecodedLine, SourceLine } from "./RawValue.ts"
import { decodeScent, readScent } from "./ScentLine.ts"
import type { SignalError } from "./SignalError.ts"

/** Every format there is, by the name that the command line takes. */
export const formats = ["scent", "modsecurity"] as const

export type Format = typeof formats[number]

export interface Decoder {
  readonly name: Format
  /** One line for people: what the format is and who writes it. */
  readonly description: string
  /** One line, without its line break. Pure, and never throws. */
  readonly decode: (line: string) => Result.Result<Scent, SignalError>
}

const decoders: Readonly<Record<Format, Decoder>> = {
  scent: {
    name: "scent",
    description: "NDJSON, one Scent a line, raw bytes as payloadBase64",
    decode: decodeScent
  },
  modsecurity: {
    name: "modsecurity",
    description: "ModSecurity v3 JSON audit log, one transaction a line",
    decode: decodeModSecurity
  }
}

/**
 * The decoder for a format.
 *
 * **Example** (Listing the formats)
 *
 * ```ts
 * import { decoderFor, formats } from "tracehound/signal"
 *
 * for (const format of formats) console.log(`${format}: ${decoderFor(format).description}`)
 * ```
 */
export const decoderFor = (format: Format): Decoder => decoders[format]

const readers: Readonly<Record<Format, (line: SourceLine) => Result.Result<DecodedLine, SignalError>>> = {
  scent: readScent,
  modsecurity: readModSecurity
}

/** The decoder for a format, for lines whose bytes are at hand. */
export const readerFor = (format: Format) => readers[format]
