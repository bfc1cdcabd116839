/**
 * Sources of scents: addresses in all their usual spellings, and names.
 *
 * `ipv4`, `ipv6`, `mappedIpv4` and `sourceName` each have one kind, so that a property can be about
 * it; `source` is any of these, or any identifier.
 */
import * as Arbitrary from "effect/Arbitrary"
import { choice, pick, pickFrom, struct, whole } from "./building.ts"
import { identifier } from "./values.ts"

const octets = Arbitrary.all([whole(0, 255), whole(0, 255), whole(0, 255), whole(0, 255)])

/** An IPv4 address: `192.0.2.7`. */
export const ipv4: Arbitrary.Arbitrary<string> = Arbitrary.map(octets, (parts) => parts.join("."))

/** Wraps an address in nothing, in brackets, or in brackets with a port. */
const bracket = pick<(address: string) => string>([
  (address) => address,
  (address) => `[${address}]`,
  (address) => `[${address}]:443`
])

const zone = pick(["", "%eth0"])
const letterCase = pick<(address: string) => string>([(address) => address, (address) => address.toUpperCase()])

const hex = (group: number): string => group.toString(16)
const padded = (group: number): string => hex(group).padStart(4, "0")

/**
 * Writes the first of the longest runs of zeros as `::`, even a single zero: RFC 5952 does not
 * write that, but it is valid.
 */
const compressed = (groups: ReadonlyArray<number>): string => {
  let from = 0
  let length = 0
  groups.forEach((_, start) => {
    const end = groups.findIndex((group, i) => i >= start && group !== 0)
    const run = (end < 0 ? groups.length : end) - start
    if (run > length) [from, length] = [start, run]
  })
  const texts = groups.map(hex)
  return length === 0
    ? texts.join(":")
    : `${texts.slice(0, from).join(":")}::${texts.slice(from + length).join(":")}`
}

const spelling = pick<(groups: ReadonlyArray<number>) => string>([
  compressed,
  (groups) => groups.map(hex).join(":"),
  (groups) => groups.map(padded).join(":")
])

const group = choice([2, Arbitrary.Constant(0)], [3, whole(0, 0xffff)])
const groups = Arbitrary.map(Arbitrary.array(group, { minLength: 8, maxLength: 8 }), (parts) => {
  const isMapped = parts.slice(0, 5).every((part) => part === 0) && parts[5] === 0xffff
  return isMapped ? [0x2001, ...parts.slice(1)] : parts
})

/**
 * An IPv6 address that maps no IPv4 address: short, long or padded, in upper or lower case, with or
 * without a zone, brackets and a port.
 */
export const ipv6: Arbitrary.Arbitrary<string> = Arbitrary.map(
  struct({ groups, spelling, letterCase, zone, bracket }),
  ({ bracket, groups, letterCase, spelling, zone }) => bracket(letterCase(spelling(groups)) + zone)
)

const mappedSpelling = pick<(octets: readonly [number, number, number, number]) => string>([
  (octets) => `::ffff:${octets.join(".")}`,
  ([a, b, c, d]) => `::ffff:${hex(a * 256 + b)}:${hex(c * 256 + d)}`,
  (octets) => `0:0:0:0:0:ffff:${octets.join(".")}`,
  ([a, b, c, d]) => `${`${padded(0)}:`.repeat(5)}ffff:${padded(a * 256 + b)}:${padded(c * 256 + d)}`
])

/** An IPv4 address and one of its spellings in IPv6 (RFC 4291 section 2.5.5.2). */
export interface Mapped {
  readonly ipv4: string
  readonly mapped: string
}

/** For properties that the two spellings count as one host. */
export const mappedPair: Arbitrary.Arbitrary<Mapped> = Arbitrary.map(
  struct({ octets, spelling: mappedSpelling, letterCase, bracket }),
  ({ bracket, letterCase, octets, spelling }) => ({
    ipv4: octets.join("."),
    mapped: bracket(letterCase(spelling(octets)))
  })
)

/** An IPv4 address, mapped into IPv6. */
export const mappedIpv4: Arbitrary.Arbitrary<string> = Arbitrary.map(mappedPair, ({ mapped }) => mapped)

const nameLetter = pickFrom("abcdefghijklmnopqrstuvwxyz0123456789-")

/** Not an address: hosts, tenants, user agents, and texts that only look like an address. */
export const sourceName: Arbitrary.Arbitrary<string> = choice(
  [
    3,
    Arbitrary.map(
      Arbitrary.array(nameLetter, { minLength: 1, maxLength: 20 }),
      (parts) => `tenant-${parts.join("")}`
    )
  ],
  [
    1,
    pick([
      "localhost",
      "",
      "example.com:443",
      "tenant/42",
      "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
      "xn--e1afmkfd.example",
      "пример.example"
    ])
  ],
  [
    1,
    pick(["1.2.3.4:443", "01.2.3.4", "256.1.1.1", "1.2.3", ":::", "[::1", "1::2::3", "2001:db8::/64", "::ffff:1.2.3"])
  ]
)

/** Any of the kinds above, or any identifier. */
export const source: Arbitrary.Arbitrary<string> = choice(
  [4, ipv4],
  [2, ipv6],
  [2, mappedIpv4],
  [2, sourceName],
  [1, identifier]
)
