/**
 * The shape check of a scent, by hand (CONFORMANCE D1): what the schema of the domain says, at a
 * hundredth of its cost.
 *
 * **Gotchas**
 *
 * - Each property is read once, by the Agent, and handed in: a getter cannot answer twice in
 *   different ways.
 * - A missing payload is `undefined`, which is a payload.
 */
import { maxIdentifierBytes, threatCategories } from "../../domain/Scent.ts"
import { severities } from "../../domain/Severity.ts"
import { fitsUtf8 } from "../../domain/Text.ts"

const placesOf = (names: ReadonlyArray<string>): ReadonlyMap<unknown, number> =>
  new Map(names.map((name, place) => [name, place]))

const categoryPlaces = placesOf(threatCategories)
const severityPlaces = placesOf(severities)

/**
 * No name is longer. A text is not looked up before that is known: half a gigabyte of it would be
 * put together for it.
 */
const longestName = Math.max(...threatCategories.map(({ length }) => length), ...severities.map(({ length }) => length))
const mayBeName = (value: unknown): boolean => typeof value === "string" && value.length <= longestName

/** It is none of the closed union. */
export const UNKNOWN = -1

/** A string of at most 256 bytes in UTF-8. */
export const isIdentifier = (value: unknown): value is string =>
  typeof value === "string" && fitsUtf8(value, maxIdentifierBytes)

/** Milliseconds since the epoch: any finite number. */
export const isTimestamp = (value: unknown): value is number => Number.isFinite(value)

/** The place in `threatCategories`, or UNKNOWN. */
export const placeOfCategory = (value: unknown): number =>
  (mayBeName(value) ? categoryPlaces.get(value) : UNKNOWN) ?? UNKNOWN

/** The place in `severities`, or UNKNOWN. */
export const placeOfSeverity = (value: unknown): number =>
  (mayBeName(value) ? severityPlaces.get(value) : UNKNOWN) ?? UNKNOWN
