/**
 * Numbers that are used once: they stand where content cannot be read, so that no two of it are
 * taken for the same.
 */

/** Unpredictable words that a writer's nonces begin with. */
export const nonceSeedWords = 3

const baseDigits = 20
const countDigits = 12

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, "0")

/** Nonces of one writer: 80 bits that are its own, and a count. */
export class Nonces {
  private readonly base: string
  /** Nonces given so far. */
  given = 0

  constructor(seed: Int32Array) {
    this.base = Array.from(seed, (word) => hex(word >>> 0, 8)).join("").slice(0, baseDigits)
  }

  /** 32 lowercase hexadecimal digits. */
  next(): string {
    this.given++
    return this.base + hex(this.given, countDigits)
  }
}
