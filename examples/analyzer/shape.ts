/**
 * The findings of the scanner, and the judgement of this analyzer. Change the second half to your
 * own taste.
 */

/** The shape of one JSON text. Numbers are counts, lengths are in bytes. */
export interface Shape {
  /** `unbounded`: it went past a bound, and the scanner stopped there. */
  status: "json" | "notJson" | "unbounded"
  scanned: number
  depth: number
  objects: number
  arrays: number
  keys: number
  /** Keys of the object that has the most. */
  mostKeys: number
  /** Keys that an object had before: parsers do not agree which one counts. */
  duplicateKeys: number
  /** `__proto__`, `constructor` and `prototype`, however they are escaped. */
  dangerousKeys: number
  longestString: number
  longestNumber: number
  /** Numbers that a double cannot hold as they stand. */
  inexactNumbers: number
}

export const noFindings = (): Shape => ({
  status: "json",
  scanned: 0,
  depth: 0,
  objects: 0,
  arrays: 0,
  keys: 0,
  mostKeys: 0,
  duplicateKeys: 0,
  dangerousKeys: 0,
  longestString: 0,
  longestNumber: 0,
  inexactNumbers: 0
})

/**
 * Whether the evidence is examined. Shapes that parsers disagree about, or choke on, are not:
 * somebody should look at these, and `failSafe.onHoundError` says who gets to know.
 */
export const isExamined = ({ dangerousKeys, duplicateKeys, longestNumber, status }: Shape): boolean =>
  status === "notJson" || (status === "json" && duplicateKeys === 0 && dangerousKeys === 0 && longestNumber <= 1000)
