/**
 * Text in lowercase hexadecimal, made at once from the codes of its characters. A text that grows
 * piece by piece is an object in memory for each piece, until somebody reads it.
 */

const { fromCharCode } = String

/** The code of the digit for a number below 16. */
export const digitOf = (nibble: number): number => nibble < 10 ? 0x30 + nibble : 0x57 + nibble

/** The text of these codes. */
export const textOf = (codes: ReadonlyArray<number>): string => Reflect.apply(fromCharCode, undefined, codes)
