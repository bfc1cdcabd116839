/**
 * The canonical key of a source, so that one host cannot be many by spelling its address
 * differently (CONFORMANCE G1).
 *
 * - An IPv4 address is itself.
 * - An IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2), in any spelling, is that IPv4 address.
 * - Any other IPv6 address is its /64, which is what one customer gets: RFC 5952 text and `/64`. A
 *   zone (`%eth0`) is dropped, and so are brackets with or without a port (`[2001:db8::1]:443`).
 * - Anything else is itself, unchanged: a user agent, a tenant, a host name.
 *
 * Cost: one pass over at most 64 characters. An IPv4 address and anything that is no address come
 * back as the very same string, without an allocation. Never throws. `makeSourceKeys` remembers
 * keys that differ from their source, so that a known IPv6 address costs a comparison.
 *
 * **Gotchas**
 *
 * - `1.2.3.4:443` is itself: hand over the address without its port.
 * - An octet with a leading zero (`01.2.3.4`) is no address, since readers disagree whether it is
 *   octal.
 * - Only ::ffff:0:0/96 stands for IPv4. NAT64 (64:ff9b::/96) and the old IPv4-compatible addresses
 *   fall under one /64 each.
 */
import { ownCopy } from "../../memory/OwnCopy.ts"

/** The longest text that is read: 45 characters of address, a zone, brackets and a port. */
const maxLength = 64
const groupCount = 8
const prefixGroups = 4

const DOT = 0x2e
const COLON = 0x3a
const PERCENT = 0x25
const OPEN = 0x5b

/** The groups that `readIpv6` found: one buffer for all calls, which are synchronous. */
const groups = new Uint16Array(groupCount)

/** The key under which requests of `source` are counted. */
export const sourceKey = (source: string): string => {
  const length = source.length
  if (length === 0 || length > maxLength || isIpv4(source)) return source
  return source.charCodeAt(0) === OPEN ? bracketedKey(source) : ipv6Key(source, 0, length)
}

/** Spellings that `makeSourceKeys` remembers. */
const places = 1024

/**
 * `sourceKey`, remembering the spellings that it changed: at most 1024 of at most 64 characters,
 * copied.
 */
export const makeSourceKeys = (): (source: string) => string => {
  const spellings: Array<string> = Array.from({ length: places }, () => "")
  const keys: Array<string> = Array.from({ length: places }, () => "")
  return (source) => {
    const length = source.length
    if (length === 0 || length > maxLength) return source
    const place = (Math.imul(length, 31) + source.charCodeAt(length - 1) * 7 + source.charCodeAt(length >> 1) * 61 +
      source.charCodeAt(length >> 2) * 17) & (places - 1)
    if (spellings[place] === source) return keys[place] ?? source
    const key = sourceKey(source)
    if (key !== source) {
      spellings[place] = ownCopy(source)
      keys[place] = key
    }
    return key
  }
}

const isIpv4 = (text: string): boolean => readIpv4(text, 0, text.length) >= 0

/** `[address]` or `[address]:port`; whatever else starts with a bracket is left alone. */
const bracketedKey = (source: string): string => {
  const close = source.indexOf("]")
  if (close < 0 || !isPortFrom(source, close + 1)) return source
  return ipv6Key(source, 1, close)
}

/** True for nothing at all, or a colon and 1 to 5 digits up to 65535. */
const isPortFrom = (text: string, from: number): boolean => {
  if (from === text.length) return true
  const digits = text.length - from - 1
  if (text.charCodeAt(from) !== COLON || digits < 1 || digits > 5) return false
  let port = 0
  for (let i = from + 1; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30
    if (digit < 0 || digit > 9) return false
    port = port * 10 + digit
  }
  return port <= 0xffff
}

/** The key of the address in [from, to), or `source` when there is none. */
const ipv6Key = (source: string, from: number, to: number): string => {
  if (!readIpv6(source, from, withoutZone(source, from, to))) return source
  return isMapped() ? mappedText() : prefixText()
}

/**
 * The end of the address: at a `%` that a zone of at least one character follows (RFC 4007 section
 * 11).
 */
const withoutZone = (text: string, from: number, to: number): number => {
  for (let i = from; i < to; i++) if (text.charCodeAt(i) === PERCENT) return i + 1 < to ? i : to
  return to
}

const group = (index: number): number => groups[index] ?? 0

const isMapped = (): boolean => {
  for (let i = 0; i < 5; i++) if (group(i) !== 0) return false
  return group(5) === 0xffff
}

const mappedText = (): string => `${group(6) >> 8}.${group(6) & 0xff}.${group(7) >> 8}.${group(7) & 0xff}`

/**
 * RFC 5952 section 4 for a prefix whose last four groups are zero: that run is the longest, with
 * whatever zeros stand before it, so `::` is always at the end.
 */
const prefixText = (): string => {
  let used = prefixGroups
  while (used > 0 && group(used - 1) === 0) used--
  let text = ""
  for (let i = 0; i < used; i++) text += i === 0 ? group(i).toString(16) : `:${group(i).toString(16)}`
  return `${text}::/64`
}

/** Reads the IPv6 address that fills [from, to) into `groups` (RFC 4291 section 2.2). */
const readIpv6 = (text: string, from: number, to: number): boolean => {
  let count = 0
  let gap = -1
  let at = from
  if (text.charCodeAt(at) === COLON && text.charCodeAt(at + 1) === COLON && at + 2 <= to) {
    gap = 0
    at += 2
  }
  while (at < to) {
    if (count === groupCount) return false
    const start = at
    let value = 0
    for (; at < to && at - start < 4; at++) {
      const digit = hexDigit(text.charCodeAt(at))
      if (digit < 0) break
      value = value * 16 + digit
    }
    if (at === start) return false
    if (at < to && text.charCodeAt(at) === DOT) {
      const ipv4 = count <= groupCount - 2 ? readIpv4(text, start, to) : -1
      if (ipv4 < 0) return false
      groups[count++] = Math.floor(ipv4 / 0x10000)
      groups[count++] = ipv4 % 0x10000
      break
    }
    groups[count++] = value
    if (at === to) break
    if (text.charCodeAt(at) !== COLON || ++at === to) return false
    if (text.charCodeAt(at) === COLON) {
      if (gap >= 0) return false
      gap = count
      at++
    }
  }
  return gap < 0 ? count === groupCount : spread(gap, count)
}

/** Puts the zeros where `::` stood. It stands for at least one group. */
const spread = (gap: number, count: number): boolean => {
  if (count === groupCount) return false
  groups.copyWithin(groupCount - (count - gap), gap, count)
  groups.fill(0, gap, groupCount - (count - gap))
  return true
}

const hexDigit = (unit: number): number => {
  if (unit >= 0x30 && unit <= 0x39) return unit - 0x30
  const letter = (unit | 0x20) - 0x61
  return letter >= 0 && letter <= 5 ? letter + 10 : -1
}

/** The number of the IPv4 address that fills [from, to), or -1. */
const readIpv4 = (text: string, from: number, to: number): number => {
  let address = 0
  let octets = 0
  let at = from
  for (;;) {
    const start = at
    let octet = 0
    for (; at < to && at - start < 3; at++) {
      const digit = text.charCodeAt(at) - 0x30
      if (digit < 0 || digit > 9) break
      octet = octet * 10 + digit
    }
    const leadingZero = at - start > 1 && text.charCodeAt(start) === 0x30
    if (at === start || octet > 255 || leadingZero) return -1
    address = address * 256 + octet
    octets++
    if (octets === 4) return at === to ? address : -1
    if (at === to || text.charCodeAt(at) !== DOT) return -1
    at++
  }
}
