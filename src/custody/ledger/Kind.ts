/**
 * Kinds of entries: a room that appends to the ledger declares each action once, with the fields
 * that it adds (spec/ledger.md, "The text of an entry").
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { type Json, type JsonObject } from "./CanonicalJson.ts"
import { type Entry, isAction, parseEntry } from "./Entry.ts"
import type { LedgerRow } from "./LedgerReader.ts"

/** What a kind adds to an entry: an object whose fields JSON can say. */
type Payload<P> = Schema.Codec<P, JsonObject>

/** Entries of one action. Made by `kind`. */
export interface Kind<P> {
  readonly action: string
  /** The fields of a payload, or null where it does not fit its schema. */
  readonly encode: (payload: P) => JsonObject | null
  /** The payload of an entry's fields, or null where they do not fit. */
  readonly decode: (fields: JsonObject) => P | null
}

/** The fields that the ledger writes itself. */
const own = ["sequence", "time", "actor", "action", "previous"]

/** The names of the fields of a struct; none for what is no struct. */
const fieldsOf = (schema: object): ReadonlyArray<string> =>
  "fields" in schema && typeof schema.fields === "object" && schema.fields !== null ? Object.keys(schema.fields) : []

/**
 * Declares a kind. `payload` may have a field `payloadHash`, the SHA-256 of content that the entry
 * is about. Throws a TypeError where the action is no name, or a field is one of the ledger's own:
 * that is a mistake of the program, made once when its module is loaded.
 */
export const kind = <P>({ action, payload }: { readonly action: string; readonly payload: Payload<P> }): Kind<P> => {
  if (!isAction(action)) throw new TypeError(`no action can be called ${JSON.stringify(action)}`)
  const taken = fieldsOf(payload).filter((field) => own.includes(field))
  if (taken.length > 0) throw new TypeError(`entries of ${action} have the ledger's own fields: ${taken.join(", ")}`)
  const encode = Schema.encodeResult(payload)
  const decode = Schema.decodeUnknownResult(payload)
  return {
    action,
    encode: (given) => Result.getOrElse(encode(given), () => null),
    decode: (fields) => Result.getOrElse(decode(fields), () => null)
  }
}

/** An entry of a kind, taken apart. */
export interface KindEntry<P> {
  readonly sequence: number
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly actor: string
  readonly previous: string
  readonly payload: P
}

/**
 * Reads a row as an entry of this kind; null where it is none. Nothing is verified. Never throws.
 */
export const readAs = <P>({ action, decode }: Kind<P>, { body }: LedgerRow): KindEntry<P> | null => {
  const entry = Result.getOrElse(parseEntry(body), () => null)
  if (entry === null || entry.action !== action) return null
  const payload = decode(payloadOf(entry))
  const { actor, previous, sequence, time } = entry
  return payload === null ? null : { sequence, time, actor, previous, payload }
}

const payloadOf = (entry: Entry): JsonObject => {
  const fields: Record<string, Json> = {}
  for (const [name, value] of Object.entries(entry))
    if (!own.includes(name)) Object.defineProperty(fields, name, { value, enumerable: true })
  return fields
}
