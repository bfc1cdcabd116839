/**
 * The bounded writer of canonical bytes: what a signature is the hash of (CONFORMANCE D3, D4, D5).
 *
 * Bytes and strings are themselves; everything else is RFC 8785 canonical JSON, with tokens that start with `!` for what
 * JSON lacks. CANONICAL.md is the specification: grammar, equalities, limits, examples.
 *
 * It promises:
 * - It runs no code of the payload: no getter, no toJSON, no iterator, no trap of a Proxy.
 * - It never throws, and it keeps no reference to anything of the payload after `write` returns, but what `release` lets go.
 * - Work is bounded by `maxPayloadSize`, not by the payload: every value visited costs at least one byte, and a string, an
 *   array, a Map or bytes that cannot fit are refused by their length alone.
 *
 * Cost: 4 to 5 times a native JSON.stringify of a usual object, less for long strings, and no allocation that outlives the
 * call. Telling an accessor from a data property is a third of it. Sorting the entries of a Map or Set moves their bytes at most twice per
 * level of Maps and Sets around them; MAX_UNORDERED_DEPTH bounds those levels.
 *
 * Gotchas:
 * - Negative zero is `!-0`, where RFC 8785 drops the sign: a JSON text that spells -0 has another signature than a JCS
 *   library computes.
 * - All functions are equal, so are all symbols, all accessors and all proxies; hand over raw data.
 * - V8 lists all keys of an object before it gives the first, whatever the limits: a million keys cost that time.
 * - The scratch buffer keeps the last payload's bytes until the next write overwrites them, and `content` a large raw payload
 *   until `release`.
 */
import type * as Port from "../port/Introspection.ts"
import {
  ARRAY_BUFFER,
  type Brand,
  brandOf,
  byteKindOf,
  byteLengthOf,
  bytesOf,
  DATE,
  dateTime,
  isUint8Array,
  MAP,
  mapForEach,
  mapSize,
  ORDINARY,
  SET,
  setForEach,
  setSize,
  SHARED_ARRAY_BUFFER,
  VIEW
} from "./canonical/Brand.ts"
import { sortEntries } from "./canonical/Entries.ts"
import { leastBytes, sortKeys } from "./canonical/Keys.ts"
import { BigIntText, writeHexBytes, writeNumber } from "./canonical/Scalar.ts"
import { ScratchViews } from "./canonical/ScratchViews.ts"
import { Sink } from "./canonical/Sink.ts"
import { writeQuoted, writeRaw } from "./canonical/Text.ts"

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

/** How many Maps and Sets may stand around one another. Each of these levels may move the bytes inside it once more. */
export const MAX_UNORDERED_DEPTH = 32

/** A reusable writer. Not for two payloads at once: it is synchronous and owns one buffer. */
export interface CanonicalWriter {
  /** The number of bytes written (0 or more), or one of the four refusals. Never throws. */
  write(payload: unknown): number
  /**
   * The bytes of the last successful write. Valid until the next one: a view of the scratch, or of the payload's own memory
   * where that is large, raw and not shared. Short ones are the same view for the same length, so that asking allocates nothing.
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
  /** Bytes that stand in the scratch before what is written, so that a keyed hash is one call. None when left out. */
  readonly prefix?: Uint8Array
}

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
/** Raw bytes up to here are copied into the scratch; of more it pays to leave them where they are. */
const MAX_COPIED = 32_768

const WRITTEN = 0
type Outcome = typeof WRITTEN | typeof TOO_LARGE | typeof TOO_DEEP | typeof TOO_MANY_KEYS | typeof UNREADABLE

const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const COMMA = 0x2c
const COLON = 0x3a

// Captured before a payload exists, so that nothing it brings along can stand in for them.
const { getOwnPropertyDescriptor, hasOwn, keys: ownKeys } = Object
const { isArray } = Array
const objectPrototype: object = Object.prototype
interface Legacy {
  readonly __lookupGetter__: (key: PropertyKey) => unknown
}
// Read as a property: under --frozen-intrinsics it is itself an accessor, whose descriptor has no value.
const lookupGetter: (self: object, key: PropertyKey) => unknown = Function.prototype.call.bind(
  (Object.prototype as object & Legacy).__lookupGetter__
)

class BoundedWriter implements CanonicalWriter {
  private readonly maxDepth: number
  private readonly maxKeys: number
  private readonly introspection: Introspection
  private readonly sink: Sink
  private readonly bigInts: BigIntText
  private busy = false
  /** Whether someone gave Object.prototype a `writable`, which an accessor's descriptor would inherit. */
  private polluted = false
  private unorderedDepth = 0
  /** The content, where it was left where it is. */
  private outside: Uint8Array | null = null
  private readonly views: ScratchViews
  visited = 0

  constructor(limits: CanonicalLimits, introspection: Introspection, prefix: Uint8Array) {
    this.maxDepth = limits.maxDepth
    this.maxKeys = limits.maxKeys
    this.introspection = introspection
    this.sink = new Sink(limits.maxPayloadSize, prefix)
    this.views = new ScratchViews(this.sink)
    this.bigInts = new BigIntText(this.sink)
  }

  get buffer(): Uint8Array {
    return this.sink.bytes
  }

  get content(): Uint8Array {
    return this.outside ?? this.views.content()
  }

  get prefixed(): Uint8Array {
    return this.outside ?? this.views.prefixed()
  }

  release(): void {
    this.outside = null
  }

  write(payload: unknown): number {
    if (this.busy) {
      // Only a trap that the host could not avoid gets here, in the middle of the write that ran it.
      return UNREADABLE
    }
    this.busy = true
    // No call: one frame short of the end of the stack it would throw.
    this.sink.length = this.sink.start
    this.outside = null
    this.unorderedDepth = 0
    this.visited = 0
    try {
      this.polluted = hasOwn(objectPrototype, "writable")
      const outcome = typeof payload === "string" ? this.rawText(payload) : this.value(payload, 0)
      return outcome === WRITTEN ? this.written() : outcome
    } catch {
      return UNREADABLE
    } finally {
      this.busy = false
    }
  }

  private written(): number {
    return this.outside === null ? this.sink.length - this.sink.start : this.outside.length
  }

  private rawText(text: string): Outcome {
    this.visited++
    return fitting(writeRaw(this.sink, text))
  }

  /** Writes one value with `depth` containers around it. */
  private value(value: unknown, depth: number): Outcome {
    this.visited++
    switch (typeof value) {
      case "string":
        return fitting(writeQuoted(this.sink, value))
      case "number":
        return fitting(writeNumber(this.sink, value))
      case "boolean":
        return this.token(value ? "true" : "false")
      case "object":
        return value === null ? this.token("null") : this.object(value, depth)
      case "undefined":
        return this.token("!u")
      case "bigint":
        return fitting(this.bigInts.write(value))
      case "symbol":
        return this.token("!y")
      case "function":
        return this.token(this.introspection.isProxy(value) ? "!p" : "!f")
    }
  }

  private token(text: string): Outcome {
    return fitting(this.sink.ascii(text))
  }

  private object(value: object, depth: number): Outcome {
    // Before anything else: isArray of a revoked proxy throws, and every other question would run a trap.
    if (this.introspection.isProxy(value)) {
      return this.token("!p")
    }
    if (isArray(value)) {
      return this.array(value, depth)
    }
    const brand = brandOf(value, this.introspection)
    switch (brand) {
      case ORDINARY:
        return this.record(value, depth)
      case DATE:
        return this.token(`!d${dateTime(value)}`)
      case MAP:
      case SET:
        return this.entries(value, brand, depth)
      case ARRAY_BUFFER:
      case SHARED_ARRAY_BUFFER:
      case VIEW:
        return this.bytes(value, brand, depth)
    }
  }

  private array(values: ReadonlyArray<unknown>, depth: number): Outcome {
    const { sink } = this
    if (depth >= this.maxDepth) {
      return TOO_DEEP
    }
    const count = values.length
    // n elements take at least 2n + 1 bytes. Written so that a length which is no number (only a trap can give it) is refused.
    if (!(Math.max(2 * count + 1, 2) <= sink.remaining)) {
      return TOO_LARGE
    }
    sink.reserve(1)
    sink.byte(OPEN_ARRAY)
    for (let index = 0; index < count; index++) {
      if (index > 0) {
        sink.byte(COMMA)
      }
      const outcome = this.element(values, index, depth + 1)
      if (outcome !== WRITTEN) {
        return outcome
      }
    }
    return this.close(CLOSE_ARRAY)
  }

  /** A descriptor of an element costs three times as much as these questions; a named property's is the cheaper one. */
  private element(values: ReadonlyArray<unknown>, index: number, depth: number): Outcome {
    if (!hasOwn(values, index)) {
      this.visited++
      return this.token("!u")
    }
    if (lookupGetter(values, index) !== undefined) {
      this.visited++
      return this.token("!g")
    }
    const value = values[index]
    // An accessor without a getter reads as undefined and runs nothing.
    if (value === undefined && !this.isData(getOwnPropertyDescriptor(values, index))) {
      this.visited++
      return this.token("!g")
    }
    return this.value(value, depth)
  }

  private record(value: object, depth: number): Outcome {
    const { sink } = this
    if (depth >= this.maxDepth) {
      return TOO_DEEP
    }
    const keys = ownKeys(value)
    if (keys.length > this.maxKeys) {
      return TOO_MANY_KEYS
    }
    // Known before the keys are compared, so that comparing is bounded too.
    if (leastBytes(keys) > sink.remaining) {
      return TOO_LARGE
    }
    sortKeys(keys)
    sink.reserve(1)
    sink.byte(OPEN_OBJECT)
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] ?? ""
      if (i > 0) {
        sink.byte(COMMA)
      }
      if (!writeQuoted(sink, key)) {
        return TOO_LARGE
      }
      sink.byte(COLON)
      const property = getOwnPropertyDescriptor(value, key)
      const outcome = this.isData(property) ? this.value(property.value, depth + 1) : this.accessor()
      if (outcome !== WRITTEN) {
        return outcome
      }
    }
    return this.close(CLOSE_OBJECT)
  }

  private accessor(): Outcome {
    this.visited++
    return this.token("!g")
  }

  /** A data descriptor has `writable` of its own; asking for it is cheaper than asking whether it is its own. */
  private isData(property: PropertyDescriptor | undefined): property is PropertyDescriptor {
    return property !== undefined &&
      (this.polluted ? hasOwn(property, "writable") : property.writable !== undefined)
  }

  private entries(value: object, brand: typeof MAP | typeof SET, depth: number): Outcome {
    const { sink } = this
    if (depth >= this.maxDepth || this.unorderedDepth >= MAX_UNORDERED_DEPTH) {
      return TOO_DEEP
    }
    const count = brand === MAP ? mapSize(value) : setSize(value)
    // An entry takes at least `[0,0]` or `0`, and a comma.
    if (4 + (brand === MAP ? 6 : 2) * count - Math.min(count, 1) > sink.remaining) {
      return TOO_LARGE
    }
    if (!sink.ascii(brand === MAP ? "!m[" : "!s[")) {
      return TOO_LARGE
    }
    const starts: Array<number> = []
    let outcome: Outcome = WRITTEN
    const begin = (): boolean => {
      if (outcome !== WRITTEN) {
        return false
      }
      if (starts.length > 0) {
        sink.byte(COMMA)
      }
      starts.push(sink.length)
      return true
    }
    this.unorderedDepth++
    if (brand === MAP) {
      mapForEach(value, (item, key) => {
        if (begin()) {
          outcome = this.pair(key, item, depth + 1)
        }
      })
    } else {
      setForEach(value, (item) => {
        if (begin()) {
          outcome = this.value(item, depth + 1)
        }
      })
    }
    this.unorderedDepth--
    if (outcome !== WRITTEN) {
      return outcome
    }
    starts.push(sink.length + 1)
    sortEntries(sink.bytes, starts)
    return this.close(CLOSE_ARRAY)
  }

  private pair(key: unknown, item: unknown, depth: number): Outcome {
    const { sink } = this
    sink.reserve(1)
    sink.byte(OPEN_ARRAY)
    const outcome = this.value(key, depth)
    if (outcome !== WRITTEN) {
      return outcome
    }
    sink.byte(COMMA)
    const itemOutcome = this.value(item, depth)
    return itemOutcome === WRITTEN ? this.close(CLOSE_ARRAY) : itemOutcome
  }

  private bytes(value: object, brand: Brand, depth: number): Outcome {
    const { sink } = this
    const length = byteLengthOf(value, brand)
    if (length * (depth === 0 ? 1 : 2) > sink.remaining) {
      return TOO_LARGE
    }
    if (depth > 0) {
      const view = length === 0 ? NO_BYTES : bytesOf(value, brand, length)
      return fitting(writeHexBytes(sink, byteKindOf(value, brand), view))
    }
    if (length === 0) {
      return WRITTEN
    }
    // Nothing runs until the caller has hashed and copied it, but a thread may write to shared memory.
    if (length > MAX_COPIED && sink.start === 0) {
      const view = bytesOf(value, brand, length)
      if (view.buffer instanceof ArrayBuffer) {
        this.outside = view
        return WRITTEN
      }
    }
    sink.reserve(length)
    // What is of the kind already needs no view: `set` asks its slots, and not its properties.
    sink.bytes.set(isUint8Array(value) ? value : bytesOf(value, brand, length), sink.start)
    sink.length += length
    return WRITTEN
  }

  private close(bracket: number): Outcome {
    this.sink.reserve(1)
    this.sink.byte(bracket)
    return fitting(this.sink.fits())
  }
}

const fitting = (fits: boolean): Outcome => fits ? WRITTEN : TOO_LARGE
