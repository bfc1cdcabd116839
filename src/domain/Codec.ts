/**
 * How evidence is pressed on its way to cold storage (CONFORMANCE E6, E7).
 */
import * as Schema from "effect/Schema"

/** The codecs of an envelope, in the order of their numbers in its header (spec/envelope.md). */
export const codecs = ["stored", "gzip", "zstd", "brotli"] as const

/** `stored` is the bytes themselves, `gzip` RFC 1952, `zstd` RFC 8878, `brotli` RFC 7932. */
export const Codec = Schema.Literals(codecs)
export type Codec = typeof Codec.Type
