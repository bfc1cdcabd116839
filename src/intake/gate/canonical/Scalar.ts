/**
 * Numbers, bigints and bytes as canonical tokens.
 *
 * RFC 8785 section 3.2.2.3 writes a number as ECMAScript's Number::toString does, which is what a
 * template literal gives; usual ones are written without the text in between. What JSON lacks gets
 * a token that starts with `!` (spec/canonical.md).
 *
 * Cost: linear in the bytes written. A bigint that cannot fit is refused by comparing it with a
 * power of two, before it is converted; hexadecimal keeps the conversion linear where decimal would
 * not be.
 */
import type { Sink } from "./Sink.ts"

const hexOf: (value: bigint, radix: number) => string = Function.prototype.call.bind(BigInt.prototype.toString)

const ZERO = 0x30
const MINUS = 0x2d
const POINT = 0x2e
/** Decimals of fewer digits than 16 are all different doubles. */
const tooManyDigits = 1e15
/** The most decimal places that are written without the host's help. */
const mostPlaces = 6
const maxDecimalBytes = 20
const halfDigits = 8
const half = 1e8
const powersOfTen = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8]
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
  const magnitude = Math.abs(value)
  let scale = 1
  for (let places = 0; places <= mostPlaces; places++) {
    const digits = Math.round(magnitude * scale)
    if (digits >= tooManyDigits) break
    if (digits / scale === magnitude) return writeDecimal(sink, value < 0, digits, places, scale)
    scale *= 10
  }
  return sink.ascii(Number.isFinite(value) ? `${value}` : `!${value}`)
}

/**
 * Writes `digits / scale`, where scale is 10 to the power of `places`. These are the digits of
 * Number::toString: no two decimals of 15 digits are the same double, and fewer places did not do.
 */
const writeDecimal = (sink: Sink, isNegative: boolean, digits: number, places: number, scale: number): boolean => {
  sink.reserve(maxDecimalBytes)
  if (isNegative) sink.byte(MINUS)
  const whole = places === 0 ? digits : Math.floor(digits / scale)
  if (whole >= half) {
    writeDigits(sink, Math.floor(whole / half), 1)
    writeDigits(sink, whole % half, halfDigits)
  } else writeDigits(sink, whole, 1)
  if (places > 0) {
    sink.byte(POINT)
    writeDigits(sink, digits - whole * scale, places)
  }
  return sink.fits()
}

/** Writes a whole number below `half`, in at least so many digits. */
const writeDigits = (sink: Sink, value: number, least: number): void => {
  let count = least
  for (let above = powersOfTen[least] ?? half; value >= above; above *= 10) count++
  const { bytes, length } = sink
  let rest = value | 0
  for (let at = length + count - 1; at >= length; at--) {
    const next = (rest / 10) | 0
    bytes[at] = ZERO + rest - 10 * next
    rest = next
  }
  sink.length = length + count
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
