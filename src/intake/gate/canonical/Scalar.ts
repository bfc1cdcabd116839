/**
 * Numbers, bigints and bytes as canonical tokens.
 *
 * RFC 8785 section 3.2.2.3 writes a number as ECMAScript's Number::toString does, which is what a
 * template literal gives. What JSON lacks gets a token that starts with `!` (spec/canonical.md).
 *
 * Cost: linear in the bytes written. A bigint that cannot fit is refused by comparing it with a
 * power of two, before it is converted; hexadecimal keeps the conversion linear where decimal would
 * not be.
 */
import type { Sink } from "./Sink.ts"

const hexOf: (value: bigint, radix: number) => string = Function.prototype.call.bind(BigInt.prototype.toString)

const ZERO = 0x30
const hexDigits = "0123456789abcdef"
/**
 * Below this a bigint takes fewer characters than Sink's slack, so that it needs no bound of its
 * own.
 */
const smallBigint = 1n << 1024n
const minusSmallBigint = -smallBigint
/** V8 makes no bigint of more bits; other engines allow fewer. */
const maxBigintBits = 1 << 30

/** Writes any number. False when it does not fit. */
export const writeNumber = (sink: Sink, value: number): boolean => {
  if (value === 0) return sink.ascii(Object.is(value, -0) ? "!-0" : "0")
  if (value > 0 && value < 10 && value === Math.trunc(value)) {
    sink.reserve(1)
    sink.byte(ZERO + value)
    return sink.fits()
  }
  return sink.ascii(Number.isFinite(value) ? `${value}` : `!${value}`)
}

/** Writes bigints for one sink; holds the bounds that its limit implies, made when first needed. */
export class BigIntText {
  private readonly sink: Sink
  private above: bigint | undefined
  private below: bigint | undefined

  constructor(sink: Sink) {
    this.sink = sink
  }

  /** Writes `!n` and the value in lowercase hexadecimal. False when it does not fit. */
  write(value: bigint): boolean {
    const { sink } = this
    if (value < smallBigint && value > minusSmallBigint) return sink.ascii(`!n${hexOf(value, 16)}`)
    if (!this.mayFit(value)) return false
    const digits = hexOf(value, 16)
    if (!sink.ascii("!n") || digits.length > sink.remaining) return false
    sink.reserve(digits.length)
    for (let i = 0; i < digits.length; i++) sink.byte(digits.charCodeAt(i))
    return true
  }

  /** Two bigints of different length are compared without looking at their digits. */
  private mayFit(value: bigint): boolean {
    if (4 * this.sink.limit >= maxBigintBits) return true
    const above = this.above ??= 1n << BigInt(4 * this.sink.limit)
    const below = this.below ??= -above
    return value < above && value > below
  }
}

/**
 * Writes `!b`, the kind, a colon and the bytes in lowercase hexadecimal. False when it does not
 * fit.
 */
export const writeHexBytes = (sink: Sink, kind: string, bytes: Uint8Array): boolean => {
  if (!sink.ascii(`!b${kind}:`) || 2 * bytes.length > sink.remaining) return false
  sink.reserve(2 * bytes.length)
  const out = sink.bytes
  let at = sink.length
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0
    out[at++] = hexDigits.charCodeAt(byte >> 4)
    out[at++] = hexDigits.charCodeAt(byte & 15)
  }
  sink.length = at
  return true
}
