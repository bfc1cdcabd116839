/**
 * Gunzip as a stream, for recordings of any length in memory that does not grow with them.
 *
 * Every host promises:
 *
 * - members that follow one another are one stream (RFC 1952, 2.2), and zeros after a member are
 *   padding;
 * - every byte that can be inflated comes out before the one error that says how the stream broke;
 * - the CRC and the length of each member are checked;
 * - chunks are small, and nothing is read ahead of the consumer, so that a decompression bomb costs
 *   time and no memory;
 * - the host's resources for a stream are released when the stream's scope closes.
 */
import * as Context from "effect/Context"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"

/**
 * How a gzip stream broke: `truncated`, its bytes end too early; `corrupt`, they are no gzip or do
 * not match their own CRC or length; `garbage`, all is well up to something after the last member
 * that is neither gzip nor zeros.
 */
export class GzipError extends Schema.TaggedError<GzipError>()("GzipError", {
  reason: Schema.Literals(["truncated", "corrupt", "garbage"]),
  message: Schema.String
}) {}

export class Inflate extends Context.Service<Inflate, {
  /**
   * The bytes inside a gzip stream (RFC 1952), however it is cut into chunks. An empty stream is a
   * truncated one.
   */
  readonly gunzip: <E, R>(stream: Stream.Stream<Uint8Array, E, R>) => Stream.Stream<Uint8Array, E | GzipError, R>
}>()("tracehound/host/port/Inflate") {}
