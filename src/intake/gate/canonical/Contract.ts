/**
 * The contract of the canonical writer: what it is given, what it gives, and how a write ends.
 */
import type * as Port from "../../../host/port/Introspection.ts"

/** What the writer asks of its host: whether an object is a Proxy. */
export type Introspection = Port.Introspection["Service"]

/** The bounds of one write. All are whole numbers, 0 or more. */
export interface CanonicalLimits {
  /** The most canonical bytes; exactly so many are allowed. */
  readonly maxPayloadSize: number
  /** The most arrays, objects, Maps and Sets around one another; 0 allows none at all. */
  readonly maxDepth: number
  /** The most keys of one object. */
  readonly maxKeys: number
}

/** More canonical bytes than `maxPayloadSize`. */
export const TOO_LARGE = -1
/** Deeper than `maxDepth`, as every cycle is, or Maps and Sets deeper than MAX_UNORDERED_DEPTH. */
export const TOO_DEEP = -2
/** An object of more keys than `maxKeys`. */
export const TOO_MANY_KEYS = -3
/** The host refused to show the value, or the caller's stack was used up. */
export const UNREADABLE = -4

/**
 * How many Maps and Sets may stand around one another. Each of these levels may move the bytes
 * inside it once more.
 */
export const MAX_UNORDERED_DEPTH = 32

/** A reusable writer. Not for two payloads at once: it is synchronous and owns one buffer. */
export interface CanonicalWriter {
  /** The number of bytes written (0 or more), or one of the four refusals. Never throws. */
  write(payload: unknown): number
  /**
   * The bytes of the last successful write. Valid until the next one: a view of the scratch, or of
   * the payload's own memory where that is large, raw and not shared. Short ones are the same view
   * for the same length, so that asking allocates nothing.
   */
  readonly content: Uint8Array
  /** The prefix, and the content behind it. */
  readonly prefixed: Uint8Array
  /** Lets go of the payload's memory, where `content` is a view of it. */
  release(): void
  /** The scratch: what is written stands behind the prefix. */
  readonly buffer: Uint8Array
  /** How many values the last write looked at: the measure of its work. */
  readonly visited: number
}

/** What else a writer may be told. */
export interface CanonicalWriterOptions {
  /**
   * Bytes that stand in the scratch before what is written, so that a keyed hash is one call. None
   * when left out.
   */
  readonly prefix?: Uint8Array
}

/** How writing one value ends. */
export const WRITTEN = 0
export type Outcome = typeof WRITTEN | typeof TOO_LARGE | typeof TOO_DEEP | typeof TOO_MANY_KEYS | typeof UNREADABLE
