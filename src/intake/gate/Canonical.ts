/**
 * The bounded writer of canonical bytes. The hash of those bytes is a payload's signature
 * (CONFORMANCE D3, D4, D5).
 *
 * Bytes and strings are themselves; everything else is RFC 8785 canonical JSON, with tokens that
 * start with `!` for what JSON lacks. spec/canonical.md is the specification: grammar, equalities,
 * limits, examples.
 *
 * Promises that
 *
 * - it runs no code of the payload: no getter, no toJSON, no iterator, no trap of a Proxy;
 * - it never throws, and keeps nothing of the payload after `write` returns, but the memory that
 *   `release` lets go and names of keys;
 * - its work is bounded by `maxPayloadSize`, not by the payload: every value visited costs at least
 *   one byte, and a string, an array, a Map or bytes that cannot fit are refused by their length
 *   alone.
 *
 * Cost: about 4 times a native JSON.stringify of a usual object, less for long strings. Telling an
 * accessor from a data property is a third of it. On Node usual objects allocate nothing: not those
 * of more than 32 keys or of long ones, nor numbers of 16 digits, Maps and Sets; and V8 boxes
 * numbers that it keeps as doubles. Keys are sorted once for objects of one shape
 * (`canonical/Shapes.ts`). Sorting the entries of a Map or Set moves their bytes at most twice per
 * level of Maps and Sets around them; maxUnorderedDepth bounds those levels.
 *
 * **Gotchas**
 *
 * - Negative zero is `!-0`, where RFC 8785 drops the sign: a JSON text that spells -0 has another
 *   signature than a JCS library computes.
 * - All functions are equal, so are all symbols, all accessors and all proxies: give the writer raw
 *   data.
 * - An object with content that cannot be read (a FormData, a Promise) has other bytes each time
 *   that it is written.
 * - V8 lists all keys of an object before it gives the first, whatever the limits: a million keys
 *   cost the time to list them.
 * - The buffer keeps the last payload's bytes until the next write overwrites them, and `content`
 *   keeps a large raw payload alive until `release`.
 */
import type * as Port from "../../host/port/Introspection.ts"
import type { WriteUtf8 } from "../../host/port/Memory.ts"
import { maxRegionBytes } from "../../memory/Arena.ts"
import {
  ADDRESS,
  ARRAY_BUFFER,
  BIGINT,
  BOOLEAN,
  type Brand,
  DATE,
  ERROR,
  HEADERS,
  MAP,
  NUMBER,
  OPAQUE,
  ORDINARY,
  PARAMS,
  REGEXP,
  SET,
  SHARED_ARRAY_BUFFER,
  STRING,
  SYMBOL,
  TEMPORAL,
  VIEW
} from "./canonical/Brand.ts"
import { Brands } from "./canonical/Brands.ts"
import { errorName } from "./canonical/Intrinsics.ts"
import { Nonces, nonceSeedWords } from "./canonical/Nonces.ts"
import { sortEntries, sortKeys } from "./canonical/Order.ts"
import { addressText, headersEach, paramsCount, paramsEach, temporalText } from "./canonical/Platform.ts"
import {
  bufferOf,
  byteKindOf,
  byteLengthOf,
  bytesOf,
  dateTime,
  getOwnPropertyDescriptor,
  getOwnPropertyNames,
  getPrototypeOf,
  hasOwn,
  isArray,
  isUint8Array,
  isView,
  lookupGetter,
  mapForEach,
  mapSize,
  objectPrototype,
  ownKeys,
  regExpFlags,
  regExpSource,
  setForEach,
  setSize,
  unboxed
} from "./canonical/Reflection.ts"
import { BigIntText, writeHexBytes, writeNumber } from "./canonical/Scalar.ts"
import { leastBytes, type Shape, Shapes, shapeSeedWords } from "./canonical/Shapes.ts"
import { ScratchViews, Sink } from "./canonical/Sink.ts"
import { writeQuoted, writeRaw } from "./canonical/Text.ts"

/** Tells whether an object is a Proxy, which only the host can. */
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
/** Deeper than `maxDepth`, as every cycle is, or Maps and Sets deeper than maxUnorderedDepth. */
export const TOO_DEEP = -2
/** An object of more keys than `maxKeys`. */
export const TOO_MANY_KEYS = -3
/** The host refused to show the value, or the caller's stack was used up. */
export const UNREADABLE = -4

/**
 * How many Maps and Sets may stand around one another. Each of these levels may move the bytes
 * inside it once more.
 */
export const maxUnorderedDepth = 32

/** A reusable writer. Not for two payloads at once: it is synchronous and owns one buffer. */
export interface CanonicalWriter {
  /** The number of bytes written (0 or more), or one of the four codes above. Never throws. */
  write(payload: unknown): number
  /**
   * The bytes of the last successful write. Valid until the next one: a view of the buffer, or of
   * the payload's own memory where the payload is large, raw and not shared. A view of a length
   * that was asked for lately is given again, so that asking allocates nothing.
   */
  readonly content: Uint8Array
  /**
   * The same bytes, where nobody reads a property: it may be the payload itself, whose properties
   * are anybody's. Where `content` would have to make a view, this makes none.
   */
  readonly raw: Uint8Array
  /** The prefix, and the content behind it. */
  readonly prefixed: Uint8Array
  /** Lets go of the payload's memory, where `content` is a view of it. */
  release(): void
  /** Overwrites the writer's memory, the prefix too: nothing is written by it any more. */
  wipe(): void
  /** The writer's memory: the prefix, and behind it the bytes written. */
  readonly buffer: Uint8Array
  /** The number of values that the last write looked at: the measure of its work. */
  readonly visited: number
  /** Shapes of objects that the last write kept: at most a few. */
  readonly shapesMade: number
  /** Getters that the last write called in vain, each of which made an exception. Bounded too. */
  readonly trials: number
  /** Objects whose content could not be read, over all writes so far. */
  readonly unreadable: number
}

/** Unpredictable words of a writer's seed. */
export const canonicalSeedWords = shapeSeedWords + nonceSeedWords

export interface CanonicalWriterOptions {
  /**
   * Bytes that stand before those written, so that a keyed hash is one call. None when left out.
   */
  readonly prefix?: Uint8Array
  /**
   * `canonicalSeedWords` unpredictable words, so that nobody can aim at the writer's caches. Zeros
   * when left out.
   */
  readonly seed?: Int32Array
  /** How texts are written. By TextEncoder when left out, which allocates. */
  readonly writeUtf8?: WriteUtf8
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
  return new BoundedWriter(limits, introspection, options)
}

const requireWhole = (name: string, value: number): void => {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${name} must be a whole number, 0 or more`)
}

/** One value was written whole. */
const WRITTEN = 0
type WriteResult = typeof WRITTEN | typeof TOO_LARGE | typeof TOO_DEEP | typeof TOO_MANY_KEYS | typeof UNREADABLE

const noBytes = new Uint8Array(0)
/** The most prototypes that are searched for the name of an error. */
const maxInherited = 16
/**
 * The most raw bytes that are copied into the buffer; more are left where they are. So many may lie
 * among others where they are held; longer ones are compared as a whole.
 */
const maxCopiedBytes = maxRegionBytes

const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const COMMA = 0x2c
const COLON = 0x3a

class BoundedWriter implements CanonicalWriter {
  private readonly maxDepth: number
  private readonly maxKeys: number
  private readonly introspection: Introspection
  /**
   * Whether an object may be a Proxy that nobody can tell: a search along prototypes that its traps
   * make up might never end.
   */
  private readonly isWary: boolean
  private readonly sink: Sink
  private readonly bigInts: BigIntText
  private readonly shapes: Shapes
  private readonly brands: Brands
  private readonly nonces: Nonces
  private busy = false
  /** Whether objects inherit keys of Object.prototype, which `for … in` would list. */
  private polluted = false
  private unorderedDepth = 0
  /** The payload or a view of its own memory, where that is the content; then its length. */
  private outside: Uint8Array | null = null
  private outsideLength = 0
  private outsideView: Uint8Array | null = null
  private readonly views: ScratchViews
  visited = 0

  constructor(limits: CanonicalLimits, introspection: Introspection, options: CanonicalWriterOptions) {
    const { prefix = noBytes, seed = new Int32Array(canonicalSeedWords), writeUtf8 } = options
    this.maxDepth = limits.maxDepth
    this.maxKeys = limits.maxKeys
    this.introspection = introspection
    this.isWary = introspection.slots === null
    this.sink = new Sink(limits.maxPayloadSize, prefix, writeUtf8)
    this.views = new ScratchViews(this.sink)
    this.bigInts = new BigIntText(this.sink)
    this.shapes = new Shapes(seed.subarray(0, shapeSeedWords))
    this.brands = new Brands(introspection)
    this.nonces = new Nonces(seed.subarray(shapeSeedWords))
  }

  get buffer(): Uint8Array {
    return this.sink.bytes
  }

  get shapesMade(): number {
    return this.shapes.made
  }

  get trials(): number {
    return this.brands.trials
  }

  get unreadable(): number {
    return this.nonces.given
  }

  get content(): Uint8Array {
    if (this.outside === null) return this.views.content()
    return this.outsideView ??= bytesOf(this.outside, VIEW, this.outsideLength)
  }

  get raw(): Uint8Array {
    return this.outside ?? this.views.content()
  }

  get prefixed(): Uint8Array {
    return this.outside === null ? this.views.prefixed() : this.content
  }

  release(): void {
    this.outside = null
    this.outsideView = null
  }

  wipe(): void {
    this.release()
    this.sink.wipe()
  }

  write(payload: unknown): number {
    if (this.busy) {
      // A write inside a write: by a trap of a Proxy, on a host that cannot tell a Proxy.
      return UNREADABLE
    }
    this.busy = true
    // No call outside the `try`: at the end of the stack it would throw.
    this.sink.length = this.sink.start
    this.outside = null
    this.outsideView = null
    this.unorderedDepth = 0
    this.visited = 0
    this.shapes.made = 0
    this.brands.trials = 0
    try {
      // No Proxy is a view, and asking runs none: bytes need no further question.
      if (typeof payload === "object" && isView(payload)) {
        this.visited = 1
        const written = this.bytes(payload, VIEW, 0)
        return written === WRITTEN ? this.written() : written
      }
      this.polluted = typeof payload === "object" && hasKeys(objectPrototype)
      const result = typeof payload === "string" ? this.rawText(payload) : this.value(payload, 0)
      return result === WRITTEN ? this.written() : result
    } catch {
      return UNREADABLE
    } finally {
      this.busy = false
    }
  }

  private written(): number {
    return this.outside === null ? this.sink.length - this.sink.start : this.outsideLength
  }

  private rawText(text: string): WriteResult {
    this.visited++
    return fitting(writeRaw(this.sink, text))
  }

  /**
   * Writes one value with `depth` containers around it. Comparisons, as V8 makes the text of
   * `typeof` where a switch asks for it.
   */
  private value(value: unknown, depth: number): WriteResult {
    this.visited++
    if (typeof value === "string") return fitting(writeQuoted(this.sink, value))
    if (typeof value === "number") return fitting(writeNumber(this.sink, value))
    if (typeof value === "object") return value === null ? this.token("null") : this.object(value, depth)
    if (typeof value === "boolean") return this.token(value ? "true" : "false")
    if (value === undefined) return this.token("!u")
    if (typeof value === "bigint") return fitting(this.bigInts.write(value))
    return this.token(typeof value === "symbol" ? "!y" : this.introspection.isProxy(value) ? "!p" : "!f")
  }

  private token(text: string): WriteResult {
    return fitting(this.sink.ascii(text))
  }

  private object(value: object, depth: number): WriteResult {
    // Asked first: isArray of a revoked proxy throws, and any other question would run a trap.
    if (this.introspection.isProxy(value)) return this.token("!p")
    if (isArray(value)) return this.array(value, depth)
    const brand = this.brands.of(value)
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
      case NUMBER:
      case STRING:
      case BOOLEAN:
      case BIGINT:
      case SYMBOL:
        return this.sink.ascii("!v") ? this.value(unboxed(value, brand), depth) : TOO_LARGE
      case REGEXP:
        return this.regExp(value)
      case ERROR:
        return this.error(value, depth)
      case ADDRESS:
      case TEMPORAL:
        return this.platformText(value, brand, depth)
      case PARAMS:
      case HEADERS:
        return this.platformList(value, brand, depth)
      case OPAQUE:
        return this.unread(value, depth)
    }
  }

  private array(values: ReadonlyArray<unknown>, depth: number): WriteResult {
    const { sink } = this
    if (depth >= this.maxDepth) return TOO_DEEP
    const count = values.length
    // n elements take at least 2n + 1 bytes. A length that is no number, which only a trap can
    // give, is refused too.
    if (!(Math.max(2 * count + 1, 2) <= sink.remaining)) return TOO_LARGE
    sink.reserve(1)
    sink.byte(OPEN_ARRAY)
    for (let index = 0; index < count; index++) {
      if (index > 0) sink.byte(COMMA)
      const result = this.element(values, index, depth + 1)
      if (result !== WRITTEN) return result
    }
    return this.close(CLOSE_ARRAY)
  }

  private element(values: ReadonlyArray<unknown>, index: number, depth: number): WriteResult {
    if (!hasOwn(values, index)) {
      this.visited++
      return this.token("!u")
    }
    if (lookupGetter(values, index) !== undefined) return this.accessor()
    const value = values[index]
    // An accessor without a getter reads as undefined and runs nothing.
    if (value === undefined && !isData(getOwnPropertyDescriptor(values, index))) return this.accessor()
    return this.value(value, depth)
  }

  private record(value: object, depth: number): WriteResult {
    if (depth >= this.maxDepth) return TOO_DEEP
    const isSimple = this.isSimple(value)
    const count = isSimple && !this.polluted ? this.shapes.list(value) : -1
    if (count === 0) return this.token("{}")
    const listed = count < 0 ? ownKeys(value) : undefined
    const shape = listed === undefined ? this.shapes.found(count) : this.shapes.find(listed)
    if (shape !== undefined) return this.shaped(value as Members, shape, depth, isSimple)
    const keys = listed ?? this.shapes.keys(count)
    if (keys.length > this.maxKeys) return TOO_MANY_KEYS
    // Checked before the keys are sorted, so that sorting is bounded too.
    return leastBytes(keys) > this.sink.remaining ? TOO_LARGE : this.members(value as Members, keys, depth, isSimple)
  }

  /**
   * Whether `lookupGetter` tells each accessor of the object and runs nothing. It passes by what
   * answers for another object, as the global of a vm context does, and goes on to the prototypes.
   * Every global has a NaN of its own that nobody can take away.
   */
  private isSimple(value: object): boolean {
    return this.brands.isPlain && !this.isWary && !hasOwn(value, "NaN")
  }

  /** An object whose keys are in a shape. */
  private shaped(value: Members, shape: Shape, depth: number, isSimple: boolean): WriteResult {
    const { sink } = this
    const { least, sorted, starts, written } = shape
    if (sorted.length > this.maxKeys) return TOO_MANY_KEYS
    if (least > sink.remaining) return TOO_LARGE
    sink.reserve(1)
    sink.byte(OPEN_OBJECT)
    for (let i = 0; i < sorted.length; i++) {
      const from = starts[i] ?? 0
      const to = starts[i + 1] ?? 0
      // The colon does not count here, as it does not where `members` writes the key.
      if (to - from - 1 > sink.remaining) return TOO_LARGE
      sink.copy(written, from, to)
      const result = this.member(value, sorted[i] ?? "", depth + 1, isSimple)
      if (result !== WRITTEN) return result
    }
    return this.close(CLOSE_OBJECT)
  }

  /** An object of any keys, which it sorts. */
  private members(value: Members, keys: Array<string>, depth: number, isSimple: boolean): WriteResult {
    const { sink } = this
    sink.reserve(1)
    sink.byte(OPEN_OBJECT)
    sortKeys(keys)
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] ?? ""
      if (i > 0) sink.byte(COMMA)
      if (!writeQuoted(sink, key)) return TOO_LARGE
      sink.byte(COLON)
      const result = this.member(value, key, depth + 1, isSimple)
      if (result !== WRITTEN) return result
    }
    return this.close(CLOSE_OBJECT)
  }

  /**
   * Only a simple object is read without its descriptors, two objects each for the garbage
   * collector.
   */
  private member(value: Members, key: string, depth: number, isSimple: boolean): WriteResult {
    if (isSimple && lookupGetter(value, key) !== undefined) return this.accessor()
    const item = isSimple ? value[key] : undefined
    if (item !== undefined) return this.value(item, depth)
    // An accessor without a getter reads as undefined and runs nothing.
    const property = getOwnPropertyDescriptor(value, key)
    return isData(property) ? this.value(property.value, depth) : this.accessor()
  }

  private accessor(): WriteResult {
    this.visited++
    return this.token("!g")
  }

  private entries(value: object, brand: typeof MAP | typeof SET, depth: number): WriteResult {
    const { sink } = this
    if (depth >= this.maxDepth || this.unorderedDepth >= maxUnorderedDepth) return TOO_DEEP
    const count = brand === MAP ? mapSize(value) : setSize(value)
    // An entry takes at least `[0,0]` or `0`, and a comma.
    if (4 + (brand === MAP ? 6 : 2) * count - Math.min(count, 1) > sink.remaining) return TOO_LARGE
    if (!sink.ascii(brand === MAP ? "!m[" : "!s[")) return TOO_LARGE
    const starts: Array<number> = []
    let result: WriteResult = WRITTEN
    const begin = (): boolean => {
      if (result !== WRITTEN) return false
      if (starts.length > 0) sink.byte(COMMA)
      starts.push(sink.length)
      return true
    }
    this.unorderedDepth++
    if (brand === MAP) {
      mapForEach(value, (item, key) => {
        if (begin()) result = this.pair(key, item, depth + 1)
      })
    } else {
      setForEach(value, (item) => {
        if (begin()) result = this.value(item, depth + 1)
      })
    }
    this.unorderedDepth--
    if (result !== WRITTEN) return result
    starts.push(sink.length + 1)
    sortEntries(sink.bytes, starts)
    return this.close(CLOSE_ARRAY)
  }

  private pair(key: unknown, item: unknown, depth: number): WriteResult {
    const { sink } = this
    sink.reserve(1)
    sink.byte(OPEN_ARRAY)
    const result = this.value(key, depth)
    if (result !== WRITTEN) return result
    sink.byte(COMMA)
    const itemResult = this.value(item, depth)
    return itemResult === WRITTEN ? this.close(CLOSE_ARRAY) : itemResult
  }

  private regExp(value: object): WriteResult {
    const { sink } = this
    if (!sink.ascii("!r") || !writeQuoted(sink, regExpSource(value))) return TOO_LARGE
    return this.token(regExpFlags(value))
  }

  /** The name, and the own properties but for the stack: hidden ones too, as `message` is. */
  private error(value: object, depth: number): WriteResult {
    if (depth >= this.maxDepth) return TOO_DEEP
    const keys = getOwnPropertyNames(value)
    const stack = keys.indexOf("stack")
    if (stack >= 0) keys.splice(stack, 1)
    if (keys.length > this.maxKeys) return TOO_MANY_KEYS
    if (leastBytes(keys) + 3 > this.sink.remaining || !this.sink.ascii("!e")) return TOO_LARGE
    const name = this.nameOf(value)
    const named = isData(name) ? this.value(name.value, depth + 1) : this.absent(name)
    return named === WRITTEN ? this.members(value as Members, keys, depth, false) : named
  }

  /** The first name on the object and its prototypes, up to a Proxy. */
  private nameOf(value: object): PropertyDescriptor | undefined {
    let at: object | null = value
    for (let step = 0; at !== null && step <= maxInherited; step++) {
      if (this.introspection.isProxy(at)) return undefined
      const property = getOwnPropertyDescriptor(at, "name")
      const own = property?.get === undefined ? undefined : errorName(at)
      if (own !== undefined) return { value: own, writable: true }
      if (property !== undefined) return property
      at = getPrototypeOf(at)
    }
    return undefined
  }

  private absent(property: PropertyDescriptor | undefined): WriteResult {
    if (property !== undefined) return this.accessor()
    this.visited++
    return this.token("!u")
  }

  private platformText(value: object, brand: typeof ADDRESS | typeof TEMPORAL, depth: number): WriteResult {
    const { matched } = this.brands
    const text = this.brands.read(() => brand === ADDRESS ? addressText(value) : temporalText(value, matched))
    if (text === undefined) return this.unread(value, depth)
    if (!this.sink.ascii(brand === ADDRESS ? "!l" : "!t")) return TOO_LARGE
    return fitting(writeQuoted(this.sink, text))
  }

  private platformList(value: object, brand: typeof PARAMS | typeof HEADERS, depth: number): WriteResult {
    const { sink } = this
    if (depth >= this.maxDepth) return TOO_DEEP
    const start = sink.length
    let result: WriteResult = WRITTEN
    let isFirst = true
    const each = (text: string, name: string): void => {
      if (result !== WRITTEN) return
      if (!isFirst) sink.byte(COMMA)
      isFirst = false
      result = this.pair(name, text, depth + 1)
    }
    const read = this.brands.read((): WriteResult => {
      // A pair takes at least `["",""]` and a comma.
      const count = brand === PARAMS ? paramsCount(value) : 0
      if (4 + 8 * count - Math.min(count, 1) > sink.remaining) return TOO_LARGE
      if (!sink.ascii(brand === PARAMS ? "!q[" : "!h[")) return TOO_LARGE
      if (brand === PARAMS) paramsEach(value, each)
      else headersEach(value, each)
      return result
    })
    if (read === WRITTEN) return this.close(CLOSE_ARRAY)
    if (read !== undefined) return read
    sink.length = start
    return this.unread(value, depth)
  }

  /**
   * An object with content that cannot be read: the tag of its class, a nonce that no other has,
   * and the members that do show.
   */
  private unread(value: object, depth: number): WriteResult {
    const { sink } = this
    if (depth >= this.maxDepth) return TOO_DEEP
    const { tag } = this.brands
    // A host that has tried too often cannot tell whether its characters are its keys.
    const length: unknown = hasOwn(value, "length") ? getOwnPropertyDescriptor(value, "length")?.value : 0
    if (typeof length === "number" && length > this.maxKeys) return TOO_MANY_KEYS
    if (!sink.ascii("!o") || !writeQuoted(sink, tag) || !sink.ascii(this.nonces.next())) return TOO_LARGE
    return this.record(value, depth)
  }

  private bytes(value: object, brand: Brand, depth: number): WriteResult {
    const { sink } = this
    const length = byteLengthOf(value, brand)
    if (length * (depth === 0 ? 1 : 2) > sink.remaining) return TOO_LARGE
    if (depth > 0) {
      const view = length === 0 ? noBytes : bytesOf(value, brand, length)
      return fitting(writeHexBytes(sink, byteKindOf(value, brand), view))
    }
    if (length === 0) return WRITTEN
    // The payload's memory can serve as the content: no code runs before the caller has hashed and
    // copied it. Shared memory cannot, since another thread may write to it.
    if (length > maxCopiedBytes && sink.start === 0) {
      const isWhole = brand === VIEW && isUint8Array(value)
      const outside = isWhole ? value : bytesOf(value, brand, length)
      if (!this.brands.isShared(bufferOf(outside))) {
        this.outside = outside
        this.outsideLength = length
        return WRITTEN
      }
    }
    sink.reserve(length)
    // A Uint8Array needs no view of it: `set` reads its slots, not its properties.
    sink.bytes.set(isUint8Array(value) ? value : bytesOf(value, brand, length), sink.start)
    sink.length += length
    return WRITTEN
  }

  private close(bracket: number): WriteResult {
    this.sink.reserve(1)
    this.sink.byte(bracket)
    return fitting(this.sink.fits())
  }
}

/** Properties by name. Reading one runs its getter. */
type Members = Readonly<Record<string, unknown>>

/** A descriptor inherits what somebody put into Object.prototype, but a `writable` of its own. */
const isData = (property: PropertyDescriptor | undefined): property is PropertyDescriptor =>
  property !== undefined && hasOwn(property, "writable")

const hasKeys = (value: object): boolean => {
  for (const _ in value) return true
  return false
}

const fitting = (fits: boolean): WriteResult => fits ? WRITTEN : TOO_LARGE
