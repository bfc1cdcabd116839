/**
 * An entry of the ledger as text: made, read and checked (spec/ledger.md, "The text of an entry").
 *
 * An entry is one canonical JSON object of at most 65,535 bytes in UTF-8. It says its place, when,
 * who and what, and names the entry before it by that one's hash. Custody's own entries have the
 * same text; `custody/audit` writes them as bytes, without an object.
 */
import * as Result from "effect/Result"
import { canonicalJson, type Json, type JsonObject } from "./CanonicalJson.ts"

/** The most bytes of an entry: what the 16-bit length in an entry bundle of C2SP can say. */
export const maxEntryBytes = 65_535

/** The hash that the first entry names. */
export const genesis = "0".repeat(64)

/** The fields that every entry has. */
export interface EntryFields {
  /** Counts from 0. */
  readonly sequence: number
  /** Milliseconds since the epoch. */
  readonly time: number
  /** Who did it: 1 to 256 UTF-16 code units. */
  readonly actor: string
  /** What was done: 1 to 64 characters of `a` to `z`, `0` to `9`, `.`, `_` and `-`. */
  readonly action: string
  /** The hash of the entry before, in lowercase hexadecimal; `genesis` in the first one. */
  readonly previous: string
  /** The SHA-256 of content that the entry is about, in lowercase hexadecimal. */
  readonly payloadHash?: string
}

/** An entry, with the fields that its action has besides. */
export type Entry = EntryFields & JsonObject

/**
 * Why a text is no entry: it has more than 65,535 bytes; it is not JSON; it is JSON in another
 * spelling than the canonical one; a field that all entries have is missing or out of bounds.
 */
export type EntryFault = "too_long" | "not_json" | "not_canonical" | "fields"

const utf8 = new TextEncoder()

/** Bytes of a text in UTF-8; counted no further than to one more than an entry may have. */
const bytesOf = (text: string): number => text.length > maxEntryBytes ? text.length : utf8.encode(text).length

const digits = /^[0-9a-f]{64}$/
const actionName = /^[a-z0-9._-]{1,64}$/

/** The most UTF-16 code units of an actor. */
export const maxActorLength = 256

/** Whether the text can be an entry's action. */
export const isAction = (value: unknown): value is string => typeof value === "string" && actionName.test(value)

/** Whether the text is a hash as entries have it: 64 digits of lowercase hexadecimal. */
const isHash = (value: unknown): value is string => typeof value === "string" && digits.test(value)

const hasFields = (value: Json): value is Entry => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false
  const { action, actor, payloadHash, previous, sequence, time } = value as JsonObject
  return Number.isSafeInteger(sequence) && (sequence as number) >= 0 && typeof time === "number" &&
    typeof actor === "string" && actor.length > 0 && actor.length <= maxActorLength &&
    isAction(action) && isHash(previous) &&
    (payloadHash === undefined || isHash(payloadHash))
}

/**
 * The text of an entry. `fields` where a field that all entries have is out of bounds, or a value
 * is no JSON or nested deeper than 32; `too_long` where the text has more than 65,535 bytes.
 */
export const entryText = (entry: Entry): Result.Result<string, EntryFault> => {
  const text = hasFields(entry) ? canonicalJson(entry) : null
  if (text === null) return Result.fail("fields")
  return bytesOf(text) > maxEntryBytes ? Result.fail("too_long") : Result.succeed(text)
}

/**
 * The entry of a text, whoever wrote it. Two texts that are read never give the same entry, and no
 * field is read that the text has twice: what is not canonical is refused. Never throws.
 */
export const parseEntry = (text: string): Result.Result<Entry, EntryFault> => {
  if (bytesOf(text) > maxEntryBytes) return Result.fail("too_long")
  let value: Json
  try {
    value = JSON.parse(text) as Json
  } catch {
    return Result.fail("not_json")
  }
  if (canonicalJson(value) !== text) return Result.fail("not_canonical")
  return hasFields(value) ? Result.succeed(value) : Result.fail("fields")
}
