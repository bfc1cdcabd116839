/**
 * Memory: comparing it, and writing text into it.
 *
 * **Gotchas**
 *
 * - Not for secrets: the time it takes tells where the first difference is. Use
 *   `Hash.timingSafeEqual` for those.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"

/**
 * Whether the `length` bytes of `a` from `aAt` on are those of `b` from `bAt` on; both ranges lie
 * within their arrays. Where they are all of both arrays no property of these is read: one may be a
 * payload of somebody's.
 */
export type EqualBytes = (a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, length: number) => boolean

/** Byte by byte, about a nanosecond each: on any host the fastest way for short ranges. */
export const equalBytes: EqualBytes = (a, aAt, b, bAt, length) => {
  for (let i = 0; i < length; i++) if (a[aAt + i] !== b[bAt + i]) return false
  return true
}

/**
 * Writes the UTF-8 of a text into `target` from `at` on, where it has at most `room` bytes, and
 * gives their number; -1 where it has more, and then what is in the room is undefined. A lone
 * surrogate becomes U+FFFD. The room lies within the target, of which nothing else is written.
 */
export type WriteUtf8 = (text: string, target: Uint8Array, at: number, room: number) => number

const encoder = new TextEncoder()

/** By TextEncoder, which leaves two small objects behind. */
export const writeUtf8: WriteUtf8 = (text, target, at, room) => {
  const { read, written } = encoder.encodeInto(text, target.subarray(at, at + room))
  return read === text.length ? written : -1
}

/** Compares memory, which allocates nothing, and writes to it. */
export class Memory extends Context.Service<Memory, {
  readonly equal: EqualBytes
  readonly writeUtf8: WriteUtf8
}>()("tracehound/host/port/Memory") {
  /** In JavaScript, byte by byte, and by TextEncoder. */
  static readonly layerPortable = Layer.succeed(Memory, { equal: equalBytes, writeUtf8 })
}
