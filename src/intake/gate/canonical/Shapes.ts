/**
 * The shapes of objects that came before: their keys in canonical order and already written. A
 * detector sends objects of few shapes.
 *
 * A shape is a list of keys in the order an object has them. One that comes a second time is kept,
 * in a table of a fixed number of places. Keeping has a price, as it costs a hundred times what
 * finding does: a shape that is found keeps its place against the next `maxStrength` others, and
 * one write keeps at most `maxMade`. So a flood of made-up keys, or of a few that share a place and
 * take turns, costs one comparison each; at worst it displaces other shapes. A seed decides which
 * characters tell the place.
 *
 * Cost: finding compares each key, by identity where the same code made the objects, and allocates
 * nothing but what V8 does where it lists the keys of an object that it keeps as a hash table.
 * Memory: at most `places` shapes of `maxKeys` keys and `maxCharacters` characters.
 *
 * **Gotchas**
 *
 * - Names of keys are kept beyond the payload, as V8 itself keeps them. Values never are.
 */
import { sortKeys } from "./Order.ts"
import { Sink } from "./Sink.ts"
import { writeQuoted } from "./Text.ts"

export interface Shape {
  readonly keys: ReadonlyArray<string>
  /** The same in canonical order. */
  readonly sorted: ReadonlyArray<string>
  /**
   * For each of them `,"key":`, the first one without its comma, one after another; and three bytes
   * more, so that they can be read four at a time.
   */
  readonly written: DataView
  /** The position in `written` at which each begins, and the end. */
  readonly starts: Uint16Array
  /** The fewest bytes of such an object. */
  readonly least: number
}

const places = 512
const maxKeys = 32
const maxCharacters = 512
/** The most shapes that one write keeps. */
export const maxMade = 8
/** How often others must miss a place in vain before they get it from a shape that was found. */
const maxStrength = 8

/** Unpredictable words of a seed. */
export const shapeSeedWords = 4

const COMMA = 0x2c
const COLON = 0x3a

/**
 * The fewest bytes an object of these keys can take: braces, and for each `"key":0` with its comma.
 */
export const leastBytes = (keys: ReadonlyArray<string>): number => {
  let least = keys.length === 0 ? 2 : 5 * keys.length + 1
  for (const key of keys) least += key.length
  return least
}

export class Shapes {
  private readonly shapes: Array<Shape | undefined> = Array.from({ length: places }, () => undefined)
  /** The fingerprint that was last looked for in vain, for each place. */
  private readonly missed = new Int32Array(places)
  /** How often the shape in each place is still safe from others. */
  private readonly strengths = new Uint8Array(places)
  private readonly seed: number
  /** Which character of the first, the middle and the last key is looked at, as fractions. */
  private readonly fractions: Float64Array
  /**
   * Keys of the object that is looked at; of one that may have a shape they stay until the next.
   */
  private readonly listed: Array<string> = Array.from({ length: maxKeys }, () => "")
  /** Shapes made since it was last set to 0, which is to be done before each write. */
  made = 0

  /** `seed`: `shapeSeedWords` unpredictable words. */
  constructor(seed: Int32Array) {
    this.seed = seed[0] ?? 0
    this.fractions = Float64Array.from(seed.subarray(1), (word) => (word >>> 0) / 0x1_0000_0000)
  }

  /**
   * Lists the keys of an object and gives their number; -1 where no shape has so many or such long
   * ones. The object must inherit no key that is enumerable.
   */
  list(value: object): number {
    const { listed } = this
    let count = 0
    let characters = 0
    for (const key in value) {
      if (count === maxKeys) return this.forget()
      listed[count++] = key
      characters += key.length
    }
    return characters > maxCharacters ? this.forget() : count
  }

  /** The shape of the keys listed last, or undefined where it is not kept. */
  found(count: number): Shape | undefined {
    return this.find(this.listed, count)
  }

  /** The keys listed last. */
  keys(count: number): Array<string> {
    return this.listed.slice(0, count)
  }

  /** Keys that no shape keeps may be long. */
  private forget(): number {
    this.listed.fill("")
    return -1
  }

  /** The shape of the first `count` keys, or undefined where it is not kept. O(count) at most. */
  find(keys: ReadonlyArray<string>, count = keys.length): Shape | undefined {
    if (count === 0 || count > maxKeys) return undefined
    const print = this.fingerprint(keys, count)
    const place = print & (places - 1)
    const shape = this.shapes[place]
    if (shape !== undefined) {
      if (areSame(shape.keys, keys, count)) {
        this.strengths[place] = maxStrength
        return shape
      }
      const strength = this.strengths[place] ?? 0
      if (strength > 0) {
        this.strengths[place] = strength - 1
        return undefined
      }
    }
    if (this.missed[place] === print && this.made < maxMade) return this.keep(keys.slice(0, count), place)
    this.missed[place] = print
    return undefined
  }

  private keep(keys: ReadonlyArray<string>, place: number): Shape | undefined {
    let characters = 0
    for (const key of keys) characters += key.length
    if (characters > maxCharacters) return undefined
    this.made++
    return this.shapes[place] = shapeOf(keys)
  }

  /**
   * Tells most lists apart by a few of their characters: hashing all of them would cost more than
   * writing them.
   */
  private fingerprint(keys: ReadonlyArray<string>, count: number): number {
    const { fractions, seed } = this
    const first = keys[0] ?? ""
    const middle = keys[count >> 1] ?? ""
    const last = keys[count - 1] ?? ""
    // The character of an empty key is NaN, which sets no bit.
    let print = seed ^ (count << 24) ^ (first.length << 16) ^ (middle.length << 8) ^ last.length
    print = Math.imul(print ^ first.charCodeAt(((fractions[0] ?? 0) * first.length) | 0), 0x9e37_79b1)
    print = Math.imul(print ^ middle.charCodeAt(((fractions[1] ?? 0) * middle.length) | 0), 0x85eb_ca77)
    print = Math.imul(print ^ last.charCodeAt(((fractions[2] ?? 0) * last.length) | 0), 0xc2b2_ae3d)
    return print ^ (print >>> 15)
  }
}

const areSame = (a: ReadonlyArray<string>, b: ReadonlyArray<string>, count: number): boolean => {
  if (a.length !== count) return false
  for (let i = 0; i < count; i++) if (a[i] !== b[i]) return false
  return true
}

const shapeOf = (keys: ReadonlyArray<string>): Shape => {
  const sorted = [...keys]
  sortKeys(sorted)
  const sink = new Sink(maxKeys * 8 + 6 * maxCharacters)
  const starts = new Uint16Array(sorted.length + 1)
  for (const [i, key] of sorted.entries()) {
    starts[i] = sink.length
    if (i > 0) sink.byte(COMMA)
    writeQuoted(sink, key)
    sink.byte(COLON)
  }
  starts[sorted.length] = sink.length
  return {
    keys,
    sorted,
    written: new DataView(sink.bytes.slice(0, sink.length + 3).buffer),
    starts,
    least: leastBytes(keys)
  }
}
