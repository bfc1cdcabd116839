/**
 * Secure ids: a UUIDv7 and 8 hexadecimal characters of randomness of their own (RFC, "Secure ID
 * Generation"; RFC 9562; CONFORMANCE D9).
 *
 * Promises that each id sorts after the one before it, within a millisecond (a 12-bit counter in
 * the place of rand_a, RFC 9562 section 6.2 method 1) and when the clock goes back (the generator
 * keeps the last millisecond that it saw). Costs one system call in 256 ids: randomness comes from
 * a pool, and used bytes are overwritten.
 *
 * In binary an id is 20 bytes: the 16 of the UUID and the 4 of the suffix. Its text is made when a
 * caller reads it.
 *
 * **Gotchas**
 *
 * - A time outside the 48 bits of a UUIDv7 counts as the nearest one inside. Past the year 10889
 *   ids are unique but no longer ordered.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { secureIdBytes, secureIdText } from "../../domain/SecureIdText.ts"
import { Randomness } from "../../host/port/Randomness.ts"

export interface SecureIdSources {
  /** Overwrites the target with unpredictable bytes. */
  readonly fill: (target: Uint8Array<ArrayBuffer>) => void
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** Each call of either method gives the next id. */
export interface SecureIdGenerator {
  readonly next: () => string
  /**
   * The id in binary, into the first 20 bytes of the target; `at` is the time of day, in ms.
   * Allocates nothing.
   */
  readonly nextInto: (target: Uint8Array, at: number) => void
}

/** 2^48 - 1: the last millisecond that a UUIDv7 can name. */
const maxMs = 0xffff_ffff_ffff

/**
 * Bytes of randomness an id takes: 2 for the counter's start, 8 for rand_b, 4 for the suffix, and 2
 * to make it 16.
 */
const perId = 16
const poolSize = perId * 256

/** A generator with a pool and a counter of its own. */
export const makeSecureIds = ({ fill, now }: SecureIdSources): SecureIdGenerator => {
  const pool = new Uint8Array(poolSize)
  const own = new Uint8Array(secureIdBytes)
  let at = poolSize
  let lastMs = -1
  let counter = 0

  const random = (index: number): number => pool[at + index] ?? 0

  const advance = (time: number): void => {
    const read = Math.floor(time)
    const ms = read >= 0 ? Math.min(read, maxMs) : 0
    if (ms > lastMs) {
      lastMs = ms
      // The top bit stays free, so that at least 2048 ids fit in the millisecond.
      counter = ((random(0) & 0x07) << 8) | random(1)
    } else if (counter < 0xfff) counter += 1
    else if (lastMs < maxMs) {
      lastMs += 1
      counter = 0
    }
  }

  const nextInto = (target: Uint8Array, time: number): void => {
    if (at >= poolSize) {
      fill(pool)
      at = 0
    }
    advance(time)
    const high = Math.floor(lastMs / 0x1_0000)
    target[0] = high >>> 24
    target[1] = high >>> 16
    target[2] = high >>> 8
    target[3] = high
    target[4] = (lastMs % 0x1_0000) >>> 8
    target[5] = lastMs % 0x100
    target[6] = 0x70 | (counter >>> 8)
    target[7] = counter
    target[8] = (random(2) & 0x3f) | 0x80
    for (let i = 9; i < secureIdBytes; i++) target[i] = random(i - 6)
    for (let i = 0; i < perId; i++) pool[at + i] = 0
    at += perId
  }

  return {
    nextInto,
    next: () => {
      nextInto(own, now())
      return secureIdText(own)
    }
  }
}

/** The one generator of a Tracehound, so that all its ids are ordered among themselves. */
export class SecureIds
  extends Context.Service<SecureIds, SecureIdGenerator>()("tracehound/custody/evidence/SecureIds")
{
  /** On the Clock and the Randomness of the host. */
  static readonly layer = Layer.effect(
    SecureIds,
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const { fill } = yield* Randomness
      return makeSecureIds({ fill, now: () => clock.currentTimeMillisUnsafe() })
    })
  )
}
