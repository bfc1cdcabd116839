/**
 * Secure ids: a UUIDv7 and 8 hexadecimal characters of randomness of their own (RFC, "Secure ID Generation"; RFC 9562;
 * CONFORMANCE D9).
 *
 * Promises that each id sorts after the one before it, within a millisecond (a 12-bit counter in the place of rand_a, RFC
 * 9562 section 6.2 method 1) and when the clock goes back (the last millisecond seen is kept). Costs no system call but
 * one in 256 ids: randomness comes from a pool, whose used bytes are overwritten.
 *
 * **Gotchas**
 *
 * - A clock outside the 48 bits of a UUIDv7 is held at their edge. Past the year 10889 ids are unique but no longer ordered.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Randomness } from "../port/Randomness.ts"

/** What ids are made from. */
export interface SecureIdSources {
  /** Overwrites the target with unpredictable bytes. */
  readonly fill: (target: Uint8Array<ArrayBuffer>) => void
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** 2^48 - 1: the last millisecond that a UUIDv7 can name. */
const maxMs = 0xffff_ffff_ffff

/** Bytes of randomness an id takes: 2 for the counter's start, 8 for rand_b, 4 for the suffix, and 2 to make it 16. */
const perId = 16
const poolSize = perId * 256

const hexByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))

/** A generator of secure ids. */
export const makeSecureIds = ({ fill, now }: SecureIdSources): () => string => {
  const pool = new Uint8Array(poolSize)
  let at = poolSize
  let lastMs = -1
  let counter = 0

  const random = (index: number): number => pool[at + index] ?? 0
  const hex = (byte: number): string => hexByte[byte & 0xff] ?? "00"

  const advance = (): void => {
    const read = Math.floor(now())
    const ms = read >= 0 ? Math.min(read, maxMs) : 0
    if (ms > lastMs) {
      lastMs = ms
      // The top bit stays free, so that at least 2048 ids fit in the millisecond.
      counter = ((random(0) & 0x07) << 8) | random(1)
    } else if (counter < 0xfff) {
      counter += 1
    } else if (lastMs < maxMs) {
      lastMs += 1
      counter = 0
    }
  }

  return () => {
    if (at >= poolSize) {
      fill(pool)
      at = 0
    }
    advance()
    const time = lastMs.toString(16).padStart(12, "0")
    const id = `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, "0")}-` +
      `${hex((random(2) & 0x3f) | 0x80)}${hex(random(3))}-` +
      `${hex(random(4))}${hex(random(5))}${hex(random(6))}${hex(random(7))}${hex(random(8))}${hex(random(9))}-` +
      `${hex(random(10))}${hex(random(11))}${hex(random(12))}${hex(random(13))}`
    pool.fill(0, at, at + perId)
    at += perId
    return id
  }
}

/** The one generator of a Tracehound, so that all its ids are ordered among themselves. */
export class SecureIds extends Context.Service<SecureIds, {
  readonly next: () => string
}>()("tracehound/evidence/SecureIds") {
  /** From the Clock and the Randomness of its host. */
  static readonly layer = Layer.effect(
    SecureIds,
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      const { fill } = yield* Randomness
      return { next: makeSecureIds({ fill, now: () => clock.currentTimeMillisUnsafe() }) }
    })
  )
}
