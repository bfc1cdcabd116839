/**
 * The bounded writer of canonical bytes: what a signature is the hash of (CONFORMANCE D3, D4, D5).
 *
 * Bytes and strings are themselves; everything else is RFC 8785 canonical JSON, with tokens that
 * start with `!` for what JSON lacks. spec/canonical.md is the specification: grammar, equalities,
 * limits, examples.
 *
 * It promises:
 * - It runs no code of the payload: no getter, no toJSON, no iterator, no trap of a Proxy.
 * - It never throws, and it keeps nothing of the payload after `write` returns, but what `release`
 *   lets go and names of keys.
 * - Work is bounded by `maxPayloadSize`, not by the payload: every value visited costs at least one
 *   byte, and a string, an array, a Map or bytes that cannot fit are refused by their length alone.
 *
 * Cost: 3 to 5 times a native JSON.stringify of a usual object, less for long strings, and no
 * allocation that outlives the call. Telling an accessor from a data property is a third of it. The
 * order of an object's keys is known where such an object came before (`canonical/Shapes.ts`).
 * Sorting the entries of a Map or Set moves their bytes at most twice per level of Maps and Sets
 * around them; MAX_UNORDERED_DEPTH bounds those levels.
 *
 * Gotchas:
 * - Negative zero is `!-0`, where RFC 8785 drops the sign: a JSON text that spells -0 has another
 *   signature than a JCS library computes.
 * - All functions are equal, so are all symbols, all accessors and all proxies; hand over raw data.
 * - V8 lists all keys of an object before it gives the first, whatever the limits: a million keys
 *   cost that time.
 * - The scratch buffer keeps the last payload's bytes until the next write overwrites them, and
 *   `content` a large raw payload until `release`.
 */
import { BoundedWriter } from "./canonical/BoundedWriter.ts"
import type { CanonicalLimits, CanonicalWriter, CanonicalWriterOptions, Introspection } from "./canonical/Contract.ts"

export { MAX_UNORDERED_DEPTH, TOO_DEEP, TOO_LARGE, TOO_MANY_KEYS, UNREADABLE } from "./canonical/Contract.ts"
export type { CanonicalLimits, CanonicalWriter, CanonicalWriterOptions, Introspection } from "./canonical/Contract.ts"

/** Makes a writer. Throws a RangeError that names the limit which is no whole number. */
export const makeCanonicalWriter = (
  limits: CanonicalLimits,
  introspection: Introspection,
  options: CanonicalWriterOptions = {}
): CanonicalWriter => {
  requireWhole("maxPayloadSize", limits.maxPayloadSize)
  requireWhole("maxDepth", limits.maxDepth)
  requireWhole("maxKeys", limits.maxKeys)
  return new BoundedWriter(limits, introspection, options.prefix ?? NO_BYTES)
}

const requireWhole = (name: string, value: number): void => {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`${name} must be a whole number, 0 or more`)
  }
}

const NO_BYTES = new Uint8Array(0)
