/**
 * Arbitraries of simple values: text, identifiers, times, sizes, digests, ids and the closed
 * unions.
 *
 * They reach the bounds of their schemas: one identifier in eight has exactly 256 bytes; a time may
 * be negative, a fraction, -0 or the largest double. The members of a closed union are equally
 * likely.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { PurgeReason, SecureId } from "../../domain/Records.ts"
import { maxIdentifierBytes, threatCategories, type ThreatCategory } from "../../domain/Scent.ts"
import { severities, type Severity } from "../../domain/Severity.ts"
import { Sha256Hex } from "../../domain/Threat.ts"
import { choice, cut, filled, list, pick, pickFrom, whole } from "./building.ts"

/** All equally likely. Shrinks to `low`. */
export const severity: Arbitrary.Arbitrary<Severity> = pick(severities)

/** All equally likely. Shrinks to `injection`. */
export const threatCategory: Arbitrary.Arbitrary<ThreatCategory> = pick(threatCategories)

/** All equally likely. */
export const purgeReason: Arbitrary.Arbitrary<PurgeReason> = pick(PurgeReason.literals)

const letters = pickFrom("abcdefghijklmnopqrstuvwxyz0123456789-_.:/ ")

/** Breaks code that takes text for ASCII, for one line, or for one unit a character. */
const awkward = pick([
  "é",
  "€",
  "\u{1f600}",
  "\0",
  "\n",
  "\u001f",
  "\u007f",
  "\u0080",
  "\u07ff",
  "\u0800",
  "\u200b",
  "\u2028",
  "\u202e",
  "\ufeff",
  "\ufffd",
  "\uffff",
  "\u{10000}",
  "\u{10ffff}",
  "\"",
  "\\",
  "<",
  "%"
])

const surrogates = 0x800
const character = choice([6, letters], [3, awkward], [
  1,
  Arbitrary.map(
    whole(0, 0x10ffff - surrogates),
    (point) => String.fromCodePoint(point < 0xd800 ? point : point + surrogates)
  )
])

const lone = pick(["\ud800", "\udbff", "\udc00", "\udfff"])
const anyCharacter = choice([15, character], [1, lone])

const joined = (parts: Arbitrary.Arbitrary<ReadonlyArray<string>>): Arbitrary.Arbitrary<string> =>
  Arbitrary.map(parts, (strings) => strings.join(""))

/** A few characters, for repetition. */
const pattern = (characters: Arbitrary.Arbitrary<string>) =>
  joined(Arbitrary.array(characters, { minLength: 1, maxLength: 4 }))

/** Any string of at most so many characters, including lone surrogates. */
export const text = (maxCharacters: number): Arbitrary.Arbitrary<string> => joined(list(anyCharacter, maxCharacters))

/**
 * Any string of at most so many characters without lone surrogates, so that UTF-8 can encode it.
 */
export const wellFormedText = (maxCharacters: number): Arbitrary.Arbitrary<string> =>
  joined(list(character, maxCharacters))

/** Well-formed text of exactly so many bytes of UTF-8. */
export const textOfBytes = (bytes: number): Arbitrary.Arbitrary<string> =>
  Arbitrary.map(pattern(character), (repeated) => filled(repeated, bytes))

/**
 * A scent's `id` or `source`: a name or any text, and one in eight times a text of exactly 256
 * bytes. May be empty, and may have lone surrogates, which count as three bytes.
 */
export const identifier: Arbitrary.Arbitrary<string> = choice(
  [3, joined(list(letters, 24))],
  [4, Arbitrary.map(text(100), (any) => cut(any, maxIdentifierBytes))],
  [1, Arbitrary.map(pattern(anyCharacter), (repeated) => filled(repeated, maxIdentifierBytes))]
)

/** The greatest time value of a Date. */
const endOfDates = 8.64e15

/** Milliseconds since the epoch: any finite number. Half are between 1970 and 2100. */
export const timestamp: Arbitrary.Arbitrary<number> = choice(
  [4, whole(0, 4_102_444_800_000)],
  [1, Arbitrary.map(whole(-endOfDates, endOfDates), (twice) => twice / 2)],
  [
    1,
    pick([
      0,
      -0,
      1,
      -1,
      0.5,
      -0.5,
      Number.MIN_VALUE,
      Number.EPSILON,
      endOfDates,
      -endOfDates,
      endOfDates + 1,
      2 ** 31,
      2 ** 53,
      -(2 ** 53),
      Number.MAX_VALUE,
      -Number.MAX_VALUE
    ])
  ],
  [2, Arbitrary.schema(Schema.Finite)]
)

/** A whole number from 0 on. Often near the limits of buffers and of integers. */
export const size: Arbitrary.Arbitrary<number> = choice(
  [4, whole(0, 2_000)],
  [
    1,
    pick([
      0,
      1,
      64_511,
      64_512,
      64_513,
      65_535,
      65_536,
      1_000_000,
      2 ** 31 - 1,
      2 ** 31,
      2 ** 32 - 1,
      2 ** 32,
      Number.MAX_SAFE_INTEGER
    ])
  ],
  [2, whole(0, Number.MAX_SAFE_INTEGER)]
)

const zeros = "0".repeat(64)

/**
 * A SHA-256 in lowercase hexadecimal. One in eight is all zeros, the hash before the first record
 * of a chain.
 */
export const digest: Arbitrary.Arbitrary<string> = choice(
  [1, Arbitrary.Constant(zeros)],
  [7, Arbitrary.schema(Sha256Hex)]
)

/** A valid id of a record. */
export const secureId: Arbitrary.Arbitrary<SecureId> = Arbitrary.schema(SecureId)

/** `category:digest`, with a random digest. */
export const signatureOf = (category: ThreatCategory): Arbitrary.Arbitrary<string> =>
  Arbitrary.map(digest, (hex) => `${category}:${hex}`)

/** A signature of any category. Its digest is random, not that of a payload. */
export const signature: Arbitrary.Arbitrary<string> = Arbitrary.flatMap(threatCategory, signatureOf)
