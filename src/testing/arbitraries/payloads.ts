/**
 * Payloads: bytes, text, JSON, hostile values, and undefined. Each kind includes empty ones.
 *
 * Cost: most have a few bytes. One in eight of the byte payloads has about 64 KB, the size at which
 * evidence moves from the arena into a buffer of its own, so a thousand payloads take some 15 MB.
 *
 * **Gotchas**
 *
 * - A property's runs share buffers: writing to one, or detaching it, spoils the shrinking.
 */
import * as Arbitrary from "effect/Arbitrary"
import { make as seeded } from "../SeededRandomness.ts"
import { choice, list, pick, struct, whole } from "./building.ts"
import { hostilePayload } from "./hostile.ts"
import { jsonPayload } from "./json.ts"
import { text } from "./values.ts"

/** Random bytes of `kinds` different values: few kinds make bytes that can be compressed. */
const content = (lengths: Arbitrary.Arbitrary<number>): Arbitrary.Arbitrary<Uint8Array<ArrayBuffer>> =>
  Arbitrary.map(
    struct({ length: lengths, kinds: pick([1, 2, 256]), seed: whole(0, 0xffff) }),
    ({ kinds, length, seed }) => {
      const bytes = new Uint8Array(length)
      const { fill } = seeded(seed)
      fill(bytes)
      return kinds === 256 ? bytes : bytes.map((byte) => byte % kinds)
    }
  )

/** Bytes in a buffer of their own: none, some, and around 63 and 64 KiB. */
export const bytes: Arbitrary.Arbitrary<Uint8Array<ArrayBuffer>> = choice(
  [1, content(pick([0]))],
  [4, Arbitrary.map(list(whole(0, 255), 64), (all) => Uint8Array.from(all))],
  [2, content(whole(0, 8_192))],
  [1, content(pick([64_511, 64_512, 64_513, 65_535, 65_536, 65_537]))]
)

/** Wraps bytes in each type that a payload of bytes may have. */
const holding = pick<(bytes: Uint8Array<ArrayBuffer>) => ArrayBuffer | ArrayBufferView<ArrayBuffer>>([
  (bytes) => bytes,
  (bytes) => bytes.slice().buffer,
  (bytes) => new DataView(bytes.slice().buffer),
  (bytes) => new Int8Array(bytes.slice().buffer),
  (bytes) => new Uint8ClampedArray(bytes.slice().buffer),
  // A part of a larger buffer, as Node's buffer pool returns.
  (bytes) => {
    const around = new Uint8Array(bytes.length + 16).fill(0xee)
    around.set(bytes, 8)
    return around.subarray(8, 8 + bytes.length)
  }
])

/** A payload of bytes: a buffer, a view of a whole buffer, or a view of a part. */
export const bytesPayload: Arbitrary.Arbitrary<ArrayBuffer | ArrayBufferView<ArrayBuffer>> = Arbitrary.map(
  struct({ bytes, holding }),
  ({ bytes, holding }) => holding(bytes)
)

/** A payload of text: empty, any, or long. */
export const textPayload: Arbitrary.Arbitrary<string> = choice(
  [1, Arbitrary.Constant("")],
  [6, text(100)],
  [
    1,
    Arbitrary.map(
      struct({ pattern: text(20), times: whole(1, 4_000) }),
      ({ pattern, times }) => pattern.repeat(times)
    )
  ]
)

/**
 * Any payload. In ten: three of JSON, two each of text, bytes and hostile values, one undefined.
 */
export const payload: Arbitrary.Arbitrary<unknown> = choice(
  [1, Arbitrary.Constant(undefined)],
  [3, jsonPayload],
  [2, textPayload],
  [2, bytesPayload],
  [2, hostilePayload]
)
