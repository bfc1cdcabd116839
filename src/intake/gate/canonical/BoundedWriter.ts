/**
 * The writer itself: one value after another into the sink, in canonical order. Canonical.ts says
 * what it promises.
 */
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
  isView,
  MAP,
  mapForEach,
  mapSize,
  ORDINARY,
  SET,
  setForEach,
  setSize,
  SHARED_ARRAY_BUFFER,
  VIEW
} from "./Brand.ts"
import {
  type CanonicalLimits,
  type CanonicalWriter,
  type Introspection,
  MAX_UNORDERED_DEPTH,
  type Outcome,
  TOO_DEEP,
  TOO_LARGE,
  TOO_MANY_KEYS,
  UNREADABLE,
  WRITTEN
} from "./Contract.ts"
import { sortEntries } from "./Entries.ts"
import { getOwnPropertyDescriptor, hasOwn, isArray, lookupGetter, objectPrototype, ownKeys } from "./Intrinsics.ts"
import { leastBytes, sortKeys } from "./Keys.ts"
import { BigIntText, writeHexBytes, writeNumber } from "./Scalar.ts"
import { ScratchViews } from "./ScratchViews.ts"
import { type Shape, Shapes } from "./Shapes.ts"
import { Sink } from "./Sink.ts"
import { writeQuoted, writeRaw } from "./Text.ts"

const NO_BYTES = new Uint8Array(0)
/**
 * Raw bytes up to here are copied into the scratch; of more it pays to leave them where they are.
 */
const MAX_COPIED = 32_768

const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const COMMA = 0x2c
const COLON = 0x3a

/** A CanonicalWriter. Its limits are whole numbers. */
export class BoundedWriter implements CanonicalWriter {
  private readonly maxDepth: number
  private readonly maxKeys: number
  private readonly introspection: Introspection
  private readonly sink: Sink
  private readonly bigInts: BigIntText
  private readonly shapes = new Shapes()
  private busy = false
  /**
   * Whether someone gave Object.prototype a `writable`, which an accessor's descriptor would
   * inherit.
   */
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
      // Only a trap that the host could not avoid gets here, in the middle of the write that ran
      // it.
      return UNREADABLE
    }
    this.busy = true
    // No call: one frame short of the end of the stack it would throw.
    this.sink.length = this.sink.start
    this.outside = null
    this.unorderedDepth = 0
    this.visited = 0
    try {
      this.polluted = typeof payload === "object" && !isView(payload) && hasOwn(objectPrototype, "writable")
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
    // Before anything else: isArray of a revoked proxy throws, and every other question would run a
    // trap.
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
    // n elements take at least 2n + 1 bytes. Written so that a length which is no number (only a
    // trap can give it) is refused.
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

  /**
   * A descriptor of an element costs three times as much as these questions; a named property's is
   * the cheaper one.
   */
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
    const shape = this.shapes.find(keys)
    // Known before the keys are compared, so that comparing is bounded too.
    if ((shape === undefined ? leastBytes(keys) : shape.least) > sink.remaining) {
      return TOO_LARGE
    }
    sink.reserve(1)
    sink.byte(OPEN_OBJECT)
    const outcome = shape === undefined ? this.members(value, keys, depth + 1) : this.known(value, shape, depth + 1)
    return outcome === WRITTEN ? this.close(CLOSE_OBJECT) : outcome
  }

  /** The members of an object whose keys are in a shape. */
  private known(value: object, { sorted, starts, written }: Shape, depth: number): Outcome {
    const { sink } = this
    for (let i = 0; i < sorted.length; i++) {
      const from = starts[i] ?? 0
      const to = starts[i + 1] ?? 0
      // The colon is not looked at, as it is not where the key is written out.
      if (to - from - 1 > sink.remaining) {
        return TOO_LARGE
      }
      sink.copy(written, from, to)
      const property = getOwnPropertyDescriptor(value, sorted[i] ?? "")
      const outcome = this.isData(property) ? this.value(property.value, depth) : this.accessor()
      if (outcome !== WRITTEN) {
        return outcome
      }
    }
    return WRITTEN
  }

  /** The members of any object; sorts the keys. */
  private members(value: object, keys: Array<string>, depth: number): Outcome {
    const { sink } = this
    sortKeys(keys)
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
      const outcome = this.isData(property) ? this.value(property.value, depth) : this.accessor()
      if (outcome !== WRITTEN) {
        return outcome
      }
    }
    return WRITTEN
  }

  private accessor(): Outcome {
    this.visited++
    return this.token("!g")
  }

  /**
   * A data descriptor has `writable` of its own; asking for it is cheaper than asking whether it is
   * its own.
   */
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
    // Nothing runs until the caller has hashed and copied it, but a thread may write to shared
    // memory.
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
