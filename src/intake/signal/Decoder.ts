/**
 * What detectors write, as a closed list of formats, and how a line of each becomes a Scent.
 */
import type * as Result from "effect/Result"
import type { Scent } from "../../domain/Scent.ts"
import { decodeModSecurity } from "./ModSecurity.ts"
import { decodeScent } from "./ScentLine.ts"
import type { SignalError } from "./SignalError.ts"

/** Every format there is, by the name that the command line takes. */
export const formats = ["scent", "modsecurity"] as const

/** The name of a format. */
export type Format = typeof formats[number]

/** How lines of one format are read. */
export interface Decoder {
  readonly name: Format
  /** One line for people: what writes this format. */
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
 * **Example** (What there is to choose from)
 *
 * ```ts
 * import { decoderFor, formats } from "tracehound/signal"
 *
 * formats.map((format) => `${format}: ${decoderFor(format).description}`)
 * ```
 */
export const decoderFor = (format: Format): Decoder => decoders[format]
