/**
 * The small values that everything else is made of: text, identifiers, times, sizes, digests, ids
 * and the closed unions.
 *
 * Honest bounds: whatever the schema lets in is to be met with, not just the middle of it. An
 * identifier is of exactly 256 bytes once in eight times; a time may be negative, a fraction, -0 or
 * the largest double there is; members of a closed union are equally likely.
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { PurgeReason, SecureId } from "../../domain/Records.ts"
import { maxIdentifierBytes, threatCategories, type ThreatCategory } from "../../domain/Scent.ts"
import { severities, type Severity } from "../../domain/Severity.ts"
import { Sha256Hex } from "../../domain/Threat.ts"
import { choice, cut, filled, list, pick, pickFrom, whole } from "./building.ts"

/** Each as likely as the others. Shrinks to `low`. */
export const severity: Arbitrary.Arbitrary<Severity> = pick(severities)

/** Each as likely as the others. Shrinks to `injection`. */
export const threatCategory: Arbitrary.Arbitrary<ThreatCategory> = pick(threatCategories)

/** Each as likely as the others. */
export const purgeReason: Arbitrary.Arbitrary<PurgeReason> = pick(PurgeReason.literals)

const letters = pickFrom("abcdefghijklmnopqrstuvwxyz0123456789-_.:/ ")

/** What breaks those who take text to be ASCII, a line, or one unit for each character. */
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

/** A few characters, to be repeated. */
const pattern = (characters: Arbitrary.Arbitrary<string>) =>
  joined(Arbitrary.array(characters, { minLength: 1, maxLength: 4 }))

/** Any string at all of at most so many characters, lone surrogates among them. */
export const text = (maxCharacters: number): Arbitrary.Arbitrary<string> => joined(list(anyCharacter, maxCharacters))

/** The same without lone surrogates: text that UTF-8 can write. */
export const wellFormedText = (maxCharacters: number): Arbitrary.Arbitrary<string> =>
  joined(list(character, maxCharacters))

/** Well-formed text of exactly so many bytes in UTF-8. */
export const textOfBytes = (bytes: number): Arbitrary.Arbitrary<string> =>
  Arbitrary.map(pattern(character), (repeated) => filled(repeated, bytes))

/**
 * What a scent's `id` and `source` may be: a name, any text, and once in eight times exactly 256
 * bytes. May be empty, may hold lone surrogates, which count three bytes.
 */
export const identifier: Arbitrary.Arbitrary<string> = choice(
  [3, joined(list(letters, 24))],
  [4, Arbitrary.map(text(100), (any) => cut(any, maxIdentifierBytes))],
  [1, Arbitrary.map(pattern(anyCharacter), (repeated) => filled(repeated, maxIdentifierBytes))]
)

/** The last moment that a Date can be. */
const endOfDates = 8.64e15

/**
 * Milliseconds since the epoch: any finite number. Half are of our time, the others anything but.
 */
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

/**
 * A whole number from 0 on: none, few, and as many as there can be. The edges are those of buffers
 * and of integers.
 */
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
 * A SHA-256 in lowercase hexadecimal; once in eight times all zeros, which is what stands before
 * the first of a chain.
 */
export const digest: Arbitrary.Arbitrary<string> = choice(
  [1, Arbitrary.Constant(zeros)],
  [7, Arbitrary.schema(Sha256Hex)]
)

/** The id of a record. */
export const secureId: Arbitrary.Arbitrary<SecureId> = Arbitrary.schema(SecureId)

/** `category:digest`, of a category that is given, or of any. */
export const signatureOf = (category: ThreatCategory): Arbitrary.Arbitrary<string> =>
  Arbitrary.map(digest, (hex) => `${category}:${hex}`)

/** The name of a threat. Of no payload in particular: nothing has this digest. */
export const signature: Arbitrary.Arbitrary<string> = Arbitrary.flatMap(threatCategory, signatureOf)
