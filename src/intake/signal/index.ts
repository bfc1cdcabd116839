/**
 * Turns the logs of detectors into Scents: the package export `tracehound/signal`.
 *
 * `scents` is all of it in one stream. Its parts can be used by themselves: `gunzipIfNeeded` (bytes
 * to bytes), `lines` (bytes to lines), `decodeScent` and `decodeModSecurity` (a line to a Scent),
 * `decoderFor` (the same by the name of a format).
 *
 * The host decompresses: provide `Inflate`, on Node with `NodeInflate.layer` from
 * `tracehound/node`.
 */
export { GzipError, Inflate } from "../../host/port/Inflate.ts"
export { type Decoder, decoderFor, type Format, formats } from "./Decoder.ts"
export { gunzipIfNeeded } from "./Gunzip.ts"
export { type LineOptions, lines } from "./Lines.ts"
export { defaultMaxLineBytes, type Line, type RejectedLine, type TextLine } from "./LineSplitter.ts"
export { decodeModSecurity } from "./ModSecurity.ts"
export { type ScentEvent, scents, type ScentsOptions } from "./Scents.ts"
export { decodeScent } from "./ScentLine.ts"
export { SignalError } from "./SignalError.ts"
