/**
 * The compression of evidence in cold storage (CONFORMANCE E6, E7).
 */
import * as Schema from "effect/Schema"

/**
 * The codecs of an envelope. The index of a codec is its number in the header (spec/envelope.md).
 */
export const codecs = ["stored", "gzip", "zstd", "brotli"] as const

/** `stored` is no compression, `gzip` RFC 1952, `zstd` RFC 8878, `brotli` RFC 7932. */
export const Codec = Schema.Literals(codecs)
export type Codec = typeof Codec.Type
