/**
 * Tells what an object is without running code of it.
 *
 * The brand of an object is told by its internal slots: `instanceof` and `constructor` belong to
 * the payload, while a slot cannot be forged. The object's prototype chain is looked at first: it
 * says which slots are possible. Only an object whose chain leaves this realm, or meets a Proxy,
 * has every slot asked for. A prototype that declares a `Symbol.toStringTag` as plain data belongs
 * to a class of the language or the platform that this writer does not know: it has content that
 * cannot be read.
 *
 * Cost: an object of a chain of this realm costs no question but of its chain. Where the host can
 * ask for slots, every question is some 20 ns. Where it cannot, most slots show only by a getter
 * that throws for any other object, which costs microseconds. So one write tries at most
 * `maxTrials` times in vain; from then on an object that would have to be tried counts as one that
 * cannot be read.
 *
 * **Gotchas**
 *
 * - An exotic object, unless it is a view or wraps a string, counts as an ordinary one where its
 *   prototype was replaced by null, by an `Object.prototype` (any prototype that has none itself),
 *   or by a short chain of this realm without its own class.
 * - Nobody can see that a class has private fields.
 */
import type { Introspection, Slots } from "../../../host/port/Introspection.ts"
import {
  ARRAY_BUFFER,
  BIGINT,
  BOOLEAN,
  type Brand,
  DATE,
  ERROR,
  MAP,
  NUMBER,
  OPAQUE,
  ORDINARY,
  REGEXP,
  SET,
  SHARED_ARRAY_BUFFER,
  STRING,
  SYMBOL,
  VIEW
} from "./Brand.ts"
import { declaredTag } from "./Intrinsics.ts"
import { isReadable, learned, platformClasses } from "./Platform.ts"
import {
  bufferLength,
  dateTime,
  getOwnPropertyDescriptor,
  getPrototypeOf,
  hasOwn,
  ifWrongType,
  isView,
  mapSize,
  objectPrototype,
  regExpSource,
  setSize,
  sharedLength,
  sharedPrototype,
  textOf,
  unboxed
} from "./Reflection.ts"

/** Prototypes looked at before giving up on the chain; a longer one has every slot asked for. */
const maxSteps = 16

/** The most getters that one write calls in vain, each of which makes an exception. */
export const maxTrials = 1024

/** The same of readers of the platform, whose exceptions cost ten times as much. */
export const maxReads = 64

const { toStringTag } = Symbol

/** The brands of this realm's classes, by prototype. Those made when first needed come later. */
const classes = new Map<object, Brand>([
  [Map.prototype, MAP],
  [Set.prototype, SET],
  [Date.prototype, DATE],
  [ArrayBuffer.prototype, ARRAY_BUFFER],
  [DataView.prototype, VIEW],
  [Number.prototype, NUMBER],
  [String.prototype, STRING],
  [Boolean.prototype, BOOLEAN],
  [BigInt.prototype, BIGINT],
  [Symbol.prototype, SYMBOL],
  [RegExp.prototype, REGEXP],
  [Error.prototype, ERROR],
  ...platformClasses
])
if (sharedPrototype !== undefined) classes.set(sharedPrototype, SHARED_ARRAY_BUFFER)

/**
 * Tags of classes whose slots are asked for: an object of that tag and without them is ordinary.
 */
const askedFor: ReadonlySet<string> = new Set([
  "Map",
  "Set",
  "ArrayBuffer",
  "SharedArrayBuffer",
  "DataView",
  "BigInt",
  "Symbol"
])

/** The tag that a prototype declares of its class, where it is plain data. */
const tagOf = (prototype: object): string | undefined => {
  if (!hasOwn(prototype, toStringTag)) return undefined
  const tag = declaredTag(prototype)
  return typeof tag === "string" && !askedFor.has(tag) ? tag : undefined
}

/** Error.isError of newer hosts, for those that cannot ask for slots. */
const isErrorOf = Reflect.get(Error, "isError") as ((value: unknown) => boolean) | undefined

/** Brands of the objects of one writer. */
export class Brands {
  private readonly isProxy: (value: object) => boolean
  private readonly slots: Slots | null
  /** Getters called in vain; set it to 0 before each write. */
  trials = 0
  private isExhausted = false
  /** Whether the object asked about last inherits from Object.prototype at most, by itself. */
  isPlain = false
  /** The tag and, of a Temporal object, the prototype that told the last brand. */
  tag = ""
  matched: object = objectPrototype

  constructor({ isProxy, slots }: Introspection["Service"]) {
    this.isProxy = isProxy
    this.slots = slots
  }

  /**
   * The brand of an object that is neither an Array nor a Proxy. Throws nothing on a host whose
   * isProxy is true.
   */
  of(value: object): Brand {
    if (isView(value)) return VIEW
    const prototype = getPrototypeOf(value)
    const isPlain = prototype === null || prototype === objectPrototype
    this.isPlain = isPlain
    // An object that wraps a string is told whatever its prototypes say: its characters are keys
    // that cost nothing to make, and would all be listed.
    if (this.isText(value)) return STRING
    if (isPlain) return ORDINARY
    this.tag = ""
    this.isExhausted = false
    const brand = this.ofChain(value, prototype)
    return brand === ORDINARY && (this.tag !== "" || this.isExhausted) ? OPAQUE : brand
  }

  /** Whether the memory of a view is shared with other threads, whatever its prototypes say. */
  isShared(buffer: ArrayBufferLike): boolean {
    return this.slots === null ? !this.isTried(buffer, ARRAY_BUFFER) : this.slots.isSharedArrayBuffer(buffer)
  }

  /**
   * The answer of a reader, or undefined where it refuses the object by a TypeError or where this
   * write has tried in vain too often.
   */
  read<A>(reader: () => A): A | undefined {
    if (this.trials >= maxReads) return undefined
    try {
      return reader()
    } catch (error) {
      this.trials++
      return ifWrongType(error, undefined)
    }
  }

  private isText(value: object): boolean {
    if (this.slots !== null) return this.slots.isStringObject(value)
    if (!hasOwn(value, "length")) return false
    const length = getOwnPropertyDescriptor(value, "length")
    const isFixed = length?.writable === false && length.configurable === false && length.enumerable === false
    return isFixed && this.isTried(value, STRING)
  }

  private ofChain(value: object, first: object): Brand {
    let prototype = first
    for (let step = 0; step < maxSteps; step++) {
      if (this.isProxy(prototype)) return this.askAll(value)
      const brand = this.told(value, prototype)
      if (brand !== ORDINARY) return brand
      const next = getPrototypeOf(prototype)
      if (next === objectPrototype) return ORDINARY
      if (next === null) return step === 0 ? ORDINARY : this.askAll(value)
      prototype = next
    }
    return this.askAll(value)
  }

  /** The brand that this prototype tells, where the object is of it. */
  private told(value: object, prototype: object): Brand {
    let brand = classes.get(prototype)
    if (brand === undefined) {
      const tag = tagOf(prototype)
      if (tag === undefined) return ORDINARY
      brand = learned(prototype, tag)
      if (brand === undefined) {
        if (this.tag === "") this.tag = tag
        return ORDINARY
      }
      classes.set(prototype, brand)
    }
    if (brand > ERROR) {
      this.tag = tagOf(prototype) ?? "Object"
      this.matched = prototype
      return isReadable(value, brand) ? brand : OPAQUE
    }
    // An error of a class with a tag, such as DOMException, has more than its properties.
    return !this.has(value, brand) ? ORDINARY : brand === ERROR && this.tag !== "" ? OPAQUE : brand
  }

  private askAll(value: object): Brand {
    const { slots } = this
    if (slots === null) {
      for (const brand of [MAP, SET, DATE, ARRAY_BUFFER, SHARED_ARRAY_BUFFER, REGEXP, ERROR] as const)
        if (this.has(value, brand)) return brand
      return ORDINARY
    }
    if (slots.isMap(value)) return MAP
    if (slots.isSet(value)) return SET
    if (slots.isDate(value)) return DATE
    if (slots.isArrayBuffer(value)) return ARRAY_BUFFER
    if (slots.isSharedArrayBuffer(value)) return SHARED_ARRAY_BUFFER
    if (slots.isRegExp(value)) return REGEXP
    if (slots.isNativeError(value)) return this.tag === "" ? ERROR : OPAQUE
    if (!slots.isBoxedPrimitive(value)) return ORDINARY
    for (const brand of [NUMBER, STRING, BOOLEAN, BIGINT, SYMBOL] as const) if (this.has(value, brand)) return brand
    return ORDINARY
  }

  private has(value: object, brand: Brand): boolean {
    const { slots } = this
    if (slots === null) return this.isTried(value, brand)
    switch (brand) {
      case MAP:
        return slots.isMap(value)
      case SET:
        return slots.isSet(value)
      case DATE:
        return slots.isDate(value)
      case ARRAY_BUFFER:
        return slots.isArrayBuffer(value)
      case SHARED_ARRAY_BUFFER:
        return slots.isSharedArrayBuffer(value)
      case REGEXP:
        return slots.isRegExp(value)
      case ERROR:
        return slots.isNativeError(value)
      case NUMBER:
        return slots.isNumberObject(value)
      case STRING:
        return slots.isStringObject(value)
      case BOOLEAN:
        return slots.isBooleanObject(value)
      case BIGINT:
        return slots.isBigIntObject(value)
      case SYMBOL:
        return slots.isSymbolObject(value)
      default:
        return false
    }
  }

  /**
   * The same on a host that cannot ask for slots: a getter throws for an object without the slot.
   */
  private isTried(value: object, brand: Brand): boolean {
    if (brand === ERROR) return isErrorOf === undefined ? hasOwn(value, "stack") : isErrorOf(value)
    if (this.trials >= maxTrials) {
      this.isExhausted = true
      return false
    }
    try {
      return answers(value, brand)
    } catch (error) {
      this.trials++
      return ifWrongType(error, false)
    }
  }
}

/** Calls a getter that only objects of the brand have an answer to. */
const answers = (value: object, brand: Brand): boolean => {
  switch (brand) {
    case MAP:
      return mapSize(value) >= 0
    case SET:
      return setSize(value) >= 0
    case DATE:
      return dateTime(value) !== undefined
    case ARRAY_BUFFER:
      return bufferLength(value) >= 0
    case SHARED_ARRAY_BUFFER:
      return sharedLength(value) >= 0
    case REGEXP:
      return regExpSource(value) !== undefined
    case STRING:
      return textOf(value) !== undefined
    case NUMBER:
    case BOOLEAN:
    case BIGINT:
    case SYMBOL:
      unboxed(value, brand)
      return true
    default:
      return false
  }
}
