/**
 * Tries out `Introspection.slots` (CONFORMANCE R5): each question is asked about an object of every
 * class, with and without its prototype, and about what only looks like one. Boxed strings keep
 * their prototype.
 *
 * A wrong answer takes payloads apart wrongly: evidence of one content under another's signature.
 * One that runs code runs the attacker's.
 *
 * Cost: some 800 questions of 20 ns, once.
 */
import type { Slots } from "./Introspection.ts"

type Question = keyof Slots

/** The question that is true of five classes. Each other one has a class of its own. */
const boxed: Question = "isBoxedPrimitive"

/** An object of the class that each question is about. A host may lack shared memory. */
const specimens: Readonly<Record<Question, () => object | undefined>> = {
  isMap: () => new Map(),
  isSet: () => new Set(),
  isDate: () => new Date(0),
  isArrayBuffer: () => new ArrayBuffer(0),
  isSharedArrayBuffer: () => typeof SharedArrayBuffer === "undefined" ? undefined : new SharedArrayBuffer(0),
  isRegExp: () => /x/,
  isNativeError: () => new RangeError(),
  isBoxedPrimitive: () => undefined,
  isNumberObject: () => Object(0) as object,
  isStringObject: () => Object("") as object,
  isBooleanObject: () => Object(false) as object,
  isBigIntObject: () => Object(0n) as object,
  isSymbolObject: () => Object(Symbol.iterator) as object
}

/**
 * Of this class nothing is made that inherits, or has another prototype: V8 reads the characters of
 * every string slower from then on, and new evidence costs a third more.
 */
const slowing: Question = "isStringObject"

const questions = Object.keys(specimens) as ReadonlyArray<Question>

const isTrueOf = (asked: Question, specimen: Question): boolean =>
  asked === specimen || (asked === boxed && specimen.endsWith("Object"))

/** What is wrong with the answers, or null. */
export const findSlots = (slots: Slots): string | null => {
  let traps = 0
  const handler = new Proxy({}, {
    get: () => {
      traps += 1
      return undefined
    }
  })
  for (const specimen of questions) {
    const object = specimens[specimen]()
    if (object === undefined) continue
    // What looks like it: what inherits from it, and Proxies, which have no slots of their targets.
    const heirs = specimen === slowing ? [] : [inheriting(object)]
    const others = [...heirs, new Proxy(object, handler), inheriting(new Proxy({}, handler))]
    const bare = specimen === slowing
      ? object
      : Object.setPrototypeOf(specimens[specimen]() ?? {}, null) as object
    for (const asked of questions) {
      const is = slots[asked]
      const expected = isTrueOf(asked, specimen)
      if (is(object) !== expected || is(bare) !== expected) return `gives a wrong answer of ${asked}`
      if (others.some((other) => is(other))) return `gives a wrong answer of ${asked} about what has no slots`
      if (traps > 0) return `runs the traps of a Proxy in ${asked}`
    }
  }
  const plain = [{}, [], new Uint8Array(1), new WeakMap(), () => undefined]
  const asked = questions.find((question) => plain.some((value) => slots[question](value)))
  return asked === undefined ? null : `gives a wrong answer of ${asked} about what has no slots`
}

const inheriting = (prototype: object): object => Object.create(prototype) as object
