/**
 * The shape check of a scent, by hand (CONFORMANCE D1): what the schema of the domain says, at a hundredth of its cost.
 *
 * **Gotchas**
 *
 * - Each property is read once, by the Agent, and handed in: a getter cannot answer twice in different ways.
 * - A missing payload is `undefined`, which is a payload.
 */
import { maxIdentifierBytes, threatCategories, type ThreatCategory } from "../domain/Scent.ts"
import { severities, type Severity } from "../domain/Severity.ts"
import { fitsUtf8 } from "../domain/Text.ts"

const categories: ReadonlySet<unknown> = new Set(threatCategories)
const knownSeverities: ReadonlySet<unknown> = new Set(severities)

/** A string of at most 256 bytes in UTF-8. */
export const isIdentifier = (value: unknown): value is string =>
  typeof value === "string" && fitsUtf8(value, maxIdentifierBytes)

/** Milliseconds since the epoch: any finite number. */
export const isTimestamp = (value: unknown): value is number => Number.isFinite(value)

/** One of the six. */
export const isCategory = (value: unknown): value is ThreatCategory => categories.has(value)

/** One of the four. */
export const isSeverity = (value: unknown): value is Severity => knownSeverities.has(value)
